"""The runbooks of deploy/SECURITY.md, typed while the services run, and what they stop."""

import asyncio
import json
import os
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

import asyncpg
import httpx
import pytest

from db_api.errors import DataApiError
from support.commands import run_command
from support.customer import PASSWORD, USER, Customer
from support.license_api import body
from support.management import execute
from support.manual import Follower
from support.postgres import Cluster, own_cluster
from support.provisioned import ADMIN, ROOT_SECRET, asking_for_passwords
from support.provisioned import PASSWORD as ADMIN_PASSWORD
from support.provisioned import Customer as Provisioned
from support.runbooks import Desk
from support.servers import RunningServer
from support.tls import issue_certificate
from support.vendor import Service, Sold, Vendor, found_vendor

NOWHERE = "https://127.0.0.1:9"
NEW_PASSWORD = "canary-of-the-new-admin"
KEY_ID = "SELECT id FROM db_api.keys WHERE prefix = '{prefix}'"
KEY_FILE, HASH_FILE = "license_encryption_key", "auth_pass_hash"
pytestmark = pytest.mark.timeout(240)  # commands and servers, one after the other


class DataApi:
    """A customer's data API that can be started again."""

    server: RunningServer

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def restart(self) -> None:
        self._running.close()
        self.server = self._running.enter_context(self._customer.serving())

    def change(self, customer: Customer) -> None:
        """Start it again with other settings."""
        self._customer = customer
        self.restart()

    def status(self, path: str, **options: object) -> int:
        return httpx.get(f"{self.server.url}{path}", **options).status_code  # type: ignore[arg-type]  # passed on

    def wait_until_refused(self, key: str) -> None:
        deadline = time.monotonic() + 30
        while self.status("/rest/v1/books", headers={"apikey": key}) != 401:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.fixture
def own_vendor(tmp_path: Path) -> Vendor:
    """Found a vendor whose keys and tokens are this test's alone."""
    vendor = found_vendor(tmp_path / "v")
    vendor.create_product()
    return vendor


def desk_of(vendor: Vendor, **more: str) -> Desk:
    """Sit down beside the folder `vendor`."""
    return Desk(vendor.folder.parent, {**vendor.environment, **more})


def test_a_leaked_api_key_is_refused_and_what_it_did_is_shown(customer: Customer) -> None:
    with DataApi(customer) as api:
        leaked = customer.create_key(api.server, "shop", "service_role")
        bystander = customer.create_key(api.server, "shop", "anon")
        table = {"name": "loot", "columns": [{"name": "id", "type": "integer"}]}
        made = httpx.post(
            f"{api.server.url}/api/schemas/shop/tables", json=table, headers={"apikey": leaked}
        )
        listed = json.loads(
            customer.run("db-api", "keys", "list", "--schema", "shop", "--json").stdout
        )
        id_ = next(one["id"] for one in listed if leaked.startswith(one["keyPrefix"]))

        desk = Desk(customer.folder.parent, {**os.environ, **customer.environment})
        known = {"KEY-ID": id_, "PREFIX": leaked[:8]}
        _, new, deeds = desk.follow("A password or API key has leaked", known=known)

        api.wait_until_refused(leaked)
        assert api.status("/rest/v1/books", headers={"apikey": new}) == 200
        assert api.status("/rest/v1/books", headers={"apikey": bystander}) == 200
    assert made.status_code == 201, made.text
    assert "loot" in deeds


def test_a_leaked_password_is_replaced(customer: Customer, tmp_path: Path) -> None:
    customer = hashed(customer, tmp_path)
    with DataApi(customer) as api:
        assert api.status("/api/schemas", auth=(USER, PASSWORD)) == 200
        desk = Desk(tmp_path, {**os.environ, **customer.environment}, api.restart)
        desk.follow("A password or API key has leaked", 1, {"USER": USER})
        new = (tmp_path / "auth_pass").read_text().strip()
        assert api.status("/api/schemas", auth=(USER, PASSWORD)) == 401
        assert api.status("/api/schemas", auth=(USER, new)) == 200


def hashed(customer: Customer, folder: Path) -> Customer:
    """Have a customer's service read the hash of its password from a file."""
    made = run_command("db-api", "gen", "password-hash", stdin=PASSWORD)
    (folder / HASH_FILE).write_text(made.stdout)
    return replace(
        customer, extra={"AUTH_PASS": "", "AUTH_PASS_HASH_FILE": str(folder / HASH_FILE)}
    )


