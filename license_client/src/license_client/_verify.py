"""Verify a decision: text in, a decision that may be believed or one error out.

What a license file holds is verified by the same steps, under a header of its own.

1.  Take in the key sets of the answer (the caller has done so, by `_keyset.extend`).
2.  At most 8 KiB, ASCII.
3.  Three segments.
4.  Canonical base64url, each of them.
5.  The exact header of its kind, a decision or a license file: a caller says which it takes.
6.  The kid is known, not revoked, and may sign this kind.
7.  The Ed25519 signature.
8.  A strict JSON object, the claims' types, iat <= ref <= exp <= grc; and, since `iat` is known
    now, within the time of the kid: judged by `iat`, never by a local clock.
9.  Version, issuer and product are ours.
10. It answers the very request that was made, from this deployment (online decisions only).
11. It is bound to our key and owner.

Nothing is skipped because something is missing, and any failure leaves the state as it was.
"""

from typing import Final, NamedTuple

from license_client._codes import UPDATE
from license_client._credentials import Credentials
from license_client._decision import Decision, read_claims, read_file_claims
from license_client._json import MalformedError, from_base64url, read_object, to_base64url
from license_client._keyset import KeySet, SigningKey
from license_client._signatures import SIGNATURE_BYTES, read_kid, sha256, verifies
from license_client.errors import DecisionRejectedError

KIND: Final = "license-decision"
FILE_KIND: Final = "license-file"
VERSION: Final = 1
MAX_BYTES: Final = 8_192
_SEGMENTS: Final = 3
_READERS: Final = {KIND: read_claims, FILE_KIND: read_file_claims}


class Question(NamedTuple):
    """A request as it was sent: the operation, the exact bytes, and who asked."""

    operation: str
    body: bytes
    instance_id: str

    @property
    def digest(self) -> str:
        """The `req` of its answer: one claim binds operation and every byte of the request."""
        text = b"req1." + self.operation.encode() + b"\n" + self.body
        return to_base64url(sha256(text))


def verify_decision(
    token: str,
    *,
    key_set: KeySet,
    product: str,
    credentials: Credentials,
    question: Question | None = None,
    kind: str = KIND,
) -> Decision:
    """Return the decision of a compact JWS.

    Args:
        token: as it came from the server or the cache.
        key_set: newest one that the roots signed.
        product: ours, as the program names it.
        credentials: key and email that the decision must be about.
        question: the request that it must answer; None for a cached decision.
        kind: FILE_KIND for what came in a license file.

    Raises:
        DecisionRejectedError: `rule` names the first check that failed.
    """
    try:
        decision = _read(token, kind, key_set)
        _require_ours(decision, key_set, product)
        if question is not None:
            _require_answer(decision, question)
        _require_bound(decision, credentials)
    except MalformedError as error:
        raise _rejected(error.rule or "claims") from error
    return decision


def verify_kept(token: str, *, key_set: KeySet, product: str, credentials: Credentials) -> Decision:
    """Return the decision that a cache holds: an answer of the server, or a license file's.

    Raises:
        DecisionRejectedError: `rule` names the first check that failed.
    """
    kind = FILE_KIND if _is_filed(token) else KIND
    return verify_decision(
        token, key_set=key_set, product=product, credentials=credentials, kind=kind
    )


def _is_filed(token: str) -> bool:
    """Ask which kind a token of our own cache says to be; it is held to that kind afterwards."""
    try:
        read_kid(from_base64url(token.partition(".")[0]), FILE_KIND)
    except MalformedError:
        return False
    return True


def _read(token: str, kind: str, key_set: KeySet) -> Decision:
    segments = _split(token)  # 2, 3
    header, payload, signature = map(from_base64url, segments)  # 4
    key = _find_key(read_kid(header, kind), kind, key_set)  # 5, 6
    message = f"{segments[0]}.{segments[1]}".encode("ascii")
    if len(signature) != SIGNATURE_BYTES or not verifies(key.public, signature, message):  # 7
        raise _rejected("signature")
    decision = _READERS[kind](read_object(payload))  # 8
    if not key.covers(decision.issued_at):
        raise _rejected("kid-window")
    return decision


def _split(token: str) -> list[str]:
    if not token.isascii():
        raise _rejected("not-ascii")
    if len(token) > MAX_BYTES:
        raise _rejected("too-long")
    segments = token.split(".")
    if len(segments) != _SEGMENTS:
        raise _rejected("segments")
    return segments


def _find_key(kid: str, kind: str, key_set: KeySet) -> SigningKey:
    key = key_set.keys.get(kid)
    if key is None:
        raise _rejected("kid-unknown")
    if key.revoked:
        raise _rejected("kid-revoked")
    if kind not in key.uses:
        raise _rejected("kid-use")
    return key


def _require_ours(decision: Decision, key_set: KeySet, product: str) -> None:  # 9
    if decision.version != VERSION:
        raise _rejected("version")
    if decision.issuer != key_set.issuer:
        raise _rejected("issuer")
    if decision.product != product:
        raise _rejected("audience")


def _require_answer(decision: Decision, question: Question) -> None:  # 10
    if decision.request != question.digest:
        raise _rejected("request")
    if decision.instance_id != question.instance_id:
        raise _rejected("instance")


def _require_bound(decision: Decision, credentials: Credentials) -> None:  # 11
    key, email = credentials
    if decision.key_binding != key.binding("kb1", decision.license_id):
        raise _rejected("key-binding")
    if decision.owner_binding != key.binding("own1", email):
        raise _rejected("owner-binding")


def _rejected(rule: str) -> DecisionRejectedError:
    advice = "If it goes on, something stands between this machine and the license server"
    return DecisionRejectedError(
        f"the decision that was presented breaks the rule {rule!r}; the license is unchanged. "
        f"{UPDATE if rule == 'version' else advice}",
        rule=rule,
    )
