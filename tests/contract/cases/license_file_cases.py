"""`license-file.json`: files as servers write them and as programs are given them."""

from cases import file_accepted, file_issued, file_refused
from cases.actors import (
    BOUNDED,
    FILE_ONLY,
    ISS,
    NEXT,
    RETIRING,
    REVOKED,
    ROOT_A,
    ROOT_B,
    SIGNER,
    STRANGER,
    TRUST_EPOCH,
)
from cases.confirmed import FORMAT
from cases.file_case import SHIPPED
from reference.encoding import JsonObject

PAIRS = (ROOT_A, ROOT_B, SIGNER, RETIRING, REVOKED, FILE_ONLY, BOUNDED, NEXT, STRANGER)


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "keys": {pair.name: pair.described() for pair in PAIRS},
        "signing": SIGNER.described(),
        "iss": ISS,
        "kse": TRUST_EPOCH,
        "trust": SHIPPED,
        "accepted": file_accepted.cases(),
        "refused": file_refused.cases(),
        "issued": file_issued.cases(),
        "withheld": file_issued.withheld(),
    }