def test_a_leaked_admin_token_ends_and_its_deeds_are_found(own_vendor: Vendor) -> None:
    leaked, other = own_vendor.create_token(), own_vendor.create_token()
    with own_vendor.serving() as server:
        admin = server.wait_for_event("server.listening", listener="admin")["url"]

        def status(token: str, method: str = "GET", path: str = "licenses", **body: str) -> int:
            return httpx.request(
                method,
                f"{admin}/v1/admin/{path}",
                headers={"Authorization": f"Bearer {token}"},
                verify=ssl.create_default_context(cafile=own_vendor.ca),
                json=body or None,
            ).status_code

        product = {"code": "loot", "name": "Loot"}
        assert status(leaked["token"], "POST", "products", **product) == 201
        *_, deeds = desk_of(own_vendor).follow(
            "An admin token has leaked", known={"TOKEN-ID": leaked["id"]}
        )
        assert status(leaked["token"]) == 401
        assert status(other["token"]) == 200
    assert "product.create" in deeds


def test_after_a_theft_of_the_signing_key_nothing_of_the_thief_is_left(
    own_vendor: Vendor, tmp_path: Path
) -> None:
    desk = desk_of(own_vendor)
    own_vendor.command("audit", "checkpoint", "-o", str(desk.folder / "audit-checkpoints.jsonl"))
    token = own_vendor.create_token()
    sold = own_vendor.sell("ada@example.com")
    assert own_vendor.trust.exists()  # made now, of the first key set
    shutil.copy(own_vendor.folder / "keyset.json", desk.folder / "keyset-before.json")
    with Service(own_vendor) as service:
        stolen = json.loads(own_vendor.command("keys", "list", "--json"))[0]["kid"]
        Follower(own_vendor, service.restart).follow(
            "The signing key may be stolen", {"STOLEN-KID": stolen}
        )
        desk.follow("The signing key has been stolen", known={"TOKEN-ID": token["id"]})
        customer = Customer(
            tmp_path / "c", service.server.url, own_vendor.ca, own_vendor.trust, sold
        )
        customer.activate()
        assert customer.status()["state"] == "ACTIVE"
    assert token["id"] in own_vendor.command("token", "list")


