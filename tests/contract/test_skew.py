"""Versions that differ: what each released one has sent is understood by today's other side."""

import json
from pathlib import Path
from typing import Any

import pytest

import license_client
import license_server._version
from license_client import CacheUnreadableError, ConfigurationError, RejectedError, State
from license_client._cache import Document, EncryptionKey, KeyRing, read_document
from license_client._clock import Deadline, Reading
from license_client._conversation import Conversation
from license_client._credentials import Credentials
from license_client._keyset import extend
from license_client._placement import Answer, with_file
from license_client._settings import Settings, build_settings
from license_client._snapshot import Snapshot, take_snapshot
from license_client._store import Content
from license_client._transport import Call, Reply
from license_client.policy import state_of
from license_client.testing.clock import FixedClock
from license_client.testing.simulator import Simulator
from license_client.testing.vendor import armored, compact, sign_key_set, unb64
from license_server import base64url
from license_server.checkpoints import read_checkpoint
from license_server.cli.file_request import read_file_request
from license_server.errors import InvalidField
from license_server.evaluation import Operation
from license_server.keysets import KeySetRejected, SignedKeySet
from license_server.messages import read_request
from license_server.signing import AUDIT_CHECKPOINT, CompactRejected, CompactSigner, SigningKey
from support.client_machine import Machine, machine_of
from support.license_api import LicenseApi
from support.licensing import NOW, SIGNER, a_history, claims_in, key_set, unix
from support.switches import claiming

FOLDERS = sorted((Path(__file__).parent / "skew").iterdir())
UNKNOWN = {"new": {"deep": [None, {"er": 1}]}}
THEN = Reading(wall=unix(NOW), boottime=1_000, boot="boot")
Json = dict[str, Any]
each_version = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def recorded(folder: Path) -> Json:
    read: Json = json.loads((folder / "recorded.json").read_text())
    return read


def settings_of(said: Json, **changes: Any) -> Settings:
    return build_settings(
        {
            "product": said["product"],
            "trust": said["trust"].encode(),
            "license_key": said["license_key"],
            "email": said["email"],
            "encryption_key": said["encryption_key"],
            **changes,  # type: ignore[typeddict-item]  # options by name
        }
    )


def credentials_in(settings: Settings) -> Credentials:
    assert settings.credentials is not None
    return settings.credentials


def test_what_the_versions_of_today_say_is_recorded() -> None:
    versions = {folder.name for folder in FOLDERS}
    assert {license_client.__version__, license_server._version.__version__} <= versions


# Today's client


class Answering:
    """A way to a server that says what was recorded."""

    def __init__(self, body: bytes) -> None:
        self._reply = Reply(200, body, None)

    def send(self, call: Call, deadline: Deadline) -> Reply:  # noqa: ARG002 - whatever is asked
        return self._reply


def answered(
    said: Json, exchange: Json, answer: Json, monkeypatch: pytest.MonkeyPatch
) -> tuple[Answer, Conversation]:
    """Have today's client ask what was asked then, nonce and all, and read the answer."""
    monkeypatch.setattr(
        "license_client._conversation.write_request", lambda *_: exchange["request"].encode()
    )
    settings = settings_of(said, email=exchange["email"])
    conversation = Conversation(
        settings, Answering(compact(answer)), settings.anchor, Deadline(1.0)
    )
    told = conversation.ask(exchange["operation"], credentials_in(settings), said["instance_id"])
    return told, conversation


