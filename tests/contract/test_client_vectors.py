"""The golden vectors, run through the client: what it takes and why it refuses the rest."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from license_client import (
    CacheUnreadableError,
    DecisionRejectedError,
    EmailMalformedError,
    KeyMalformedError,
    KeySetRejectedError,
    LicenseError,
    OfflineError,
    __version__,
)
from license_client._cache import Document, EncryptionKey, KeyRing, read_document, write_document
from license_client._clock import Deadline, Reading
from license_client._conversation import Conversation
from license_client._credentials import Credentials, Email, check_symbols, read_email, read_key
from license_client._decision import Decision, Lease, Terms
from license_client._json import from_base64url
from license_client._keyset import Trust, extend, load_anchor, resume
from license_client._license_file import write_file_request
from license_client._placement import with_file
from license_client._settings import Settings, build_settings
from license_client._snapshot import Snapshot, take_snapshot
from license_client._store import Content
from license_client._transport import TlsFiles
from license_client._verify import Question, verify_decision
from license_client._wiring import HttpTransport
from license_client.policy import (
    HighWater,
    Mark,
    Stored,
    is_skewed,
    raised_high_water,
    state_of,
    time_of,
)
from license_client.testing.clock import FixedClock
from license_client.testing.simulator import Simulator, reply
from license_client.testing.vendor import compact
from support.client_machine import machine_of

VECTORS = Path(__file__).parents[2] / "license_server" / "wire" / "vectors"
ERRORS: dict[str, type[LicenseError]] = {
    error.code: error
    for error in (
        CacheUnreadableError,
        DecisionRejectedError,
        EmailMalformedError,
        KeyMalformedError,
        KeySetRejectedError,
    )
}
Case = dict[str, Any]
INSTALLED = Reading(wall=1_800_000_000, boottime=7, boot="boot")


def document(name: str) -> Case:
    read: Case = json.loads((VECTORS / f"{name}.json").read_text())
    return read


def cases(name: str, section: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", document(name)[section], ids=lambda case: case["name"])


def refusal(case: Case) -> "pytest.RaisesExc[LicenseError]":
    """Expect the very refusal that a vector names."""
    return pytest.raises(
        ERRORS[case["reason"]],
        check=lambda error: type(error) is ERRORS[case["reason"]] and error.rule == case["detail"],
    )


# Keys and emails


@cases("key", "accepted")
def test_a_key_is_read_as_its_30_symbols(case: Case) -> None:
    assert read_key(case["input"]).reveal() == case["canonical"]


@cases("key", "made")
def test_the_check_symbols_are_the_vendors(case: Case) -> None:
    assert check_symbols(case["random"].encode()) == case["check"]


@cases("key", "refused")
def test_what_is_no_key_is_refused(case: Case) -> None:
    with refusal(case):
        read_key(case["input"])


@cases("email", "accepted")
def test_an_email_is_read_in_its_canonical_form(case: Case) -> None:
    assert read_email(case["input"]) == case["canonical"]


@cases("email", "refused")
def test_what_is_no_email_is_refused(case: Case) -> None:
    with refusal(case):
        read_email(case["input"])


# Key sets and decisions


def take_in(case: Case) -> Trust:
    return extend(resume(load_anchor(compact(case["trust"])), case["stored"]), case["offered"])


@cases("keyset", "accepted")
def test_a_chain_of_key_sets_leads_to_the_newest(case: Case) -> None:
    current = take_in(case).current
    assert (current.epoch, current.threshold, list(current.roots)) == (
        case["epoch"],
        case["threshold"],
        case["roots"],
    )
    assert list(current.keys) == list(case["keys"])
    assert [kid for kid, key in current.keys.items() if key.revoked] == [
        kid for kid, status in case["keys"].items() if status == "revoked"
    ]


@cases("keyset", "accepted")
def test_what_is_kept_of_a_chain_leads_to_the_same_set(case: Case) -> None:
    taken = take_in(case)
    assert resume(load_anchor(compact(case["trust"])), taken.documents) == taken


@cases("keyset", "refused")
def test_a_key_set_that_breaks_a_rule_is_refused(case: Case) -> None:
    with refusal(case):
        take_in(case)


def verified(case: Case) -> Decision:
    trust = extend(load_anchor(compact(document("decision")["trust"])), case["offered"])
    return verify_decision(
        case["token"],
        key_set=trust.current,
        product=case["product"],
        credentials=Credentials(read_key(case["key"]), Email(case["email"])),
        question=Question(case["operation"], case["body"].encode(), case["instance_id"])
        if case["operation"]
        else None,
    )


@cases("decision", "accepted")
def test_a_decision_is_read_as_it_was_signed(case: Case) -> None:
    claims, decision = case["claims"], verified(case)
    assert (decision.valid, decision.code, decision.license_id) == (
        claims["val"],
        claims["code"],
        claims["sub"],
    )
    assert decision.issued_at == claims["iat"]
    assert decision.lease == (Lease(claims["exp"], claims["grc"]) if claims["val"] else None)
    assert decision.terms == terms_of(claims)


def terms_of(claims: Case) -> Terms | None:
    if "st" not in claims:
        return None
    entitlements = tuple(claims["ent"])
    return Terms(
        claims["st"], claims["kind"], claims["lex"], claims["rgr"], entitlements, claims["lim"]
    )


@cases("decision", "refused")
def test_a_decision_that_breaks_a_rule_is_refused(case: Case) -> None:
    with refusal(case):
        verified(case)


# License files


def machine_of_case(case: Case) -> Settings:
    return build_settings(
        {
            "product": case["product"],
            "trust": compact(document("license-file")["trust"]),
            "license_key": case["key"],
            "email": case["email"],
        }
    )


def cached_before(case: Case, settings: Settings) -> Snapshot:
    """Return what the machine of a case knows: its chain of key sets, its id, its decision."""
    if case["instance_id"] is None:
        assert not case["known"]
        cached = None
    else:
        cached = Document(case["stored"], tuple(case["known"]), case["instance_id"], None, None)
    return take_snapshot(settings, Content(None, cached), INSTALLED)


def installed(case: Case) -> Document | None:
    settings, text = machine_of_case(case), case["text"].encode().ljust(case["padded_to"])
    known = cached_before(case, settings)
    assert settings.credentials is not None
    assert (known.stored is None) == (case["stored"] is None)
    return with_file(text, settings, settings.credentials, INSTALLED, known)


@cases("license-file", "accepted")
def test_a_license_file_is_installed(case: Case) -> None:
    settings, claims, after = machine_of_case(case), case["claims"], installed(case)
    if after is None:  # the very file that was there
        after = cached_before(case, settings).document
    else:
        assert after.received is None
        assert after.high_water == HighWater(claims["iat"], Mark("boot", 7))
    stored = take_snapshot(settings, Content(None, after), INSTALLED).stored
    assert stored is not None
    decision = stored.decision
    assert (decision.valid, decision.is_filed, decision.instance_id) == (True, True, claims["ins"])
    assert (decision.issued_at, decision.lease) == (claims["iat"], (claims["exp"],) * 2)
    assert (decision.license_id, decision.terms) == (claims["sub"], terms_of(claims))


@cases("license-file", "refused")
def test_a_license_file_that_breaks_a_rule_is_refused(case: Case) -> None:
    with refusal(case):
        installed(case)


def test_a_request_for_a_license_file_is_one_that_servers_read() -> None:
    vectors = document("file-request")
    case = vectors["accepted"][0]
    asked = case["read"]
    credentials = Credentials(read_key(vectors["key"]), Email(asked["email"]))
    written = write_file_request(asked["product"], credentials, asked["instance_id"])
    ours, theirs = (f'"version":"{v}"' for v in (__version__, asked["client"]["version"]))
    assert written.replace(ours, theirs) == case["text"]


# Cache


def keys_of(case: Case) -> KeyRing:
    current, previous = (
        EncryptionKey(bytes.fromhex(case[name])) if case.get(name) else None
        for name in ("encryption_key", "previous_encryption_key")
    )
    return KeyRing(current, previous)


def file_of(case: Case) -> bytes:
    data: bytes = case["file"].encode()
    return data.ljust(case["padded_to"])


def as_members(document: Document) -> Case:
    """Write a document without sealing it, as JSON has it."""
    members: Case = json.loads(write_document(document, KeyRing()))["doc"]
    return members


@cases("cache", "accepted")
def test_a_cache_file_is_read_as_it_was_written(case: Case) -> None:
    loaded = read_document(file_of(case), keys_of(case))
    members = as_members(loaded.document)
    assert members == {name: case["document"][name] for name in members}
    assert loaded.outdated == case["rewrite"]


@cases("cache", "accepted")
def test_a_cache_file_that_is_written_again_is_read_by_the_current_key(case: Case) -> None:
    keys = keys_of(case)
    document = read_document(file_of(case), keys).document
    written = write_document(document, keys)
    again = read_document(written, keys._replace(previous=None))
    assert (again.document, again.outdated) == (document, False)


@cases("cache", "refused")
def test_a_cache_file_that_breaks_a_rule_is_refused(case: Case) -> None:
    with refusal(case):
        read_document(file_of(case), keys_of(case))


# State machine


def mark_in(members: Case) -> Mark:
    return Mark(members["boot"], members["boottime"])


def stored_in(cached: Case) -> Stored:
    claims, received, high_water = cached["decision"], cached["received"], cached["high_water"]
    valid = claims["val"]
    decision = Decision(
        version=1,
        issuer="",
        product="",
        license_id="lic_",
        issued_at=claims["iat"],
        refresh_at=claims["iat"],
        request="",
        instance_id="",
        key_binding="",
        owner_binding="",
        code=claims["code"],
        warnings=(),
        lease=Lease(claims["exp"], claims["grc"]) if valid else None,
        terms=Terms("active", claims["kind"], claims["lex"], claims["rgr"], (), {})
        if valid
        else None,
        key_set_epoch=1,
    )
    return Stored(
        decision,
        mark_in(received) if received else None,
        HighWater(high_water["at"], mark_in(high_water)) if high_water else None,
    )


@cases("state", "accepted")
def test_the_state_follows_from_the_decision_and_the_time(case: Case) -> None:
    stored, now = stored_in(case["cached"]) if case["cached"] else None, Reading(**case["now"])
    state = state_of(stored, now)
    assert (state, state.usable) == (case["state"], case["usable"])
    assert (time_of(stored, now) if stored else None) == case["t"]
    assert (is_skewed(stored, now) if stored else False) == case["clock_skew"]


@cases("state", "high_water")
def test_the_high_water_mark_is_recorded_by_the_rules(case: Case) -> None:
    stored, now = stored_in(case["cached"]), Reading(**case["now"])
    raised = raised_high_water(stored, now, wall_agrees=case["wall_agrees"])
    recorded = case["recorded"]
    expected = HighWater(recorded["at"], mark_in(recorded)) if recorded else None
    assert raised == expected


# Answers and what stands in their place


class Saying(httpx.BaseTransport):
    """A server that says the same to everything."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - whatever it is
        body = from_base64url(self._case["body_base64url"]).ljust(self._case["padded_to"])
        return reply(self._case["status"], body, self._case["headers"])


@cases("problem", "offline")
def test_every_unsigned_answer_means_offline(case: Case) -> None:
    decision = document("decision")
    settings = build_settings({"product": "db-api", "trust": compact(decision["trust"])})
    transport = HttpTransport("https://license.example", TlsFiles(), Saying(case))
    known = decision["accepted"][0]
    credentials = Credentials(read_key(known["key"]), Email(known["email"]))
    conversation = Conversation(settings, transport, settings.anchor, Deadline(5.0))
    with pytest.raises(OfflineError) as caught:
        conversation.ask("validate", credentials, known["instance_id"])
    assert caught.value.retry_after_seconds == case["retry_after_seconds"]


def fits(value: object, schema: str) -> None:
    text = (VECTORS.parent / "schemas" / f"{schema}.json").read_text()
    Draft202012Validator(json.loads(text)).validate(value)


def test_what_the_client_sends_and_keeps_fits_the_published_schemas(tmp_path: Path) -> None:
    server = Simulator(FixedClock())
    machine = machine_of(server.sell(), server, tmp_path)
    machine.start(app_version="1.2.3", deployment_name="Büro").activate()
    fits(server.requests[0].members, "license-request")
    fits(json.loads(machine.cache.read_bytes()), "cache-file")
