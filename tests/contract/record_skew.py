"""Record what this version's client and server say, for later versions to understand.

    PYTHONPATH=tests python tests/contract/record_skew.py   # writes tests/contract/skew/VERSION/

The documents are made by the products themselves, unlike the golden vectors: what counts is what is
sent by the version that customers have. All that is random comes from a fixed seed.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import fixed_chance  # noqa: F401 - for what it does, and before all that follows
from license_client._cache import Document, EncryptionKey, KeyRing, write_document
from license_client._conversation import write_request
from license_client._license_file import write_file_request
from license_client._settings import Options, Settings, build_settings
from license_client.policy import HighWater, Mark
from license_server._version import __version__
from license_server.license_files import FileOrder, LicenseFileIssuer
from license_server.licenses import Standing
from license_server.signing import DECISION, LICENSE_FILE
from support.license_api import LicenseApi
from support.licensing import (
    DAY,
    EMAIL,
    KEY,
    NOW,
    PRODUCT,
    SIGNER,
    MemoryLicenses,
    MemoryServer,
    a_find,
    a_history,
    a_license,
    a_trial,
    an_issuer,
    key_set,
    unix,
)

FOLDER = Path(__file__).parent / "skew"
INSTANCE = "0d6f2a52-6c1c-4d0e-8f0e-0123456789ab"
ENCRYPTION_KEY = "0123456789abcdef" * 4
Json = dict[str, Any]


FIRST = key_set()
# The newer one lets the same key sign license files too.
SIGNS_FILES = FIRST.keys[0].model_copy(update={"use": (DECISION, LICENSE_FILE)})
HISTORY = a_history(FIRST, FIRST.model_copy(update={"epoch": 2, "keys": (SIGNS_FILES,)}))
NEWEST = an_issuer(HISTORY.newest.content)
TRUST = json.dumps(a_history(FIRST).above(0)[0]).encode()


def settings(**changes: Any) -> Settings:
    """Return a client's settings."""
    options: Options = {
        "product": PRODUCT,
        "trust": TRUST,
        "license_key": KEY.reveal("LIC"),
        "email": EMAIL.address,
        **changes,  # type: ignore[typeddict-item]  # options by name
    }
    return build_settings(options)


# By name: what is asked, and of which license.
CASES: dict[str, tuple[str, Json, Callable[[], Any]]] = {
    "a first activation": ("activate", {}, a_license),
    "a check of a program that tells all": (
        "validate",
        {"app_version": "2.4.0", "deployment_name": "Büro"},
        a_license,
    ),
    "a license that ends soon": (
        "validate",
        {},
        lambda: a_license(expires_at=NOW + 5 * DAY),
    ),
    "a trial": ("activate", {}, a_trial),
    "a revoked license": ("validate", {}, lambda: a_license(standing=Standing.REVOKED)),
    "a wrong email": ("validate", {"email": "eve@example.com"}, a_license),
    "a deactivation": ("deactivate", {}, a_license),
}


async def record(operation: str, asks: Json, license_: Any) -> Json:
    """Let the client ask and the server answer."""
    asking = settings(**asks)
    assert asking.credentials is not None
    body = write_request(asking, asking.credentials, INSTANCE, asking.anchor)
    api = LicenseApi(MemoryServer(MemoryLicenses(license_), keysets=HISTORY, issuer=NEWEST))
    response = await api.post(operation, body)
    assert response.status_code == 200, response.text
    return {
        "operation": operation,
        "email": str(asking.credentials.email),
        "request": body.decode(),
        "answer": response.text,
    }


def main() -> None:
    """Write the folder of this version."""
    known = settings()
    assert known.credentials is not None
    exchanges = {name: asyncio.run(record(*about(case))) for name, case in CASES.items()}
    order = FileOrder(KEY, EMAIL, INSTANCE, timedelta(days=90))
    answered = json.loads(exchanges["a first activation"]["answer"])
    mark = Mark("boot", 1_000)
    cached = Document(
        answered["decision"],
        tuple(answered["keyset"]),
        INSTANCE,
        mark,
        HighWater(unix(NOW), mark),
    )
    recorded = {
        "product": PRODUCT,
        "license_key": KEY.reveal("LIC"),
        "email": EMAIL.address,
        "instance_id": INSTANCE,
        "encryption_key": ENCRYPTION_KEY,
        "trust": TRUST.decode(),
        "exchanges": exchanges,
        "file_request": write_file_request(PRODUCT, known.credentials, INSTANCE),
        "license_file": LicenseFileIssuer(SIGNER, HISTORY).issue(a_find(), order, NOW),
        "cache": {
            "sealed": write_document(
                cached, KeyRing(EncryptionKey(bytes.fromhex(ENCRYPTION_KEY)))
            ).decode(),
            "clear": write_document(cached, KeyRing()).decode(),
        },
    }
    folder = FOLDER / __version__
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recorded.json").write_text(json.dumps(recorded, indent=1) + "\n")


def about(case: tuple[str, Json, Callable[[], Any]]) -> tuple[str, Json, Any]:
    """Make the license of a case."""
    operation, asks, make = case
    return operation, asks, make()


if __name__ == "__main__":
    main()
