"""The license files that no program takes."""

import base64
import string

from cases.actors import (
    BOUNDED,
    DAY,
    HOUR,
    KEY,
    NEXT,
    NOW,
    OTHER_EMAIL,
    OTHER_KEY,
    REVOKED,
    ROOT_A,
    ROOT_B,
    SIGNER,
    STRANGER,
    SUB,
    TRUST_EPOCH,
    anonymous_no,
    call,
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
    OWN_INSTANCE,
    SHIPPED,
    Given,
    content,
    file_set,
    filed,
    refused,
    says,
)
from cases.variants import each_left_out, each_replaced
from reference import keyset
from reference.decision import MAX_TOKEN_BYTES, key_binding, owner_binding, token
from reference.encoding import JsonObject, b64url, compact, from_b64url
from reference.license_file import LABEL, MAX_FILE_BYTES, armored
from reference.signature import Pair, header

CONTENT = content(filed(FILED))
GOOD = armored(CONTENT)
BEGIN, *BODY, END, _ = GOOD.split("\n")
BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
REVOKE_ALL = [member | {"status": "revoked"} for member in FILE_KEYS]


def _around(*lines: str) -> str:
    return "\n".join([*lines, ""])


def _armors() -> list[Case]:
    return [
        refused("131073 bytes", GOOD, "too-long", padded_to=MAX_FILE_BYTES + 1),
        refused("a byte order mark", "\ufeff" + GOOD, "not-ascii"),
        refused("a letter beyond ASCII", GOOD.replace("E", "\u0395", 1), "not-ascii"),
        refused("a no-break space before it", "\u00a0" + GOOD, "not-ascii"),
        refused("empty", "", "armor"),
        refused("a bare token", filed(FILED), "armor"),
        refused("the content without armor", compact(CONTENT), "armor"),
        refused("cut off before the end mark", _around(BEGIN, *BODY), "armor"),
        refused("cut off within the end mark", GOOD[:-6], "armor"),
        refused("cut off at the start", _around(*BODY, END), "armor"),
        refused("the label of a certificate", armored(CONTENT, "CERTIFICATE"), "armor"),
        refused("the label in lower case", armored(CONTENT, LABEL.lower()), "armor"),
        refused("the label with two spaces", armored(CONTENT, "LICENSE  FILE"), "armor"),
        refused("marks that differ", _around(BEGIN, *BODY, END.replace("FILE", "KEY")), "armor"),
        refused("four dashes", GOOD.replace("-----", "----"), "armor"),
        refused("marks that share their dashes", BEGIN + END[5:], "armor"),
        refused("text before it", f"Dear Ada,\n{GOOD}", "armor"),
        refused("text after it", f"{GOOD}Yours\n", "armor"),
        refused("NUL after it", f"{GOOD}\0", "armor"),
        refused("a form feed after it", f"{GOOD}\f", "armor"),
        refused("two files", GOOD + GOOD, "base64"),
        refused("lines quoted as in a mail", _around(BEGIN, *_quoted(), END), "base64"),
        refused("a header as in PEM", _around(BEGIN, "Version: 1", "", *BODY, END), "base64"),
        refused("base64url", armored(_dashed()).translate(_TO_URL), "base64"),
        refused("no padding", _packed(_unpadded().rstrip("=")), "base64"),
        refused("too much padding", _packed(_unpadded() + "="), "base64"),
        refused("padding in the middle", _around(BEGIN, "QQ==", *BODY, END), "base64"),
        refused("one character is missing", _around(BEGIN, BODY[0][1:], *BODY[1:], END), "base64"),
        refused("another spelling of the last byte", _respelled(), "base64"),
        refused("hexadecimal with a dash", _packed("00-11"), "base64"),
    ]


_TO_URL = str.maketrans("+/", "-_")


def _dashed() -> JsonObject:
    """Write a content whose base64 needs a character that base64url spells otherwise."""
    return CONTENT | {"new": "~~~???>>>"}


def _quoted() -> list[str]:
    return [f"> {line}" for line in BODY]


