"""The decisions that every verifier accepts."""

from cases.actors import (
    BOUNDED,
    DAY,
    HOUR,
    KEY,
    NEXT,
    NOW,
    RETIRING,
    ROOT_A,
    SIGNER,
    TRUST_EPOCH,
    TRUST_KEYS,
    anonymous_no,
    call,
    key,
    keyset_payload,
    no,
    request,
    root,
    yes,
)
from cases.confirmed import Case
from cases.decision_case import CACHED, CALL, ONLINE, Told, accepted, changed
from reference import keyset
from reference.decision import ANONYMOUS_CODES, CODES, MAX_TOKEN_BYTES, Call, key_binding, token
from reference.encoding import JsonObject, compact

YES = yes(CALL)
NEXT_SET = keyset.signed(
    keyset_payload(TRUST_EPOCH + 1, [root(ROOT_A)], 1, [*TRUST_KEYS, key(NEXT)]), [ROOT_A]
)


def _signed(name: str, claims: JsonObject, told: Told = ONLINE) -> Case:
    return accepted(name, token(claims, SIGNER), claims, told)


def _codes() -> list[Case]:
    return [
        _signed(f"a signed {code}", (anonymous_no if code in ANONYMOUS_CODES else no)(code, CALL))
        for code in CODES
        if code != "VALID"
    ]


def _operations() -> list[Case]:
    activate, deactivate = call("activate"), call("deactivate")
    spaced = Call("validate", compact(request()).replace(",", " ,\n\t"), CALL.instance_id)
    named = call(body=compact(request(deployment_name="B\u00fcro 2 \u2013 \U0001f5a5")))
    return [
        _signed("VALID answers validate", YES),
        _signed("VALID answers activate", yes(activate), Told(activate)),
        _signed("DEACTIVATED answers deactivate", no("DEACTIVATED", deactivate), Told(deactivate)),
        _signed("the request is hashed as sent, white space included", yes(spaced), Told(spaced)),
        _signed("the request holds characters beyond ASCII", yes(named), Told(named)),
        _signed("read from the cache, no request is compared", YES, CACHED),
        _signed("a no read from the cache", no("REVOKED", CALL), CACHED),
    ]


def _licenses() -> list[Case]:
    trial = {"st": "trial", "kind": "trial", "lex": NOW + 2 * DAY, "grc": NOW + 2 * DAY}
    return [
        _signed("a trial", changed(YES, **trial)),
        _signed("a license for life", changed(YES, lex=None)),
        _signed("no entitlements and no limits", changed(YES, ent=[], lim={})),
        _signed("a limit of zero", changed(YES, lim={"seats": 0})),
        _signed("a limit of 2^53 - 1", changed(YES, lim={"bytes": 2**53 - 1})),
        _signed("an entitlement beyond ASCII", changed(YES, ent=["\u65e5\u672c"])),
        _signed("in renewal grace", changed(YES, lex=NOW - DAY, wrn=["RENEWAL_GRACE"])),
        _signed("every warning", changed(YES, wrn=["EXPIRING_SOON", "KEY_SUPERSEDED"])),
        _signed("a warning that is not known yet", changed(YES, wrn=["SOMETHING_NEW"])),
        _signed("a claim that is not known yet", {**YES, "new": {"deep": [[None, False]]}}),
        _signed("claims in another order", dict(reversed(list(YES.items())))),
        _signed("about another license of the owner", _about("lic_" + "7" * 26)),
        _signed("no renewal grace", changed(YES, rgr=0)),
    ]


def _about(sub: str) -> JsonObject:
    return changed(YES, sub=sub, kb=key_binding(KEY, sub))


def _times() -> list[Case]:
    instant = {"ref": NOW, "exp": NOW, "grc": NOW}
    return [
        _signed("iat = ref = exp = grc", changed(YES, **instant)),
        _signed("grc is iat + 400 d", changed(YES, grc=NOW + 400 * DAY)),
        _signed("issued long before any local clock", _shifted(-HOUR)),
        _signed("issued a year after any local clock", _shifted(365 * DAY)),
        _bounded("iat is the first second of its key", 0),
        _bounded("iat is the last second of its key", HOUR - 1),
    ]


def _shifted(seconds: int) -> JsonObject:
    times = {"iat": NOW, "ref": NOW + HOUR, "exp": NOW + DAY, "grc": NOW + 2 * DAY}
    return changed(YES, **{name: at + seconds for name, at in times.items()})


def _bounded(name: str, seconds: int) -> Case:
    claims = _shifted(seconds)
    return accepted(name, token(claims, BOUNDED), claims)


def _keys() -> list[Case]:
    ahead = changed(YES, kse=TRUST_EPOCH + 1)
    return [
        accepted("signed by a key that is verify_only", token(YES, RETIRING), YES),
        _signed("kse below the key set's epoch", changed(YES, kse=TRUST_EPOCH - 1)),
        _signed("kse above the key set's epoch", ahead),
        accepted(
            "signed by a key of the key set in the answer",
            token(ahead, NEXT),
            ahead,
            Told(offered=[NEXT_SET]),
        ),
    ]


def _longest() -> Case:
    spare = (MAX_TOKEN_BYTES - len(token({**YES, "new": ""}, SIGNER))) * 3 // 4
    return _signed("a token of 8191 characters, the longest there is", {**YES, "new": "x" * spare})


def cases() -> list[Case]:
    """List them."""
    return [*_operations(), *_codes(), *_licenses(), *_times(), *_keys(), _longest()]
