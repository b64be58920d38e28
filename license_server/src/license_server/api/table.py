"""All endpoints of the admin API."""

from typing import Final

from license_server.api import audit, bulk, deployments, licenses, owners, products, tokens
from license_server.api.endpoints import AnyEndpoint

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    *products.ENDPOINTS,
    *bulk.ENDPOINTS,  # before the paths that hold a license's id
    *licenses.ENDPOINTS,
    *deployments.ENDPOINTS,
    *owners.ENDPOINTS,
    *tokens.ENDPOINTS,
    *audit.ENDPOINTS,
)
