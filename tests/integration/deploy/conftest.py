"""What both services expose, for the files that ask for it."""

import asyncio
import re
import uuid
from collections.abc import Iterator

import httpx
import pytest

from db_api.control.migrations import migrate
from support.license_requests import admin_url
from support.licensed import LicensedMachine, simulator_of_today
from support.management import PASSWORD, USER, service_environment
from support.postgres import SharedPostgres
from support.servers import BIN, RunningServer, running
from support.vendor import Vendor

Exposed = dict[str, set[str]]
"""The labels of each metric, by its name."""

_KIND = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.MULTILINE)


@pytest.fixture(scope="module")
def exposed(
    postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exposed]:
    """Run both services, use them, and scrape them."""
    folder = tmp_path_factory.mktemp("exposed")
    vendor = Vendor(folder / "vendor", None)
    vendor.create_product()
    vendor.sell("ada@example.com")
    machine = LicensedMachine(folder / "license", simulator_of_today())
    machine.learn()
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = postgres.create(
        name, postgres.template("data_api_control", lambda url: asyncio.run(migrate(url)))
    )
    environment = service_environment(url, machine)
    with vendor.serving() as server, running(BIN / "db-api", "serve", env=environment) as api:
        texts = (_of_license_server(vendor, server), _of_data_api(api))
    yield {name: labels for text in texts for name, labels in _read(text).items()}
    postgres.drop(name)


def _of_license_server(vendor: Vendor, server: RunningServer) -> str:
    httpx.get(f"{server.url}/v1/keyset")
    token = vendor.create_token("auditor")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{admin_url(server)}/metrics", headers=headers).text


def _of_data_api(api: RunningServer) -> str:
    httpx.get(f"{api.url}/api/health")
    return httpx.get(f"{api.url}/metrics", auth=(USER, PASSWORD)).text


def _read(text: str) -> Exposed:
    """Read Prometheus' text form; what has had no sample yet has no labels."""
    found: Exposed = {name: set() for name, _ in _KIND.findall(text)}
    for name, labels in _SAMPLE.findall(text):
        found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    return found
