"""Whatever answers instead of the license server: the license stays as it was."""

import threading
import traceback

import pytest

from license_client import (
    DecisionRejectedError,
    EmailMalformedError,
    KeySetRejectedError,
    LicenseError,
    OfflineError,
    State,
)
from license_client._credentials import read_email
from license_client._settings import build_settings
from license_client._verify import verify_decision
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import (
    License,
    Request,
    Simulator,
    Switch,
    reply,
    unreachable,
)
from license_client.testing.vendor import Pair, Vendor
from support.client_machine import Machine
from support.client_mutations import mutated
from support.switches import (
    claiming,
    decided,
    endless,
    hanging,
    replaying,
    saying,
    signing_with,
    swapping,
    to_operation,
    truncated,
)

REVOKED = b'{"revoked":true,"valid":false,"code":"REVOKED"}'

# threats.md N3, N4, N5, F1-F3: none of these is a signed answer.
UNSIGNED: dict[str, Switch] = {
    "nobody there": unreachable,
    "an unsigned refusal": saying(403, REVOKED),
    "an unsigned refusal with status 200": saying(200, REVOKED),
    "a server error": saying(500, b"oops"),
    "a bad gateway": saying(502, b"<html>bad gateway</html>"),
    "an overloaded server": saying(503, b"{}", retry_after="7"),
    "a captive portal": saying(200, b"<!doctype html><title>Sign in</title>"),
    "an empty answer": saying(200),
    "half an answer": truncated,
    "a redirect": saying(302, location="https://elsewhere.example/"),
    "a permanent redirect": saying(308, location="http://license.example/"),
    "garbage": saying(200, bytes(range(256))),
    "another encoding": saying(200, b"\x1f\x8b\x08\x00", content_encoding="gzip"),
    "more than anybody reads": endless,
    "a decision that is no text": saying(200, b'{"decision":{"valid":true}}'),
    "key sets that are no array": saying(200, b'{"decision":"x","keyset":{}}'),
    "a deep document": saying(200, b"[" * 60_000),
    "a long number": saying(200, b'{"decision":' + b"9" * 5_000 + b"}"),
}

# threats.md C6, C7, C11: signed by somebody, or for something else.
MISDIRECTED: dict[str, tuple[Switch, str]] = {
    "signed by a key of one's own": (signing_with(Pair("thief")), "kid-unknown"),
    "another request under the same nonce": (swapping(email="eve@example.com"), "request"),
    "forwarded to another operation": (to_operation("validate"), "request"),
    "for another product": (claiming(aud="other-product"), "audience"),
    "for another deployment": (claiming(ins="another"), "instance"),
    "for another key": (claiming(kb="A" * 43), "key-binding"),
    "for another owner": (claiming(own="A" * 43), "owner-binding"),
    "of another vendor": (claiming(iss="ls_other"), "issuer"),
    "of a later version": (claiming(v=2), "version"),
    "without the request": (claiming(req=...), "claims"),
    "without an end": (claiming(exp=...), "claims"),
    "with a truth that is a number": (claiming(val=1), "claims"),
    "with a fraction of a second": (claiming(iat=1.5), "json"),
    "for longer than may be": (claiming(grc=9_999_999_999), "times"),
    "with a code that does not go with it": (claiming(code="REVOKED"), "code"),
    "not a token at all": (lambda _server, _request: decided("x"), "segments"),
    "beyond ASCII": (lambda _server, _request: decided("é.é.é"), "not-ascii"),
    "longer than any decision": (lambda _server, _request: decided("x" * 8_193), "too-long"),
}


@pytest.mark.parametrize("switch", UNSIGNED.values(), ids=UNSIGNED)
def test_an_unsigned_answer_means_offline_and_nothing_more(
    machine: Machine, server: Simulator, switch: Switch
) -> None:
    client = machine.start()
    before = client.activate()
    server.switch = switch
    with pytest.raises(OfflineError):
        client.validate()
    assert client.status()._replace(notices=(), next_refresh_at=None) == before._replace(
        next_refresh_at=None
    )
    assert machine.start().status() == before


