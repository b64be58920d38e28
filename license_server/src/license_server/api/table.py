"""All endpoints of the admin API that need nothing but a desk."""

from typing import Final

from license_server.api import (
    audit,
    deployments,
    exports,
    imports,
    licenses,
    mail_previews,
    mails,
    operators,
    owners,
    products,
    stats,
    tokens,
    webhooks,
)
from license_server.api.endpoints import AnyEndpoint

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    *products.ENDPOINTS,
    *exports.ENDPOINTS,  # before the paths that hold a license's id
    *imports.ENDPOINTS,
    *licenses.ENDPOINTS,
    *deployments.ENDPOINTS,
    *owners.ENDPOINTS,
    *tokens.ENDPOINTS,
    *operators.ENDPOINTS,
    *mails.ENDPOINTS,
    *mail_previews.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *audit.ENDPOINTS,
    *stats.ENDPOINTS,
)
