"""How one case of `license-file.json` is built: a text, and the machine that it is given to."""

from dataclasses import dataclass, field

from cases.actors import (
    BOUNDED,
    DAY,
    EMAIL,
    FILE_ONLY,
    HOUR,
    KEY,
    NEXT,
    NOW,
    PRODUCT,
    RETIRING,
    REVOKED,
    ROOT_A,
    SIGNER,
    SUB,
    TRUST_EPOCH,
    call,
    key,
    keyset_payload,
    root,
    yes,
)
from cases.confirmed import Case, DisagreementError, refusal, require_detail
from cases.variants import without
from reference import keyset
from reference.decision import Context, jws, key_binding
from reference.encoding import JsonObject, compact
from reference.license_file import TYP, USE, Machine, armored, install
from reference.signature import Pair, header

OWN_INSTANCE = "0d6f2a52-5a4e-4c57-8b5a-7a5b0f6f5f10"
USES = ["license-decision", USE, "audit-checkpoint"]
FILE_KEYS = [
    key(SIGNER) | {"use": USES},
    key(FILE_ONLY, use=USE),
    key(RETIRING, "verify_only", use=USE),
    key(REVOKED, "revoked", use=USE),
    key(BOUNDED, use=USE) | {"not_before": NOW, "not_after": NOW + HOUR},
    key(NEXT),
]
"""NEXT may sign decisions alone here."""


def file_set(epoch: int, keys: list[JsonObject] | None = None) -> JsonObject:
    """Write a key set of the one root."""
    return keyset.signed(keyset_payload(epoch, [root(ROOT_A)], 1, keys or FILE_KEYS), [ROOT_A])


SHIPPED = file_set(TRUST_EPOCH)
LASTS = 90 * DAY
ENDS = {"ref": NOW + LASTS, "exp": NOW + LASTS, "grc": NOW + LASTS}
FILED: JsonObject = without(yes(call(), **ENDS, ins=None), "req")
BOUND = FILED | {"ins": OWN_INSTANCE}


@dataclass(frozen=True)
class Given:
    """The machine that a file is given to."""

    product: str = PRODUCT
    key: str = KEY
    email: str = EMAIL
    known: list[JsonObject] = field(default_factory=list)
    instance_id: str | None = OWN_INSTANCE
    stored: str | None = None

    def machine(self) -> Machine:
        """Describe it to the reference."""
        context = Context(self.product, self.key, self.email)
        return Machine(context, SHIPPED, self.known, self.instance_id, self.stored)

    def described(self) -> JsonObject:
        """Describe it in the vector file."""
        return {
            "product": self.product,
            "key": self.key,
            "email": self.email,
            "known": self.known,
            "instance_id": self.instance_id,
            "stored": self.stored,
        }


GIVEN = Given()


def filed(claims: JsonObject | str, signer: Pair = SIGNER, typ: str = TYP) -> str:
    """Sign claims as a license file."""
    text = claims if isinstance(claims, str) else compact(claims)
    return jws(header(signer.kid, typ), text.encode(), signer)


def content(token: str, *sets: JsonObject) -> JsonObject:
    """Write what the armor holds."""
    return {"v": 1, "keyset": list(sets), "file": token}


def accepted(
    name: str, text: str, claims: JsonObject, given: Given = GIVEN, *, padded_to: int = 0
) -> Case:
    """Build a case that every program takes, with exactly these claims."""
    if (found := install(text.encode().ljust(padded_to), given.machine())) != claims:
        raise DisagreementError(f"{name}: the reference reads {found}")
    return {
        "name": name,
        **given.described(),
        "text": text,
        "padded_to": padded_to,
        "claims": claims,
    }


def refused(name: str, text: str, slug: str, given: Given = GIVEN, *, padded_to: int = 0) -> Case:
    """Build a case that every program refuses for the same reason."""
    found = refusal(lambda: install(text.encode().ljust(padded_to), given.machine()), "")
    case: Case = {"name": name, **given.described(), "text": text, "padded_to": padded_to}
    return {**case, **require_detail(name, found, slug)}


def says(name: str, claims: JsonObject | str, slug: str, given: Given = GIVEN) -> Case:
    """Build a case of a good armor around claims that are refused."""
    return refused(name, armored(content(filed(claims))), slug, given)


def of_another_license() -> JsonObject:
    """Write the claims of another license of the owner, of the same key."""
    sub = SUB[:-1] + ("0" if SUB[-1] != "0" else "1")
    return FILED | {"sub": sub, "kb": key_binding(KEY, sub)}