@each_version
@pytest.mark.parametrize("more", [{}, UNKNOWN], ids=["as recorded", "with unknown members"])
def test_the_client_takes_the_recorded_answers(
    folder: Path, more: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = recorded(folder)
    for exchange in said["exchanges"].values():
        answer = json.loads(exchange["answer"])
        widened = {**answer, **more, "keyset": [{**each, **more} for each in answer["keyset"]]}
        told, conversation = answered(said, exchange, widened, monkeypatch)
        assert (told.decision.code, told.decision.valid) == (answer["code"], answer["valid"])
        assert conversation.trust.current.epoch == 2


def cached(said: Json, document: Document) -> Snapshot:
    return take_snapshot(settings_of(said), Content(None, document), THEN)


@each_version
def test_the_client_goes_on_from_the_recorded_cache(folder: Path) -> None:
    said = recorded(folder)
    keys = KeyRing(EncryptionKey(bytes.fromhex(said["encryption_key"])))
    clear = json.loads(said["cache"]["clear"])
    wider = {**clear, **UNKNOWN, "doc": {**clear["doc"], **UNKNOWN}}
    for file in (said["cache"]["sealed"].encode(), compact(clear), compact(wider)):
        known = cached(said, read_document(file, keys).document)
        assert state_of(known.stored, THEN) is State.ACTIVE
        assert known.trust.current.epoch == 2


@each_version
def test_the_client_installs_the_recorded_license_file(folder: Path) -> None:
    said = recorded(folder)
    settings = settings_of(said, instance_id=said["instance_id"])
    content = json.loads(unb64_of_lines(said["license_file"]))
    for file in (said["license_file"].encode(), armored(compact({**content, **UNKNOWN}))):
        nothing = take_snapshot(settings, Content(None, None), THEN)
        document = with_file(file, settings, credentials_in(settings), THEN, nothing)
        assert document is not None
        assert state_of(cached(said, document).stored, THEN) is State.ACTIVE


def unb64_of_lines(file: str) -> bytes:
    return base64url.decode(
        "".join(file.splitlines()[1:-1]).translate(str.maketrans("+/", "-_", "="))
    )


# Today's server


@each_version
@pytest.mark.anyio
@pytest.mark.parametrize("more", [{}, UNKNOWN], ids=["as recorded", "with unknown members"])
async def test_the_server_answers_the_recorded_requests(folder: Path, more: Json) -> None:
    said = recorded(folder)
    for exchange in said["exchanges"].values():
        body = exchange["request"].encode()
        if more:
            body = compact({**json.loads(body), **more})
        read = read_request(Operation(exchange["operation"]), body)
        assert (read.email.address, read.product) == (exchange["email"], said["product"])
        assert (read.instance_id, read.client_version) == (said["instance_id"], folder.name)
        response = await LicenseApi().post(exchange["operation"], body)
        assert response.status_code == 200
        assert claims_in(response.json()["decision"])["req"] == read.digest


@each_version
@pytest.mark.parametrize("more", [{}, UNKNOWN], ids=["as recorded", "with unknown members"])
def test_the_server_reads_the_recorded_request_for_a_file(folder: Path, more: Json) -> None:
    said = recorded(folder)
    read = read_file_request(compact({**json.loads(said["file_request"]), **more}))
    assert (read.email, read.product) == (said["email"], said["product"])
    assert said["license_key"].endswith(read.key_hint)


# A version that nobody knows yet says what to do


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    simulator = Simulator(FixedClock())
    return machine_of(simulator.sell(), simulator, tmp_path)


def test_a_later_decision_tells_to_update_the_program(machine: Machine) -> None:
    machine.simulator.switch = claiming(v=2)
    with pytest.raises(RejectedError, match="update the program") as caught:
        machine.start().activate()
    assert caught.value.rule == "version"
    assert "update the program" in machine.start(start_wait=1.0).start().message


def test_a_later_key_set_tells_to_update_the_program(machine: Machine) -> None:
    vendor = machine.simulator.vendor
    payload = {**json.loads(unb64(str(vendor.key_sets[0]["payload"]))), "v": 2}
    signed = sign_key_set(compact(payload), vendor.roots)
    with pytest.raises(RejectedError, match="update the program"):
        extend(build_settings(machine.options).anchor, [json.loads(compact(signed))])
    with pytest.raises(ConfigurationError, match="update the program"):
        machine.start(trust=compact(signed))


def test_a_later_license_file_tells_to_update_the_program(machine: Machine) -> None:
    with pytest.raises(RejectedError, match="update the program"):
        machine.start().install(armored(compact({"v": 2, "something": "else"})))


def test_a_later_cache_tells_to_update_the_program() -> None:
    with pytest.raises(CacheUnreadableError, match="update the program"):
        read_document(b'{"v":2}', KeyRing())


def test_a_later_request_for_a_file_tells_to_update_the_server() -> None:
    said = json.loads(recorded(FOLDERS[-1])["file_request"])
    with pytest.raises(InvalidField, match="update the license server"):
        read_file_request(compact({**said, "v": 2}))


def test_a_later_key_set_tells_to_update_the_server() -> None:
    content = key_set().model_copy(update={"v": 2})
    signed = SignedKeySet.sign(content, [SigningKey.from_seed(b"r" * 32)])
    with pytest.raises(KeySetRejected, match="update this one"):
        SignedKeySet.read(signed.document())


def test_a_later_checkpoint_tells_to_update_the_server() -> None:
    whole = key_set()
    uses = whole.keys[0].model_copy(update={"use": (*whole.keys[0].use, AUDIT_CHECKPOINT)})
    token = CompactSigner(SIGNER, AUDIT_CHECKPOINT).sign(b'{"v":2}')
    with pytest.raises(CompactRejected, match="update this one"):
        read_checkpoint(token, a_history(whole.model_copy(update={"keys": (uses,)})))
