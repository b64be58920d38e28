"""What a key may do with the data side, as an OpenAPI 3.1 document."""

from db_api.openapi.describing import Describer
from db_api.openapi.document import make_document
from db_api.openapi.privileges import Privileges, TablePrivileges

__all__ = ["Describer", "Privileges", "TablePrivileges", "make_document"]
