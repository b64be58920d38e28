"""Two libraries that know nothing of us read our decisions as JOSE, and judge their signatures.

They are oracles for what RFC 7515 and RFC 8032 say, not for our profile: what they let through and
the contract refuses is listed here, because it is the reason why no such library runs in our code.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import jwt
import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

VECTORS = Path(__file__).parents[2] / "license_server" / "wire" / "vectors"
DECISIONS = json.loads((VECTORS / "decision.json").read_text())
KEY_SETS = json.loads((VECTORS / "keyset.json").read_text())
FILES = json.loads((VECTORS / "license-file.json").read_text())
CHECKPOINTS = json.loads((VECTORS / "checkpoint.json").read_text())
JWKS: dict[str, dict[str, str]] = {
    key["kid"]: {"kty": "OKP", "crv": "Ed25519", "x": key["pub"]}
    for document in (DECISIONS, KEY_SETS, FILES, CHECKPOINTS)
    for key in document["keys"].values()
}
ISSUED = json.loads((VECTORS / "issue.json").read_text())["accepted"]
# Their own opinions on claims are off: whose time and audience count is the contract's matter.
UNJUDGED = {f"verify_{claim}": False for claim in ("aud", "exp", "iat", "iss", "jti", "nbf", "sub")}

_BEGIN = "-----BEGIN LICENSE FILE-----"
_END = "-----END LICENSE FILE-----"

Case = dict[str, Any]
Oracle = Callable[[str], object]


def read_by_joserfc(token: str) -> object:
    """Verify with joserfc; it knows every key of the vectors."""
    found = jws.deserialize_compact(token.encode(), cast("Any", _find_key), algorithms=["EdDSA"])
    return json.loads(found.payload)


def read_by_pyjwt(token: str) -> object:
    """Verify with PyJWT; it knows every key of the vectors."""
    key = jwt.PyJWK(JWKS[jwt.get_unverified_header(token)["kid"]])
    return jwt.decode(token, key, algorithms=["EdDSA"], options=cast("Any", UNJUDGED))


pytestmark = [
    # RFC 9864 gives EdDSA with Ed25519 a name of its own; our header bytes are fixed before it.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864"),
]
oracles = pytest.mark.parametrize("read", [read_by_joserfc, read_by_pyjwt])


def _find_key(signed: jws.CompactSignature | jws.HeaderMember) -> OKPKey:
    return OKPKey.import_key(cast("Any", JWKS[signed.headers()["kid"]]))


def _refused_for(*details: str) -> list[Case]:
    return [case for case in DECISIONS["refused"] if case["detail"] in details]


def _by_name(case: Case) -> str:
    return str(case["name"])


@oracles
@pytest.mark.parametrize("case", [*DECISIONS["accepted"], *ISSUED], ids=_by_name)
def test_an_oracle_reads_what_we_accept(read: Oracle, case: Case) -> None:
    assert read(case["token"]) == case["claims"]


@oracles
@pytest.mark.parametrize("case", _refused_for("not-ascii", "segments", "signature"), ids=_by_name)
def test_an_oracle_refuses_a_token_that_nobody_signed(read: Oracle, case: Case) -> None:
    with pytest.raises((JoseError, jwt.PyJWTError)):
        read(case["token"])


def _filed(case: Case) -> str:
    """Take the token out of a license file, as the standard library reads it."""
    packed = "".join(case["text"].strip().removeprefix(_BEGIN).removesuffix(_END).split())
    token = json.loads(base64.b64decode(packed))["file"]
    assert isinstance(token, str)
    return token


@oracles
@pytest.mark.parametrize("case", [*FILES["accepted"], *FILES["issued"]], ids=_by_name)
def test_an_oracle_reads_the_license_files_that_we_take(read: Oracle, case: Case) -> None:
    assert read(_filed(case)) == case["claims"]


@oracles
@pytest.mark.parametrize("case", CHECKPOINTS["accepted"], ids=_by_name)
def test_an_oracle_reads_the_checkpoints_that_we_take(read: Oracle, case: Case) -> None:
    assert read(case["token"]) == case["claims"]


@oracles
@pytest.mark.parametrize(
    "token",
    [
        *(_filed(case) for case in FILES["refused"] if case["detail"] == "signature"),
        *(case["token"] for case in CHECKPOINTS["refused"] if case["detail"] == "signature"),
    ],
)
def test_an_oracle_refuses_a_file_or_checkpoint_that_nobody_signed(
    read: Oracle, token: str
) -> None:
    with pytest.raises((JoseError, jwt.PyJWTError)):
        read(token)


SHARED_LAXITY = [
    "more than 8192 characters",
    "typ before kid",
    "kid before alg",
    "a space in the header",
    "an embedded key",
    "alg twice",
    "escaped characters",
    "no typ",
    "typ of a key set",
    "typ of a license file",
    "typ JWT",
    "signed by a revoked key",
    "a claim twice with the same value",
    "val twice",
    "a claim twice, once escaped",
    "a number with a fraction",
    "NaN",
    "Infinity",
    "1e999",
    "a lone high surrogate",
    "UTF-16",
    "a yes without exp",
    "a yes without req",
    "v is 2",
]


@oracles
@pytest.mark.parametrize("name", SHARED_LAXITY)
def test_the_contract_refuses_what_both_oracles_let_through(read: Oracle, name: str) -> None:
    (case,) = (case for case in DECISIONS["refused"] if case["name"] == name)
    assert read(case["token"]) is not None


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_by_pyjwt, "padding after the signature"),
        (read_by_joserfc, "one more member"),
        (read_by_joserfc, "an array"),
    ],
)
def test_the_contract_refuses_what_one_oracle_lets_through(read: Oracle, name: str) -> None:
    (case,) = (case for case in DECISIONS["refused"] if case["name"] == name)
    assert read(case["token"]) is not None


@pytest.mark.parametrize("case", KEY_SETS["accepted"], ids=_by_name)
def test_a_trust_file_is_a_general_jws_that_an_oracle_verifies(case: Case) -> None:
    found = jws.deserialize_json(case["trust"], cast("Any", _find_key), algorithms=["EdDSA"])
    assert json.loads(found.payload)["iss"] == KEY_SETS["iss"]