def test_a_lost_database_of_licenses_comes_back(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    lost, empty = new_database(), new_database()
    (tmp_path / "v").mkdir()
    tls = issue_certificate(tmp_path / "v")
    vendor = Vendor(tmp_path / "v" / "vendor", tls, {"DATABASE_URL": lost})
    vendor.create_product()
    sold = vendor.sell("ada@example.com")
    desk_of(vendor).follow("The database is lost")
    shutil.rmtree(vendor.folder)
    asyncio.run(execute(lost, "DROP SCHEMA public CASCADE"))

    desk_of(vendor, DATABASE_URL=empty).follow("The database is lost", 1)

    vendor.folder = vendor.folder.parent / "restored"
    vendor.settings = {"DATABASE_URL": empty}
    with vendor.serving() as server:
        customer = Customer(tmp_path / "c", server.url, vendor.ca, vendor.trust, sold)
        customer.activate()
        assert customer.status()["state"] == "ACTIVE"


def test_a_lost_database_of_a_data_api_comes_back_with_its_keys(
    customer: Customer, new_database: Callable[..., str], tmp_path: Path
) -> None:
    with DataApi(customer) as api:
        key = customer.create_key(api.server, "shop", "anon")
    desk = Desk(tmp_path, {**os.environ, **customer.environment})
    desk.follow("The database is lost", 2)
    restored = replace(customer, database_url=new_database())
    Desk(tmp_path, {**os.environ, **restored.environment}).follow("The database is lost", 3)
    with DataApi(restored) as api:
        assert api.status("/rest/v1/books", headers={"apikey": key}) == 200


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL that asks for passwords."""
    with own_cluster() as cluster, asking_for_passwords(cluster):
        yield cluster


@pytest.fixture
def provisioned(cluster: Cluster) -> Provisioned:
    """Make a database whose schema has login roles of its own."""
    provisioned = Provisioned(cluster)
    provisioned.execute(
        f"ALTER DATABASE {provisioned.name} OWNER TO CURRENT_USER;"
        f"GRANT CONNECT, CREATE ON DATABASE {provisioned.name} TO {ADMIN}"
    )
    provisioned.run("provision", "shop")
    return provisioned


def served(customer: Customer, provisioned: Provisioned, **extra: str) -> Customer:
    """Have a customer's service work on that database."""
    environment = {"PROVISION_DATABASE_URL": provisioned.url, **extra}
    return replace(
        customer, database_url=provisioned.url, encryption_key=ROOT_SECRET, extra=environment
    )


def test_a_leaked_encryption_key_opens_nothing_any_more(
    provisioned: Provisioned, customer: Customer, tmp_path: Path
) -> None:
    previous = tmp_path / f"{KEY_FILE}_previous"
    (tmp_path / KEY_FILE).write_text(ROOT_SECRET)
    files = {
        "LICENSE_ENCRYPTION_KEY": "",
        "LICENSE_ENCRYPTION_KEY_FILE": str(tmp_path / KEY_FILE),
        "LICENSE_ENCRYPTION_KEY_PREVIOUS_FILE": "",
    }
    customer = served(customer, provisioned, **files)
    shutil.rmtree(customer.folder)
    sold = ("--key", customer.sold.key, "--email", customer.sold.email)
    assert customer.run("db-api", "activate-license", *sold).returncode == 0
    files |= {"LICENSE_KEY": "", "LICENSE_EMAIL": ""}
    customer = replace(customer, extra={**customer.extra, **files})
    stolen = shutil.copytree(customer.folder, tmp_path / "stolen")
    with DataApi(customer) as api:
        key = customer.create_key(api.server, "shop", "anon")

        def restart() -> None:
            files["LICENSE_ENCRYPTION_KEY_PREVIOUS_FILE"] = str(previous) * previous.exists()
            api.change(replace(customer, extra={**customer.extra, **files}))
            assert api.status("/rest/v1/items", headers={"apikey": key}) == 200

        environment = {**os.environ, **customer.environment}
        environment["LICENSE_ENCRYPTION_KEY_PREVIOUS_FILE"] = str(previous)
        Desk(tmp_path, environment, restart).follow("The encryption key has leaked")

    with pytest.raises(DataApiError):
        provisioned.logins()  # by the leaked key
    named = {"LICENSE_KEY": customer.sold.key, "LICENSE_EMAIL": customer.sold.email}
    owner = replace(customer, extra={**files, **named})
    thief = replace(owner, extra={}, server_url=NOWHERE)
    assert replace(thief, folder=stolen).status()["usable"]
    assert not thief.status()["usable"]
    assert replace(owner, server_url=NOWHERE).status()["usable"]


def test_who_broke_into_the_database_is_out(
    provisioned: Provisioned, customer: Customer, tmp_path: Path
) -> None:
    customer = served(customer, provisioned)
    shutil.rmtree(customer.folder)
    customer.activate()
    known = provisioned.logins()
    environment = {**os.environ, **customer.environment}
    with DataApi(customer) as api:
        added = customer.create_key(api.server, "shop", "service_role")
        kept = customer.create_key(api.server, "shop", "anon")
        (id_,) = (id_ for (id_,) in provisioned.fetch(KEY_ID.format(prefix=added[:8])))

        def restart() -> None:
            url = provisioned.url_of(ADMIN, NEW_PASSWORD)
            environment.update(DATABASE_URL=url, PROVISION_DATABASE_URL=url)
            api.change(replace(customer, database_url=url))

        try:
            Desk(tmp_path, environment, restart).follow(
                "The database has been broken into",
                known={"SERVING-LOGIN": ADMIN, "KEY-ID": str(id_)},
                stdin=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n",
            )
            for url in (provisioned.url, *known.values()):
                with pytest.raises(asyncpg.InvalidPasswordError):
                    provisioned.fetch("SELECT 1", url)
            api.wait_until_refused(added)
            assert api.status("/rest/v1/items", headers={"apikey": kept}) == 200
        finally:
            provisioned.execute(f"ALTER ROLE {ADMIN} PASSWORD '{ADMIN_PASSWORD}'")


def test_who_broke_into_the_database_of_licenses_is_out(own_vendor: Vendor) -> None:
    desk = desk_of(own_vendor)
    own_vendor.command("audit", "checkpoint", "-o", str(desk.folder / "audit-checkpoints.jsonl"))
    stolen, good = own_vendor.create_token(), own_vendor.sell("ada@example.com")
    unsold = own_vendor.sell("eve@example.com")
    known = {"TOKEN-ID": stolen["id"], "LICENSE-ID": unsold.license_id, "DATE": "2020-01-01"}
    desk.follow("The database has been broken into", 1, known)
    with own_vendor.serving() as server:
        assert code_of(own_vendor, server, good) == "VALID"
        assert code_of(own_vendor, server, unsold) == "REVOKED"


def code_of(vendor: Vendor, server: RunningServer, sold: Sold) -> str:
    """Ask a license server for a license."""
    answer = httpx.post(
        f"{server.url}/v1/licenses/activate",
        content=body(license_key=sold.key, email=sold.email),
        headers={"Content-Type": "application/json"},
        verify=ssl.create_default_context(cafile=vendor.ca),
    )
    return str(answer.json()["code"])
