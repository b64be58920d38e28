"""The whole product in real containers; `make test-compose` has built the images."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.compose import DataApi, Stack

OWNER = "ada@example.com"
PRODUCT = ("license-server", "product", "create", "db-api", "--name", "Data API")
API_PORT, LICENSE_PORT, CONSOLE_PORT = 13001, 13002, 13005


@dataclass(frozen=True)
class Running:
    """A stack whose license is active, and a table with rows.

    Attributes:
        license: as it was issued, its key among it.
        headers: of a service_role key.
    """

    stack: Stack
    api: DataApi
    license: dict[str, Any]
    headers: dict[str, str]

    def is_served(self) -> bool:
        """Tell whether the rows are answered."""
        return self.api.status(BOOKS, self.headers) == 200


BOOKS = "/rest/v1/books?select=title&order=id"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    ports = {
        "DB_API_PORT": str(API_PORT),
        "LICENSE_PORT": str(LICENSE_PORT),
        "LICENSE_CONSOLE_PORT": str(CONSOLE_PORT),
    }
    with Stack("licensed-test", **ports).up() as stack:
        yield stack


@pytest.fixture(scope="session")
def running(stack: Stack) -> Iterator[Running]:
    with DataApi(API_PORT) as api:
        yield prepared(stack, api)


def prepared(stack: Stack, api: DataApi) -> Running:
    """Sell a license, activate it as a customer does, and fill a table."""
    issue_to_owner = ("license", "issue", "--product", "db-api", "--email", OWNER, "--json")
    stack.execute("license-server", *PRODUCT)
    sold = stack.execute("license-server", "license-server", *issue_to_owner)
    license_: dict[str, Any] = json.loads(sold)
    activate(stack, license_)
    api.until("/api/schemas", {}, 401)  # and no longer 403
    for path, body in (
        ("/api/schemas", {"name": "shop"}),
        (
            "/api/schemas/shop/tables",
            {
                "name": "books",
                "columns": [
                    {"name": "id", "type": "integer", "primaryKey": True},
                    {"name": "title", "type": "text"},
                ],
            },
        ),
    ):
        api.client.post(path, json=body, auth=api.auth).raise_for_status()
    created = api.client.post(
        "/api/project/shop/keys",
        json={"keyName": "test", "keyType": "service_role"},
        auth=api.auth,
    )
    headers = {"apikey": created.raise_for_status().json()["key"]}
    rows = [{"id": 1, "title": "Middlemarch"}, {"id": 2, "title": "Romola"}]
    api.client.post("/rest/v1/books", json=rows, headers=headers).raise_for_status()
    return Running(stack, api, license_, headers)


def activate(stack: Stack, license_: dict[str, Any], *, check: bool = True) -> int:
    """Activate a license as SelfHostedDB's users do, and return the exit status."""
    owner = ("--key", license_["key"], "--email", license_["email"])
    command = ("exec", "-T", "db-api", "activate-license", *owner)
    return stack.compose(*command, check=check).returncode
