"""A machine that never goes online: its vendor's commands, its own, and files carried between."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.customer import Customer
from support.servers import RunningServer
from support.vendor import Sold, Vendor

OWNER = "ada@example.com"


@pytest.fixture(scope="module")
def sold(vendor: Vendor) -> Sold:
    """A license that these tests leave as it is."""
    return vendor.sell(OWNER)


@pytest.fixture
def offline(vendor: Vendor, sold: Sold, tmp_path: Path) -> Customer:
    """A customer whose machine has no license server to ask."""
    folder = tmp_path / "license-data"
    return Customer(folder, server_url="", ca=vendor.ca, trust=vendor.trust, sold=sold)


def install(customer: Customer, file: Path) -> tuple[int, str]:
    """Install a file; the exit status and the code that is told."""
    done = customer.run("license-client", "install", str(file), "--json")
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)["code"]


@contextmanager
def untouched(customer: Customer) -> Iterator[None]:
    """Hold that the cache is the same afterwards, to the byte."""
    before = customer.cache.read_bytes()
    yield
    assert customer.cache.read_bytes() == before


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_goes_from_a_request_to_a_license_of_one_machine(
    vendor: Vendor, offline: Customer, tmp_path: Path
) -> None:
    request, file = tmp_path / "this-machine.json", tmp_path / "ada.license"
    asked = offline.run("license-client", "request", "-o", str(request))
    assert (asked.returncode, asked.stdout) == (0, "")
    symbols = offline.sold.key.replace("-", "")[-30:]
    assert symbols not in request.read_text().replace("-", "")
    vendor.issue_file(offline.sold, "--request", str(request), "--for", "90d", "-o", str(file))
    assert file.read_text().startswith("-----BEGIN LICENSE FILE-----\n")
    assert offline.run("license-client", "status").returncode == 3
    assert install(offline, file) == (0, "VALID")
    status = offline.status()
    assert (status["state"], status["license_id"]) == ("ACTIVE", offline.sold.license_id)
    assert install(offline, file) == (0, "VALID")
    other = replace(offline, folder=tmp_path / "another machine")
    assert other.run("license-client", "request").returncode == 0
    with untouched(other):
        assert install(other, file) == (7, "DECISION_REJECTED")


def test_a_file_of_another_owner_is_refused_and_the_license_stays(
    vendor: Vendor, offline: Customer, tmp_path: Path
) -> None:
    own = vendor.issue_file(offline.sold, offline.sold.license_id)
    assert install(offline, written(tmp_path / "own.license", own)) == (0, "VALID")
    other = vendor.sell("bob@example.com")
    foreign = vendor.issue_file(other, other.license_id)
    with untouched(offline):
        file = written(tmp_path / "foreign.license", foreign)
        assert install(offline, file) == (7, "DECISION_REJECTED")
    assert offline.status()["license_id"] == offline.sold.license_id


def test_an_older_file_does_not_undo_a_suspension(
    vendor: Vendor, license_server: RunningServer, offline: Customer, tmp_path: Path
) -> None:
    offline = replace(offline, sold=vendor.sell("grace@example.com"))
    text = vendor.issue_file(offline.sold, offline.sold.license_id)
    file = written(tmp_path / "old.license", text)
    vendor.withdraw("suspend", offline.sold)
    online = replace(offline, server_url=license_server.url)
    assert online.run("license-client", "refresh").returncode == 3
    with untouched(offline):
        assert install(offline, file) == (7, "DECISION_REJECTED")
    assert offline.status()["state"] == "SUSPENDED"


def test_commands_say_what_is_wrong_with_a_file(offline: Customer, tmp_path: Path) -> None:
    keyless = replace(offline, sold=Sold("", "", ""))
    nothing = tmp_path / "nothing.license"
    assert install(offline, nothing) == (6, "CONFIG_INVALID")
    assert install(offline, written(nothing, "Dear Ada,")) == (7, "DECISION_REJECTED")
    assert install(keyless, nothing) == (6, "CONFIG_INVALID")
    assert keyless.run("license-client", "request").returncode == 6
    there = offline.run("license-client", "request", "-o", str(nothing))
    assert (there.returncode, nothing.read_text()) == (6, "Dear Ada,")
