"""The golden vectors, run through the license server."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from license_server import base64url, self_service
from license_server.audit import Head
from license_server.checkpoints import CheckpointSigner, read_checkpoint
from license_server.cli.file_request import read_file_request
from license_server.decisions import Binding, Origin, claims_of, encode_claims
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, KeyMalformed, LicenseServerError
from license_server.evaluation import Found, Operation, Seat, evaluate
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeySetRejected, SignedKeySet
from license_server.license_files import (
    FORMAT,
    FileOrder,
    LicenseFileIssuer,
    armored,
    file_claims,
)
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind, License, Standing
from license_server.messages import read_request
from license_server.problems import render
from license_server.products import Policy
from license_server.sealing import Pepper
from license_server.service import Presented
from license_server.signing import (
    DECISION,
    LICENSE_FILE,
    CompactRejected,
    CompactSigner,
    SigningKey,
)

VECTORS = Path(__file__).parents[2] / "license_server" / "wire" / "vectors"
Case = dict[str, Any]


def document(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return read


def cases(name: str, section: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", document(name)[section], ids=lambda case: case["name"])


@cases("key", "accepted")
def test_a_key_is_read_as_its_30_symbols(case: Case) -> None:
    assert LicenseKey.parse(case["input"]).symbols == case["canonical"]


@cases("key", "refused")
def test_what_is_no_key_is_refused(case: Case) -> None:
    with pytest.raises(KeyMalformed):
        LicenseKey.parse(case["input"])


@cases("key", "made")
def test_a_key_is_shown_and_looked_up_in_one_way(case: Case) -> None:
    key = LicenseKey(case["random"] + case["check"])
    assert LicenseKey.parse(case["printed"]) == key
    assert key.reveal(case["prefix"]) == case["printed"]
    assert Pepper("p", bytes.fromhex(case["pepper"])).key_mac(key).hex() == case["lookup"]


@cases("email", "accepted")
def test_an_email_is_read_in_its_canonical_form(case: Case) -> None:
    assert Email.parse(case["input"]).address == case["canonical"]


@cases("email", "refused")
def test_what_is_no_email_is_refused(case: Case) -> None:
    with pytest.raises(InvalidField):
        Email.parse(case["input"])


@cases("email", "indexed")
def test_an_email_is_indexed_in_one_way(case: Case) -> None:
    email, pepper = Email(case["canonical"]), Pepper("p", bytes.fromhex(case["pepper"]))
    assert pepper.email_index(email).hex() == case["index"]
    assert pepper.domain_index(email).hex() == case["domain_index"]


@cases("request", "accepted")
def test_a_request_is_read(case: Case) -> None:
    read, expected = read_request(Operation.VALIDATE, body_of(case)), case["read"]
    assert read.key.symbols == expected["license_key"]
    assert read.email.address == expected["email"]
    assert read.product == expected["product"]
    assert read.instance_id == expected["instance_id"]
    assert read.client_version == expected["client"]["version"]
    assert read.keyset_epoch == expected["keyset_epoch"]
    assert read.deployment_name == expected.get("deployment_name")


@cases("request", "refused")
def test_a_request_is_refused_with_the_code_of_its_mistake(case: Case) -> None:
    with pytest.raises(LicenseServerError) as refusal:
        read_request(Operation.VALIDATE, body_of(case))
    assert refusal.value.code == case["reason"]
    if isinstance(refusal.value, InvalidField):
        assert {error.field.split(".")[0] for error in refusal.value.errors} == {case["detail"]}


def body_of(case: Case) -> bytes:
    if "body" in case:
        return str(case["body"]).encode()
    return base64url.decode(case["body_base64url"])


@cases("problem", "accepted")
def test_a_problem_is_rendered_in_the_one_form(case: Case) -> None:
    expected = case["document"]
    problem = render(error_of(case["code"]), expected["request_id"])
    rendered = json.loads(problem.body)
    assert list(rendered) == list(expected)
    for member in ("type", "status", "code", "request_id"):
        assert rendered[member] == expected[member]


def error_of(code: str) -> LicenseServerError:
    if code == InvalidField.code:
        return InvalidField(FieldError("client.version", "a version is expected"))
    kind = type("Example", (LicenseServerError,), {"code": code})
    error: LicenseServerError = kind("what was wrong")
    return error


def chain_of(case: Case) -> KeySetHistory:
    """Walk from the shipped set over those that are not older to the offered ones."""
    trust = SignedKeySet.read(case["trust"])
    stored = [SignedKeySet.read(entry) for entry in case["stored"]]
    newer = [s for s in stored if s.content.epoch >= trust.content.epoch]
    return KeySetHistory([trust, *newer, *map(SignedKeySet.read, case["offered"])])


@cases("keyset", "accepted")
def test_a_chain_of_key_sets_ends_at_its_newest(case: Case) -> None:
    newest = chain_of(case).newest.content
    assert newest.epoch == case["epoch"]
    assert newest.threshold == case["threshold"]
    assert [root.kid for root in newest.roots] == case["roots"]
    assert {key.kid: key.status.value for key in newest.keys} == case["keys"]


@cases("keyset", "refused")
def test_a_chain_that_no_client_would_walk_is_refused(case: Case) -> None:
    with pytest.raises(KeySetRejected):
        chain_of(case)


def found_in(case: Case, presented: Presented) -> Found | None:
    stored = case["license"]
    if stored is None:
        return None
    found = stored_in(case)
    return replace(found, email_matches=presented.email.address == stored["email"])


def stored_in(case: Case) -> Found:
    stored, policy = case["license"], case["policy"]
    is_trial = stored["kind"] == "trial"
    return Found(
        license=License(
            license_id=stored["id"],
            product=stored["product"],
            kind=Kind(stored["kind"]),
            standing=Standing(stored["standing"]),
            issued_at=instant(stored["starts_at"]),
            starts_at=instant(stored["starts_at"]),
            expires_at=stored["expires_at"] and instant(stored["expires_at"]),
            trial=timedelta(days=14) if is_trial else None,
            renewal_grace=timedelta(seconds=stored["renewal_grace"]),
        ),
        policy=Policy(
            refresh=timedelta(seconds=policy["refresh"]),
            lease=timedelta(seconds=policy["lease"]),
            offline_grace=timedelta(seconds=policy["offline_grace"]),
            expiring_notices=(timedelta(seconds=policy["expiring_notice"]),),
            entitlements=tuple(policy["entitlements"]),
            limits=policy["limits"],
        ),
        email_matches=True,
        key_superseded_until=stored["key_superseded_until"]
        and instant(stored["key_superseded_until"]),
        seat=Seat.TAKEN,
    )


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@cases("issue", "accepted")
def test_a_decision_is_issued_to_the_byte(case: Case) -> None:
    vectors = document("issue")
    operation, now = Operation(case["operation"]), instant(case["now"])
    presented = read_request(operation, case["body"].encode())
    found = found_in(case, presented)
    verdict = evaluate(found, operation, presented.product, presented.client_version, now)
    binding = Binding(
        product=presented.product,
        instance_id=presented.instance_id,
        digest=presented.digest,
        key=presented.key,
        email=presented.email,
    )
    claims = claims_of(
        verdict, found, binding, Origin(vectors["iss"], case["jti"], vectors["kse"]), now
    )
    assert claims == case["claims"]
    key = SigningKey.from_seed(bytes.fromhex(vectors["signing"]["seed"]))
    assert CompactSigner(key, DECISION).sign(encode_claims(claims)) == case["token"]


def file_order(case: Case) -> FileOrder:
    stored = case["license"]
    return FileOrder(
        LicenseKey(stored["key"]),
        Email(stored["email"]),
        case["instance_id"],
        timedelta(seconds=case["lasts_seconds"]),
    )


@cases("license-file", "issued")
def test_a_license_file_is_issued_to_the_byte(case: Case) -> None:
    vectors = document("license-file")
    origin = Origin(vectors["iss"], case["jti"], vectors["kse"])
    claims = file_claims(stored_in(case), file_order(case), origin, instant(case["now"]))
    assert claims == case["claims"]
    key = SigningKey.from_seed(bytes.fromhex(vectors["signing"]["seed"]))
    token = CompactSigner(key, LICENSE_FILE).sign(encode_claims(claims))
    assert token == case["token"]
    keysets = KeySetHistory([SignedKeySet.read(vectors["trust"])])
    content = {"v": FORMAT, "keyset": keysets.above(0), "file": token}
    assert armored(content) == case["text"]


@cases("license-file", "issued")
def test_the_issuer_signs_what_the_vectors_say(case: Case) -> None:
    vectors = document("license-file")
    key = SigningKey.from_seed(bytes.fromhex(vectors["signing"]["seed"]))
    issuer = LicenseFileIssuer(key, KeySetHistory([SignedKeySet.read(vectors["trust"])]))
    text = issuer.issue(stored_in(case), file_order(case), instant(case["now"]))
    content = json.loads(base64.b64decode("".join(text.splitlines()[1:-1])))
    claims = json.loads(base64url.decode(content["file"].split(".")[1]))
    assert claims | {"jti": case["jti"]} == case["claims"]


@cases("license-file", "withheld")
def test_a_license_file_is_not_issued(case: Case) -> None:
    with pytest.raises(LicenseServerError) as refusal:
        file_claims(stored_in(case), file_order(case), Origin("ls", "jti", 1), instant(case["now"]))
    assert refusal.value.code == case["code"]


@cases("file-request", "accepted")
def test_a_request_for_a_license_file_is_read(case: Case) -> None:
    read = read_file_request(case["text"].encode().ljust(case["padded_to"]))
    members = read.model_dump()
    assert members == {name: case["read"][name] for name in members}


@cases("file-request", "refused")
def test_a_request_for_a_license_file_is_refused(case: Case) -> None:
    with pytest.raises(LicenseServerError) as refusal:
        read_file_request(case["text"].encode().ljust(case["padded_to"]))
    assert refusal.value.code == case["reason"]
    if isinstance(refusal.value, InvalidField):
        assert {error.field for error in refusal.value.errors} == {case["detail"]}


@cases("self-service", "accepted")
def test_a_customer_who_asks_is_read(case: Case) -> None:
    email, product = self_service.read_request(case["body"].encode())
    assert {"email": email.address, "product": product} == case["read"]


@cases("self-service", "refused")
def test_a_customer_who_asks_is_refused_with_the_code_of_the_mistake(case: Case) -> None:
    with pytest.raises(LicenseServerError) as refusal:
        self_service.read_request(case["body"].encode())
    assert refusal.value.code == case["reason"]
    if isinstance(refusal.value, InvalidField):
        assert {error.field for error in refusal.value.errors} == {case["detail"]}


def test_customers_get_the_one_answer() -> None:
    answer = document("self-service")["answer"]
    assert json.loads(self_service.ACCEPTED) == answer["document"]


@cases("checkpoint", "written")
def test_a_checkpoint_is_signed_to_the_byte(case: Case) -> None:
    key = SigningKey.from_seed(bytes.fromhex(document("checkpoint")["signing"]["seed"]))
    head = Head(case["seq"], bytes.fromhex(case["hash"]))
    assert CheckpointSigner(key, case["iss"]).sign(head, instant(case["now"])) == case["token"]


def checkpoint_keys() -> KeySetHistory:
    return KeySetHistory([SignedKeySet.read(document("checkpoint")["trust"])])


@cases("checkpoint", "accepted")
def test_a_checkpoint_is_read(case: Case) -> None:
    read, claims = read_checkpoint(case["token"], checkpoint_keys()), case["claims"]
    assert read.issuer == claims["iss"]
    assert read.head == Head(claims["seq"], bytes.fromhex(claims["hash"]))
    assert read.at == instant(claims["ts"])


@cases("checkpoint", "refused")
def test_a_checkpoint_that_breaks_a_rule_is_refused(case: Case) -> None:
    with pytest.raises(CompactRejected):
        read_checkpoint(case["token"], checkpoint_keys())