def _packed(text: str) -> str:
    return _around(BEGIN, text, END)


def _unpadded() -> str:
    """Write a content whose base64 ends with one padding sign."""
    texts = (compact(CONTENT) + " " * count for count in range(3))
    packed = (base64.b64encode(text.encode()).decode() for text in texts)
    return next(text for text in packed if text.endswith("=") and not text.endswith("=="))


def _respelled() -> str:
    packed = _unpadded()
    last = BASE64[BASE64.index(packed[-2]) ^ 1]
    return _packed(f"{packed[:-2]}{last}=")


def _writes(name: str, text: str, slug: str = "json") -> Case:
    return refused(name, armored(text), slug)


def _contents() -> list[Case]:
    text = compact(CONTENT)
    wrong: dict[str, list[object]] = {
        "v": [True, "1", None],
        "keyset": [None, {}, [1], ["x"]],
        "file": [None, 7, "", {}],
    }
    return [
        refused("nothing between the marks", _around(BEGIN, END), "json"),
        _writes("no JSON", "hello"),
        _writes("an array", f"[{text}]"),
        _writes("cut off", text[:-1]),
        _writes("text after the object", text + "x"),
        _writes("v twice", text.replace('"v":1', '"v":1,"v":1')),
        _writes("file twice", text.replace('"file":', '"file":"x","file":')),
        _writes("file twice, once escaped", text.replace('"file":', '"\\u0066ile":"x","file":')),
        _writes("v is 1.0", text.replace('"v":1', '"v":1.0')),
        _writes("nested 17 deep", text.replace('"v":1', f'"v":1,"new":{"[" * 16}{"]" * 16}')),
        _writes("v is 2", compact(CONTENT | {"v": 2}), "version"),
        _writes("v is 2 and the rest is new", compact({"v": 2, "files": []}), "version"),
        _writes("v is 0", compact(CONTENT | {"v": 0}), "version"),
        *(_writes(name, compact(cut), "structure") for name, cut in each_left_out(CONTENT).items()),
        *(
            _writes(name, compact(variant), "structure")
            for name, variant in each_replaced(CONTENT, wrong).items()
        ),
    ]


def _sets(name: str, slug: str, *sets: JsonObject, given: Given | None = None) -> Case:
    return refused(name, armored(content(filed(FILED), *sets)), slug, given or Given())


def _key_sets() -> list[Case]:
    forged = keyset.signed(keyset_payload(TRUST_EPOCH + 1, [root(ROOT_B)], 1, FILE_KEYS), [ROOT_B])
    other = keyset.signed(keyset_payload(TRUST_EPOCH, [root(ROOT_A)], 1, FILE_KEYS[:1]), [ROOT_A])
    elsewhere = keyset_payload(TRUST_EPOCH + 1, [root(ROOT_A)], 1, FILE_KEYS)
    foreign = keyset.signed(elsewhere | {"iss": "ls_ffffffffffffffff"}, [ROOT_A])
    skipped = keyset.signed(keyset_payload(TRUST_EPOCH + 2, [root(ROOT_B)], 1, FILE_KEYS), [ROOT_B])
    fifth, fourth = file_set(TRUST_EPOCH + 2), file_set(TRUST_EPOCH + 1)
    return [
        _sets("a key set of another root", "signatures-old", forged),
        _sets("a change of roots is missing", "signatures-old", SHIPPED, skipped),
        _sets("another key set of the same epoch", "epoch-equal", other),
        _sets("a key set of another server", "issuer", foreign),
        _sets("key sets out of order", "epoch-lower", fifth, fourth),
        _sets("a key set that is no key set", "structure", {"payload": 1}),
        _sets("a broken key set below the newest", "structure", {"payload": 1}, SHIPPED),
        _sets("a key set nobody signed", "signatures-old", fourth | {"signatures": []}),
        refused(
            "revoked by the key set in it",
            armored(content(filed(FILED), file_set(TRUST_EPOCH + 1, REVOKE_ALL))),
            "kid-revoked",
        ),
        _sets(
            "revoked by a newer key set that is known",
            "kid-revoked",
            given=Given(known=[file_set(TRUST_EPOCH + 1, REVOKE_ALL)]),
        ),
    ]


