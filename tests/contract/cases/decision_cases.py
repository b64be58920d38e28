"""`decision.json`: tokens, the requests that they answer, and the verdict."""

from cases import decision_accepted, decision_content, decision_form
from cases.actors import (
    BOUNDED,
    FILE_ONLY,
    ISS,
    NEXT,
    RETIRING,
    REVOKED,
    ROOT_A,
    SIGNER,
    STRANGER,
    TRUST,
)
from cases.confirmed import FORMAT
from reference.encoding import JsonObject

PAIRS = (ROOT_A, SIGNER, RETIRING, REVOKED, FILE_ONLY, BOUNDED, NEXT, STRANGER)


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "keys": {pair.name: pair.described() for pair in PAIRS},
        "iss": ISS,
        "trust": TRUST,
        "accepted": decision_accepted.cases(),
        "refused": [
            *decision_form.cases(),
            *decision_content.cases(),
            *decision_content.files(),
        ],
    }
