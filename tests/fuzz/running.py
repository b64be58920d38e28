"""A real license server on PostgreSQL with something in it, and Schemathesis in front of it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from support.license_api import body
from support.servers import BIN
from support.vendor import PRODUCT, Vendor

ADMIN: Final = "admin"
PUBLIC: Final = "public"

_EMAIL: Final = "ada@example.com"
_HERE: Final = Path(__file__).parent
_SETTINGS: Final = {
    "REQUESTS_PER_MINUTE": "1000000000",
    "RUN_WORKER": "false",  # nothing leaves this machine
    "TRUSTED_PROXIES": "127.0.0.1",  # each request comes from an address of its own: `hooks`
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed.

    Attributes:
        folder: where Schemathesis may write.
        urls: by the name of the listener.
        known: variables that tell `hooks` of what there is.
    """

    folder: Path
    urls: Mapping[str, str]
    known: Mapping[str, str]


@contextmanager
def served(folder: Path, database_url: str) -> Iterator[Target]:
    """Serve a vendor with a product, a deployed license, a trial and a webhook endpoint."""
    vendor = Vendor(folder, tls=None, settings={**_SETTINGS, "DATABASE_URL": database_url})
    token = vendor.create_token()
    with vendor.serving() as server:
        urls = {
            name: str(server.wait_for_event("server.listening", listener=name)["url"])
            for name in (PUBLIC, ADMIN)
        }
        key = _stocked(urls, token["token"])
        known = {
            "FUZZ_TOKEN": token["token"],
            "FUZZ_TOKEN_ID": token["id"],
            "FUZZ_KEY": key,
            "FUZZ_EMAIL": _EMAIL,
        }
        yield Target(folder.parent, urls, known)


def _stocked(urls: Mapping[str, str], token: str) -> str:
    """Put something into an empty server, and return the key of its deployed license."""
    headers = {"Authorization": f"Bearer {token}"}
    trial = {"product": PRODUCT, "email": "grace@example.com", "kind": "trial", "mail_key": True}
    with httpx.Client(base_url=f"{urls[ADMIN]}/v1/admin/", headers=headers) as admin:
        for path, members in (
            ("products", {"code": PRODUCT, "name": "Data API"}),
            ("webhooks", {"url": "https://hooks.example.com/"}),
            ("licenses", trial),
        ):
            admin.post(path, json=members).raise_for_status()
        issued = admin.post("licenses", json={"product": PRODUCT, "email": _EMAIL}).json()
    content = body(license_key=issued["key"], email=_EMAIL)
    json_type = {"Content-Type": "application/json"}
    answer = httpx.post(f"{urls[PUBLIC]}/v1/licenses/activate", content=content, headers=json_type)
    if not answer.json()["valid"]:
        raise RuntimeError(answer.text)
    return str(issued["key"])


def fuzz(target: Target, listener: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run Schemathesis against one listener; status 0 = it found nothing."""
    command: list[str | Path] = [
        *(BIN / "schemathesis", "--config-file", _HERE / "schemathesis.toml", "run"),
        *(f"{target.urls[listener]}/openapi.json", "--url", target.urls[listener]),
        *options,
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "fuzz.hooks", "PYTHONPATH": str(_HERE.parent)}
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=target.folder,
        env={**os.environ, **hooks, **target.known},
    )
