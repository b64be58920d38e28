"""How one case of `decision.json` is built: a token, and all that its verifier is told."""

from dataclasses import dataclass, field

from cases.actors import EMAIL, KEY, PRODUCT, TRUST, call
from cases.confirmed import Case, DisagreementError, refusal, require_detail
from reference.decision import Call, Context, verify
from reference.encoding import JsonObject

CALL = call()


@dataclass(frozen=True)
class Told:
    """What the verifier is told; `answered` is None for a decision read from the cache."""

    answered: Call | None = CALL
    product: str = PRODUCT
    key: str = KEY
    email: str = EMAIL
    offered: list[JsonObject] = field(default_factory=list)

    def context(self) -> Context:
        """Say it to the reference."""
        return Context(self.product, self.key, self.email, self.answered)

    def described(self) -> JsonObject:
        """Say it in the vector file."""
        answered = self.answered
        return {
            "operation": answered.operation if answered else None,
            "body": answered.body if answered else None,
            "instance_id": answered.instance_id if answered else None,
            "product": self.product,
            "key": self.key,
            "email": self.email,
            "offered": self.offered,
        }


ONLINE = Told()
CACHED = Told(answered=None)


def accepted(name: str, token: str, claims: JsonObject, told: Told = ONLINE) -> Case:
    """Build a case that every verifier accepts with exactly these claims."""
    if (found := verify(token, told.context(), TRUST, told.offered)) != claims:
        raise DisagreementError(f"{name}: the reference reads {found}")
    return {"name": name, **told.described(), "token": token, "claims": claims}


def refused(name: str, token: str, slug: str, told: Told = ONLINE) -> Case:
    """Build a case that every verifier refuses for the same reason."""
    found = refusal(lambda: verify(token, told.context(), TRUST, told.offered), "")
    return {"name": name, **told.described(), "token": token, **require_detail(name, found, slug)}


def changed(claims: JsonObject, **changes: object) -> JsonObject:
    """Replace claims where they stand."""
    return claims | changes
