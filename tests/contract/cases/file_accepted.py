"""The license files that every program takes."""

from cases.actors import (
    BOUNDED,
    DAY,
    FILE_ONLY,
    HOUR,
    NEXT,
    NOW,
    RETIRING,
    ROOT_A,
    ROOT_B,
    SIGNER,
    TRUST_EPOCH,
    call,
    key,
    keyset_payload,
    no,
    root,
    yes,
)
from cases.confirmed import Case
from cases.file_case import (
    BOUND,
    FILE_KEYS,
    FILED,
    SHIPPED,
    USES,
    Given,
    accepted,
    content,
    file_set,
    filed,
    of_another_license,
)
from reference import keyset
from reference.decision import token
from reference.encoding import JsonObject, compact
from reference.license_file import MAX_FILE_BYTES, armored

GOOD = armored(content(filed(FILED), SHIPPED))
BEGIN, *BODY, END, _ = GOOD.split("\n")
WITH_NEXT = [*FILE_KEYS[:-1], key(NEXT) | {"use": USES}]


def _armors() -> list[Case]:
    wrapped = [line for whole in BODY for line in (whole[:10], f"  {whole[10:]}\t")]
    return [
        accepted("as the server writes it", GOOD, FILED),
        accepted("CRLF line ends", GOOD.replace("\n", "\r\n"), FILED),
        accepted("no newline at the end", GOOD[:-1], FILED),
        accepted("white space around it", f" \r\n\t{GOOD}\r\n \n", FILED),
        accepted("lines of another length", "\n".join([BEGIN, *wrapped, END]), FILED),
        accepted("one line between the marks", "\n".join([BEGIN, "".join(BODY), END]), FILED),
        accepted("one line in all", BEGIN + "".join(BODY) + END, FILED),
        accepted("131072 bytes", GOOD, FILED, padded_to=MAX_FILE_BYTES),
    ]


def _contents() -> list[Case]:
    good = content(filed(FILED), SHIPPED)
    spaced = compact(good).replace(",", ", ")
    return [
        accepted("a member that is not known yet", armored(good | {"new": [1]}), FILED),
        accepted("white space in the JSON", armored(spaced), FILED),
        accepted("members in another order", armored(dict(reversed(list(good.items())))), FILED),
        accepted("no key set", armored({**good, "keyset": []}), FILED),
    ]


def _says(name: str, claims: JsonObject, given: Given | None = None) -> Case:
    return accepted(name, armored(content(filed(claims))), claims, given or Given())


def _ending(ends: int) -> JsonObject:
    return {"ref": ends, "exp": ends, "grc": ends}


def _claims() -> list[Case]:
    trial = {"st": "trial", "kind": "trial", "lex": NOW + 90 * DAY, "rgr": 0}
    return [
        _says("for any machine that has no instance id yet", FILED, Given(instance_id=None)),
        _says("for this machine", BOUND),
        _says("it lasts 400 d", FILED | _ending(NOW + 400 * DAY)),
        _says("it ends when it begins", FILED | _ending(NOW)),
        _says("for life", FILED | {"lex": None}),
        _says("a trial", FILED | trial),
        _says("a warning", FILED | {"wrn": ["RENEWAL_GRACE"]}),
        _says("a claim that is not known yet", FILED | {"new": {"deep": [None]}}),
        _says("claims in another order", dict(reversed(list(FILED.items())))),
        _says("kse above the key set's epoch", FILED | {"kse": TRUST_EPOCH + 1}),
    ]


def _signed(name: str, signer_claims: tuple[str, JsonObject], *sets: JsonObject) -> Case:
    signed, claims = signer_claims
    return accepted(name, armored(content(signed, *sets)), claims)


def _keys() -> list[Case]:
    last = {"iat": NOW + HOUR - 1}
    by_next = (filed(FILED, NEXT), FILED)
    newer = file_set(TRUST_EPOCH + 1, WITH_NEXT)
    known = Given(known=[newer])
    older, way = armored(content(by_next[0])), [file_set(1), file_set(2), newer]
    return [
        _signed("signed by a key for license files alone", (filed(FILED, FILE_ONLY), FILED)),
        _signed("signed by a key that is verify_only", (filed(FILED, RETIRING), FILED)),
        _signed("iat is the first second of its key", (filed(FILED, BOUNDED), FILED)),
        _signed("iat is the last second of its key", (filed(FILED | last, BOUNDED), FILED | last)),
        _signed("signed by a key of the key set in it", by_next, newer),
        _signed("key sets below the shipped one are left out", by_next, *way),
        accepted("key sets below the newest known are left out", older, FILED, known),
        _signed("it hands over to another root", by_next, *_new_root()),
    ]


def _new_root() -> list[JsonObject]:
    """Write a change of roots, signed by both, and a set that only the new one signs."""
    both = keyset_payload(TRUST_EPOCH + 1, [root(ROOT_B)], 1, FILE_KEYS)
    new = keyset_payload(TRUST_EPOCH + 2, [root(ROOT_B)], 1, WITH_NEXT)
    return [SHIPPED, keyset.signed(both, [ROOT_A, ROOT_B]), keyset.signed(new, [ROOT_B])]


def _stored() -> list[Case]:
    earlier = {"iat": NOW - 1}
    withdrawn = token(no("REVOKED", call()) | earlier, SIGNER)
    confirmed = token(yes(call()) | earlier, SIGNER)
    older = filed(of_another_license() | earlier)
    return [
        _says("in place of an older yes", FILED, Given(stored=confirmed)),
        _says("in place of an older no", FILED, Given(stored=withdrawn)),
        _says("in place of an older file", FILED, Given(stored=older)),
        _says("the very file that is stored", FILED, Given(stored=filed(FILED))),
    ]


def cases() -> list[Case]:
    """List them."""
    return [*_armors(), *_contents(), *_claims(), *_keys(), *_stored()]