def _token(name: str, text: str, slug: str) -> Case:
    return refused(name, armored(content(text)), slug)


def _forms() -> list[Case]:
    good = filed(FILED)
    head, payload, signature = good.split(".")
    raw = bytearray(from_b64url(signature))
    raw[7] ^= 1
    spare = (MAX_TOKEN_BYTES - len(filed({**FILED, "new": ""}))) * 3 // 4
    impersonated = f"{head}.{payload}"
    stranger = b64url(Pair("somebody else").sign(impersonated.encode()))
    return [
        _token("a token of more than 8192 characters", _longer(spare), "too-long"),
        _token("a token beyond ASCII", good.replace("e", "\u0435", 1), "not-ascii"),
        _token("two segments", f"{head}.{payload}", "segments"),
        _token("four segments", f"{good}.{signature}", "segments"),
        _token("padding after the signature", f"{good}==", "base64url"),
        _token("a newline after the token", f"{good}\n", "base64url"),
        _token("a decision in place of a file", token(yes(call()), SIGNER), "header"),
        _token("a file's claims as a decision", token(FILED, SIGNER), "header"),
        _token("typ of a checkpoint", filed(FILED, typ="audit-checkpoint+jwt"), "header"),
        _token("typ JWT", filed(FILED, typ="JWT"), "header"),
        _token("typ in capitals", filed(FILED, typ="LICENSE-FILE+JWT"), "header"),
        _token("alg none", _unsigned(payload), "header"),
        _token("signed by a key that no set holds", filed(FILED, STRANGER), "kid-unknown"),
        _token("signed by the root key", filed(FILED, ROOT_A), "kid-unknown"),
        _token("signed by a revoked key", filed(FILED, REVOKED), "kid-revoked"),
        _token("signed by a key for decisions alone", filed(FILED, NEXT), "kid-use"),
        _bounded("iat one second before its key's time", NOW - 1),
        _bounded("iat at the end of its key's time", NOW + HOUR),
        _token(
            "a bit of the signature flipped", f"{impersonated}.{b64url(bytes(raw))}", "signature"
        ),
        _token("signed by another key under this kid", f"{impersonated}.{stranger}", "signature"),
        _token("no signature", f"{impersonated}.", "signature"),
        _token("the payload of a bound file", _exchanged(), "signature"),
    ]


def _longer(spare: int) -> str:
    return filed({**FILED, "new": "x" * (spare + 2)})


def _unsigned(payload: str) -> str:
    head = header(SIGNER.kid, "license-file+jwt").decode().replace("EdDSA", "none")
    return f"{b64url(head.encode())}.{payload}."


def _bounded(name: str, iat: int) -> Case:
    return _token(name, filed(FILED | {"iat": iat}, BOUNDED), "kid-window")


def _exchanged() -> str:
    head, _, signature = filed(FILED).split(".")
    return f"{head}.{b64url(compact(BOUND).encode())}.{signature}"


def _claims() -> list[Case]:
    text = compact(FILED)
    wrong: dict[str, list[object]] = {
        "ins": ["", 7, True, "x" * 65, [OWN_INSTANCE]],
        "iat": [True, "1800000000", None, -1],
        "exp": [True, None],
        "val": [1, None],
        "wrn": [None, {}],
        "lex": [True, "never"],
        "kse": [0, 2**31],
    }
    return [
        says("a claim twice", text.replace('"v":1', '"v":1,"v":1'), "json"),
        says("ins twice", text.replace('"ins":null', '"ins":"x","ins":null'), "json"),
        says("a number with a fraction", text.replace(str(NOW), f"{NOW}.0", 1), "json"),
        *(says(f"a file {name}", cut, "claims") for name, cut in each_left_out(FILED).items()),
        *(says(name, variant, "claims") for name, variant in each_replaced(FILED, wrong).items()),
        says("req is there", yes(call()) | _ending(NOW + DAY), "claims"),
        says("req is null", FILED | {"req": None}, "claims"),
        says("a signed no", _no("REVOKED"), "code"),
        says("a signed no with ends", _no("REVOKED") | _ending(NOW + DAY), "claims"),
        says("val is false, code VALID", FILED | {"val": False}, "code"),
        says("a yes that says REVOKED", FILED | {"code": "REVOKED"}, "code"),
        says("a code outside the list", FILED | {"code": "FILED"}, "code"),
        says("a signed no that names no license", _nobody(), "code"),
    ]


