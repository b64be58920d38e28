"""All endpoints of the admin API."""

from typing import Final

from license_server.api import audit, deployments, licenses, owners, products, tokens
from license_server.api.endpoints import AnyEndpoint

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    *products.ENDPOINTS,
    *licenses.ENDPOINTS,
    *deployments.ENDPOINTS,
    *owners.ENDPOINTS,
    *tokens.ENDPOINTS,
    *audit.ENDPOINTS,
)
