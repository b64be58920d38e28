"""Events as an endpoint gets them: real TLS, real signatures, and no way to private addresses."""

import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvicorn
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.types import Receive, Scope, Send

from license_server.admin.licenses import Licenses
from license_server.admin.webhooks import OVERLAP, Webhooks
from license_server.errors import InvalidField, NotFound, StateConflict
from license_server.licenses import Change
from license_server.orders import Order
from license_server.repository.transaction import SqlRepository
from license_server.stores import OutboxKind, OutboxState
from license_server.webhooks.addresses import Address, is_public
from license_server.webhooks.sending import EventSender
from license_server.worker import Duties, Worker
from support.admin_api import Clock
from support.licensed_vendor import Vendor
from support.licensing import EMAIL
from support.tls import issue_certificate

pytestmark = pytest.mark.anyio

NAME = "hooks.example"


@dataclass
class Receiver:
    """A program of the vendor's that gets events over TLS."""

    port: int = 0
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.got.append(({k.decode(): v.decode() for k, v in scope["headers"]}, body))
        headers = [(b"location", b"https://127.0.0.1/"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    @asynccontextmanager
    async def serving(self, folder: Path) -> AsyncIterator[ssl.SSLContext]:
        import asyncio  # noqa: PLC0415 - for this server alone

        files = issue_certificate(folder, NAME)
        config = uvicorn.Config(
            self, port=0, ssl_certfile=files.cert, ssl_keyfile=files.key, lifespan="off",
            log_config=None,
        )  # fmt: skip
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        yield ssl.create_default_context(cafile=str(files.ca))
        server.should_exit = True
        await task


@dataclass
class House:
    """A vendor's server whose worker sends events to a receiver."""

    vendor: Vendor
    receiver: Receiver
    clock: Clock
    worker: Worker
    url: str

    async def subscribe(self, *events: str, url: str | None = None) -> tuple[str, str]:
        async with self.vendor.desk() as desk:
            made = await Webhooks(desk).create(url or self.url, events)
        return made.endpoint.endpoint_id, made.secret

    async def sell(self) -> str:
        async with self.vendor.desk() as desk:
            return (await Licenses(desk).issue(Order("db-api", EMAIL))).view.license.license_id

    async def deliveries(self) -> list[tuple[str, str, str | None]]:
        rows = await self.vendor.rows("SELECT topic, state, error FROM outbox ORDER BY created_at")
        return [(topic, state, error) for topic, state, error in rows]


async def to_loopback(_host: str, _port: int) -> Sequence[Address]:
    return [ip_address("127.0.0.1")]


@pytest.fixture
async def house(vendor: Vendor, tmp_path: Path) -> AsyncIterator[House]:
    receiver, clock = Receiver(), Clock()
    repository = SqlRepository(vendor.database)
    async with receiver.serving(tmp_path) as trusted:
        sender = EventSender(
            repository, vendor.vault, clock, tls=trusted, resolver=to_loopback,
            may_reach=lambda _address: True,
        )  # fmt: skip
        worker = Worker(
            repository, vendor.vault, Duties({OutboxKind.WEBHOOK: sender}, {}, ()), clock
        )
        yield House(vendor, receiver, clock, worker, f"https://{NAME}:{receiver.port}/events")


def verified(secret: str, got: tuple[dict[str, str], bytes]) -> dict[str, object]:
    """Return an event whose signature is good by the specification's own library."""
    headers, body = got
    import time_machine  # noqa: PLC0415 - the library looks at the clock itself

    with time_machine.travel(int(headers["webhook-timestamp"]), tick=False):
        return dict(Webhook(secret).verify(body, headers))


async def test_an_event_is_signed_and_holds_neither_key_nor_email(house: House) -> None:
    _, secret = await house.subscribe("license.issued")
    license_id = await house.sell()
    assert await house.worker.drain_once() == 1
    [got] = house.receiver.got
    event = verified(secret, got)
    assert (event["type"], event["data"]["id"]) == ("license.issued", license_id)  # type: ignore[index]  # JSON
    assert EMAIL.address not in got[1].decode()
    assert got[0]["host"] == f"{NAME}:{house.receiver.port}"
    with pytest.raises(WebhookVerificationError):
        verified(secret, (got[0], got[1] + b" "))


async def test_an_endpoint_gets_what_it_asked_for(house: House) -> None:
    await house.subscribe("license.revoked")
    license_id = await house.sell()
    await house.vendor.change_standing(license_id, Change.SUSPEND)
    await house.vendor.change_standing(license_id, Change.REVOKE)
    assert [topic for topic, _, _ in await house.deliveries()] == ["license.revoked"]
    await house.subscribe()
    await house.sell()
    assert len(await house.deliveries()) == 2


@pytest.mark.parametrize("status", [301, 400, 404, 500])
async def test_what_is_not_taken_is_sent_again_and_never_elsewhere(
    house: House, status: int
) -> None:
    await house.subscribe()
    await house.sell()
    house.receiver.status = status
    await house.worker.drain_once()
    assert await house.deliveries() == [
        ("license.issued", "pending", f"the endpoint answered {status}")
    ]
    house.clock.now += timedelta(seconds=5)
    house.receiver.status = 204
    await house.worker.drain_once()
    ids = [headers["webhook-id"] for headers, _ in house.receiver.got]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert (await house.deliveries())[0][1] == "done"


async def test_an_endpoint_that_is_gone_is_switched_off(house: House) -> None:
    endpoint_id, _ = await house.subscribe()
    await house.sell()
    house.receiver.status = 410
    await house.worker.drain_once()
    async with house.vendor.desk() as desk:
        endpoint = await Webhooks(desk).get(endpoint_id)
        assert (endpoint.disabled_at is None, endpoint.disabled_reason) == (
            False, "it answered 410",
        )  # fmt: skip
        with pytest.raises(StateConflict):
            await Webhooks(desk).test(endpoint)
        on = await Webhooks(desk).change(endpoint, is_enabled=True)
    assert on.disabled_at is None
    assert (await house.deliveries())[0][1] == "failed"


async def test_an_event_can_be_sent_again(house: House) -> None:
    endpoint_id, secret = await house.subscribe()
    await house.sell()
    await house.worker.drain_once()
    async with house.vendor.desk() as desk:
        endpoint = await Webhooks(desk).get(endpoint_id)
        [delivery] = await Webhooks(desk).deliveries(endpoint, None, 10)
        assert delivery.state is OutboxState.DONE
        await Webhooks(desk).replay(endpoint, delivery.entry_id)
        with pytest.raises(NotFound):
            await Webhooks(desk).replay(endpoint, "out_x")
    async with house.vendor.desk() as desk:
        with pytest.raises(StateConflict, match="still"):
            await Webhooks(desk).replay(endpoint, delivery.entry_id)
    await house.worker.drain_once()
    first, second = (verified(secret, got) for got in house.receiver.got)
    assert first == second


async def test_during_an_overlap_both_secrets_sign(house: House) -> None:
    endpoint_id, old = await house.subscribe()
    async with house.vendor.desk() as desk:
        made = await Webhooks(desk).rotate_secret(await Webhooks(desk).get(endpoint_id))
    await house.sell()
    await house.worker.drain_once()
    for secret in (old, made.secret):
        verified(secret, house.receiver.got[0])
    house.clock.now += OVERLAP
    await house.sell()
    await house.worker.drain_once()
    verified(made.secret, house.receiver.got[1])
    with pytest.raises(WebhookVerificationError):
        verified(old, house.receiver.got[1])


async def test_secrets_are_sealed_in_the_database(house: House) -> None:
    _, secret = await house.subscribe()
    [(sealed,)] = await house.vendor.rows("SELECT secret_sealed FROM webhook_endpoints")
    assert secret.encode() not in bytes(sealed)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"],
)  # fmt: skip
async def test_no_event_goes_to_a_private_address(house: House, address: str) -> None:
    async def resolver(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address("93.184.215.14"), ip_address(address)]

    assert not is_public(ip_address(address))
    await house.subscribe()
    await house.sell()
    repository = SqlRepository(house.vendor.database)
    sender = EventSender(repository, house.vendor.vault, house.clock, resolver=resolver)
    worker = Worker(
        repository, house.vendor.vault, Duties({OutboxKind.WEBHOOK: sender}, {}, ()), house.clock
    )
    await worker.drain_once()
    [(_, _, error)] = await house.deliveries()
    assert "private address" in str(error)
    assert house.receiver.got == []


def test_public_addresses_are_public() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert is_public(ip_address(address))


async def test_a_certificate_of_another_name_is_not_believed(house: House) -> None:
    await house.subscribe(url=f"https://other.example:{house.receiver.port}/")
    await house.sell()
    await house.worker.drain_once()
    [(_, state, error)] = await house.deliveries()
    assert (state, error) == ("pending", "the endpoint cannot be reached: ConnectError")
    assert house.receiver.got == []


@pytest.mark.parametrize(
    "url",
    ["", "http://hooks.example/", "https://", "https://u:p@hooks.example/", "https://127.0.0.1/",
     "https://[::1]/", "https://hooks.example/#x", "https://hooks.example:0/", "ftp://x",
     "https://hooks.example:99999/", "https://h\u00e9.example/", "https://a b.example/",
     "https://hooks.example/" + "x" * 2048],
)  # fmt: skip
async def test_an_address_that_is_no_https_of_a_public_host_is_refused(
    vendor: Vendor, url: str
) -> None:
    async with vendor.desk() as desk:
        with pytest.raises(InvalidField, match="url"):
            await Webhooks(desk).create(url, ())
        with pytest.raises(InvalidField, match="events"):
            await Webhooks(desk).create("https://hooks.example/", ("license.sold",))


async def test_the_body_is_one_compact_object(house: House) -> None:
    await house.subscribe()
    await house.sell()
    await house.worker.drain_once()
    body = house.receiver.got[0][1]
    assert json.dumps(json.loads(body), separators=(",", ":")).encode() == body