def _ending(ends: int) -> JsonObject:
    return {"ref": ends, "exp": ends, "grc": ends}


def _no(code: str) -> JsonObject:
    return {name: value for name, value in no(code, call()).items() if name != "req"}


def _nobody() -> JsonObject:
    anonymous = anonymous_no("LICENSE_NOT_FOUND", call())
    return {name: value for name, value in anonymous.items() if name != "req"}


def _times() -> list[Case]:
    ends = NOW + 90 * DAY
    return [
        says("ref before exp", FILED | {"ref": ends - 1}, "times"),
        says("exp before grc", FILED | {"exp": ends - 1, "ref": ends - 1}, "times"),
        says("grc after exp", FILED | {"grc": ends + 1}, "times"),
        says("exp before ref", FILED | {"exp": ends - 1}, "times"),
        says("it ends before it begins", FILED | _ending(NOW - 1), "times"),
        says("it lasts longer than 400 d", FILED | _ending(NOW + 400 * DAY + 1), "times"),
    ]


def _addressees() -> list[Case]:
    foreign_key = FILED | {"kb": key_binding(OTHER_KEY, SUB), "own": owner_binding(OTHER_KEY, "x")}
    nobody_yet = Given(instance_id=None)
    return [
        says("the claim v is 2", FILED | {"v": 2}, "version"),
        says("another server", FILED | {"iss": "ls_ffffffffffffffff"}, "issuer"),
        says("another product", FILED | {"aud": "other"}, "audience"),
        says("the product of another program", FILED, "audience", Given(product="db-api-2")),
        says("for another machine", FILED | {"ins": "other"}, "instance"),
        says("for this machine in capitals", BOUND | {"ins": OWN_INSTANCE.upper()}, "instance"),
        says("for a machine, on one without an id", BOUND, "instance", nobody_yet),
        says("of another key", foreign_key, "key-binding"),
        says("kb of another license", FILED | {"kb": key_binding(KEY, "")}, "key-binding"),
        says("on a machine with another key", FILED, "key-binding", Given(key=OTHER_KEY)),
        says("own of another email", _of(OTHER_EMAIL), "owner-binding"),
        says("of another owner", FILED, "owner-binding", Given(email=OTHER_EMAIL)),
    ]


def _of(email: str) -> JsonObject:
    return FILED | {"own": owner_binding(KEY, email)}


def _stored() -> list[Case]:
    def over(name: str, stored: str) -> Case:
        return says(name, FILED, "not-newer", Given(stored=stored))

    later = {"iat": NOW + 1}
    return [
        over("over a yes of the same second", token(yes(call()), SIGNER)),
        over("over a later yes", token(yes(call()) | later, SIGNER)),
        over("over a no of the same second", token(no("REVOKED", call()), SIGNER)),
        over("over a later no", token(no("SUSPENDED", call()) | later, SIGNER)),
        over("over a later no that names no license", token(_unknown() | later, SIGNER)),
        over("over a later file", filed(FILED | later)),
        over("over another file of the same second", filed(BOUND)),
    ]


def _unknown() -> JsonObject:
    return anonymous_no("LICENSE_NOT_FOUND", call())


def cases() -> list[Case]:
    """List them."""
    return [
        *_armors(),
        *_contents(),
        *_key_sets(),
        *_forms(),
        *_claims(),
        *_times(),
        *_addressees(),
        *_stored(),
    ]
