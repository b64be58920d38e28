"""Signed validate requests, against a license server on SQLite and one on PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.cpu import Target
from bench.load import request
from support.vendor import PRODUCT, Vendor

LICENSES: Final = 20
DEPLOYMENTS: Final = 10  # of each license
SQLITE_AT_MOST: Final = 8.0
POSTGRES_AT_MOST: Final = 10.0


@contextmanager
def validating(name: str, folder: Path, at_most: float, database_url: str = "") -> Iterator[Target]:
    """Run a license server whose deployments all come back to validate."""
    settings = {"REQUESTS_PER_MINUTE": "1000000000"}
    if database_url:
        settings["DATABASE_URL"] = database_url
    vendor = Vendor(folder, tls=None, settings=settings)
    vendor.create_product()
    keys = [vendor.sell(f"buyer{n}@example.com") for n in range(LICENSES)]
    bodies = [
        _body(sold.key, sold.email, f"deployment-{sold.license_id[-8:]}-{n}")
        for n in range(DEPLOYMENTS)
        for sold in keys
    ]
    with vendor.serving() as server:
        yield Target(
            name, server.pid, server.port, [_post("validate", b) for b in bodies], at_most,
            once=[_post("activate", b) for b in bodies],
        )  # fmt: skip


def _body(key: str, email: str, instance_id: str) -> bytes:
    members = {
        "license_key": key,
        "email": email,
        "product": PRODUCT,
        "instance_id": instance_id,
        "nonce": "AAAAAAAAAAAAAAAAAAAAAA",
        "client": {"name": "bench", "version": "1.0"},
        "keyset_epoch": 1,
    }
    return json.dumps(members, separators=(",", ":")).encode()


def _post(operation: str, body: bytes) -> bytes:
    headers = (("Content-Type", "application/json"),)
    return request("POST", f"/v1/licenses/{operation}", headers=headers, body=body)
