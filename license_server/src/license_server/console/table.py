"""All pages of the console."""

from collections.abc import Mapping
from typing import Final

from license_server.console import (
    access,
    dashboard,
    licenses,
    mails,
    one_license,
    oversight,
    products,
    webhooks,
)
from license_server.console.visits import Visit
from license_server.web.pages import Page

PAGES: Final[tuple[Page[Visit], ...]] = (
    *dashboard.PAGES,
    *licenses.PAGES,  # before the address that holds a license's id
    *one_license.PAGES,
    *products.PAGES,
    *webhooks.PAGES,
    *mails.PAGES,
    *access.PAGES,
    *oversight.PAGES,
)

DONE: Final[Mapping[str, str]] = {
    "saved": "Saved.",
    "renew": "Renewed: clients learn the new end with their next answer.",
    "convert": "It is a paid license now; key and deployments are as before.",
    "suspend": "Suspended: every deployment is denied from its next request on.",
    "reinstate": "Reinstated: its deployments work again from their next request on.",
    "revoke": "Revoked for good.",
    "deployment-changed": "The deployment was changed.",
    "deployment-gone": "This deployment is not registered any more.",
    "product-created": "The product is there: issue its first license.",
    "webhook-test": "An event that means nothing is on its way.",
    "webhook-replay": "The event is sent again, under the same id.",
    "webhook-removed": "The endpoint is forgotten, and what was still to be sent to it.",
    "mail-resent": "The mail is tried anew.",
    "token-revoked": "The token is revoked: what used it is refused from now on.",
    "operator-disable": "The operator is disabled and signed out.",
    "operator-enable": "The operator may sign in again.",
    "operator-sign-out": "All sessions of the operator are over.",
    "none-ticked": "Tick at least one license, and choose what to do with them.",
}
"""What a page says after a form was served, by the member `done` of its query."""