@pytest.mark.parametrize("switch", UNSIGNED.values(), ids=UNSIGNED)
def test_an_unsigned_answer_licenses_nobody(
    machine: Machine, server: Simulator, switch: Switch
) -> None:
    server.switch = switch
    client = machine.start()
    with pytest.raises(OfflineError):
        client.activate()
    assert client.status().state is State.UNLICENSED


@pytest.mark.parametrize(("switch", "rule"), MISDIRECTED.values(), ids=MISDIRECTED)
def test_a_decision_that_is_not_the_answer_to_our_request_is_rejected(
    machine: Machine, server: Simulator, switch: Switch, rule: str
) -> None:
    client = machine.start()
    before = client.activate()
    server.switch = switch
    with pytest.raises(DecisionRejectedError) as caught:
        client.activate()
    assert caught.value.rule == rule
    assert machine.start().status() == before


def test_yesterdays_yes_does_not_outlive_a_revocation(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    recorded = server.answers[0]
    server.change(license_, code="REVOKED")
    server.switch = replaying(recorded)
    with pytest.raises(DecisionRejectedError, match="request"):
        client.validate()
    machine.clock.advance(15 * DAY)
    assert client.status().state is State.OFFLINE_GRACE_EXCEEDED


def test_a_fake_server_with_keys_of_its_own_is_refused(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    genuine, server.vendor = (
        server.vendor,
        Vendor(roots=[Pair("fake root")], signer=Pair("fake online")),
    )
    server.vendor.publish()
    with pytest.raises(KeySetRejectedError):
        client.validate()
    assert client.status().usable
    server.vendor = genuine
    assert client.validate().usable


def test_a_server_that_hangs_is_left_at_the_deadline(machine: Machine, server: Simulator) -> None:
    released = threading.Event()
    machine.total_seconds = 0.2
    server.switch = hanging(released)
    with pytest.raises(OfflineError, match="no answer in time"):
        machine.start().activate()
    released.set()


def test_the_server_may_ask_to_be_left_alone_but_not_for_ever(
    machine: Machine, server: Simulator
) -> None:
    server.switch = saying(429, b'{"code":"RATE_LIMITED"}', retry_after="999999")
    with pytest.raises(OfflineError, match="429 RATE_LIMITED") as caught:
        machine.start().activate()
    assert caught.value.retry_after_seconds == HOUR


def test_an_error_never_shows_key_or_email(
    machine: Machine, server: Simulator, license_: License
) -> None:
    for switch in (*UNSIGNED.values(), *(switch for switch, _ in MISDIRECTED.values())):
        server.switch = switch
        with pytest.raises(LicenseError) as caught:
            machine.start().activate()
        assert license_.key not in str(caught.value)
        assert license_.email not in str(caught.value)


def test_a_traceback_never_shows_the_email(license_: License) -> None:
    typed = license_.email.replace("example", "s\u2665cret")
    with pytest.raises(EmailMalformedError) as caught:
        read_email(typed)
    assert "cret" not in "".join(traceback.format_exception(caught.value))


def test_of_2000_decisions_that_were_tampered_with_none_is_accepted(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    genuine = server.vendor.sign(server.decide(Request("validate", server.requests[0].body)))
    assert is_accepted(machine, genuine)
    forgeries = mutated(genuine, server.vendor, 2_000)
    assert [token for token in forgeries if is_accepted(machine, token)] == []


def is_accepted(machine: Machine, token: str) -> bool:
    settings = build_settings(machine.options)
    assert settings.credentials is not None
    try:
        verify_decision(
            token,
            key_set=settings.anchor.current,
            product=settings.product,
            credentials=settings.credentials,
        )
    except DecisionRejectedError:
        return False
    return True


def test_the_answer_is_read_whole_or_not_at_all(machine: Machine, server: Simulator) -> None:
    server.switch = lambda simulator, request: reply(200, simulator.answer(request).read() + b"{}")
    with pytest.raises(OfflineError):
        machine.start().activate()
