"""Requests of clients to license servers, on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from bench.cpu import REQUESTS_A_ROUND, ROUNDS, WARM_UP_ROUNDS, Target
from bench.load import request
from support.vendor import PRODUCT, Sold, Vendor

LICENSES: Final = 20
DEPLOYMENTS: Final = 10  # of each license
NEW_AN_HOUR: Final = 60  # deployments that the server registers of one license
VALIDATE_AT_MOST: Final = {"SQLite": 8.0, "PostgreSQL": 10.0}


@contextmanager
def serving(database: str, folder: Path, url: str = "") -> Iterator[list[Target]]:
    """Run a license server: deployments come back to validate and to activate, and new ones come.

    Args:
        database: its name.
        folder: of the server; does not exist.
        url: of the database, unless it is SQLite.
    """
    vendor = new_vendor(folder, url)
    new = (ROUNDS + WARM_UP_ROUNDS) * REQUESTS_A_ROUND
    keys = list(imported(vendor.import_licenses(LICENSES + new // NEW_AN_HOUR + 1)))
    known = [
        _body(sold, f"deployment-{sold.license_id[-8:]}-{n}")
        for n in range(DEPLOYMENTS)
        for sold in keys[:LICENSES]
    ]
    fresh = [_body(sold, f"new-{n}") for n in range(NEW_AN_HOUR) for sold in keys[LICENSES:]]
    with vendor.serving() as server:

        def target(name: str, operation: str, bodies: Sequence[bytes], **options: Any) -> Target:
            requests = cycle([_post(operation, body) for body in bodies])
            return Target(f"{name}, {database}", server.pid, server.port, requests, **options)

        yield [
            target(
                "signed validate",
                "validate",
                known,
                at_most=VALIDATE_AT_MOST[database],
                once=[_post("activate", body) for body in known],
            ),
            target("activate, known deployment", "activate", known),
            target("activate, new deployment", "activate", fresh),
        ]


@contextmanager
def validating(name: str, vendor: Vendor, licenses: Sequence[Sold]) -> Iterator[Target]:
    """Run a license server whose deployments, one of each license, come back to validate."""
    bodies = [_body(sold, f"deployment-{sold.license_id[-8:]}") for sold in licenses]
    with vendor.serving() as server:
        requests = cycle([_post("validate", body) for body in bodies])
        once = [_post("activate", body) for body in bodies]
        yield Target(name, server.pid, server.port, requests, once=once)


def new_vendor(folder: Path, url: str = "") -> Vendor:
    """Make a vendor with a product, who limits no requests."""
    settings = {"REQUESTS_PER_MINUTE": "1000000000"}
    if url:
        settings["DATABASE_URL"] = url
    vendor = Vendor(folder, tls=None, settings=settings)
    vendor.create_product()
    return vendor


def imported(keys: Path) -> Iterator[Sold]:
    """Yield the licenses of a file that an import wrote."""
    with keys.open(encoding="ascii") as lines:
        for line in lines:
            made = json.loads(line)
            if "key" in made:
                yield Sold(made["id"], made["key"], made["email"])


def _body(sold: Sold, instance_id: str) -> bytes:
    members = {
        "license_key": sold.key,
        "email": sold.email,
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
