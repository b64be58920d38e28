"""Requests to a running license server that count against its limits."""

import uuid

import httpx

from support.license_api import body
from support.servers import RunningServer
from support.vendor import Sold


def ask(server: RunningServer, sold: Sold, **changes: str) -> httpx.Response:
    """Ask whether a license is valid, as its deployment `known`."""
    members = {"license_key": sold.key, "email": sold.email, "instance_id": "known", **changes}
    return httpx.post(
        f"{server.url}/v1/licenses/activate",
        content=body(**members),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )


def guess(server: RunningServer, sold: Sold) -> int:
    """Ask as a stranger who guesses the email of a key; return the status."""
    return ask(server, sold, email="eve@example.com", instance_id=uuid.uuid4().hex).status_code


def admin_url(server: RunningServer) -> str:
    """Return where a server's admin API is."""
    return str(server.wait_for_event("server.listening", listener="admin")["url"])
