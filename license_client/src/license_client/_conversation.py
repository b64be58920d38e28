"""One call to the license server: a request bound to its answer, a verified decision back.

The order is the contract's: key sets first, then the decision. A decision by a key that we do not
know, or by a server that knows a newer key set than ours, is worth one question for that.
"""

from contextlib import suppress
from functools import partial
from secrets import token_bytes
from typing import Final

from license_client._clock import Deadline
from license_client._credentials import Credentials, Email
from license_client._decision import Decision
from license_client._json import (
    JsonObject,
    MalformedError,
    inners,
    read_object,
    text,
    to_base64url,
    write,
)
from license_client._keyset import Trust, extend
from license_client._placement import Answer
from license_client._settings import Settings
from license_client._transport import MAX_ANSWER_BYTES, Call, Reply, Transport
from license_client._verify import Question, verify_decision
from license_client._version import CLIENT_NAME, __version__
from license_client.errors import DecisionRejectedError, OfflineError

_OK: Final = 200
_ACCEPTED: Final = 202
_NONCE_BYTES: Final = 16  # 128 random bits: no two requests are the same
_MAX_CODE: Final = 40


class Conversation:
    """The exchanges of one call, within its deadline.

    Attributes:
        trust: key sets as far as they have come; what was taken in stays, whatever the decision.
    """

    def __init__(
        self, settings: Settings, transport: Transport, trust: Trust, deadline: Deadline
    ) -> None:
        self.trust = trust
        self._settings = settings
        self._transport = transport
        self._deadline = deadline

    def ask(self, operation: str, credentials: Credentials, instance_id: str) -> Answer:
        """Ask for a decision about a license.

        Args:
            operation: activate, validate or deactivate.
            credentials: whose license it is.
            instance_id: of the deployment that asks.

        Raises:
            OfflineError: no answer of a license server came.
            DecisionRejectedError: the decision is not one for this request.
            KeySetRejectedError: the key sets beside it are not the roots'.
        """
        body = write_request(self._settings, credentials, instance_id, self.trust)
        reply = self._transport.send(Call(f"/v1/licenses/{operation}", body), self._deadline)
        answer = _read_answer(reply)
        token = _require_text(answer, "decision")
        self._take_in(answer)
        question = Question(operation, body, instance_id)
        return Answer(self._judge(token, credentials, question), token)

    def _judge(self, token: str, credentials: Credentials, question: Question) -> Decision:
        verify = partial(
            verify_decision,
            token,
            product=self._settings.product,
            credentials=credentials,
            question=question,
        )
        try:
            decision = verify(key_set=self.trust.current)
        except DecisionRejectedError as error:
            if error.rule != "kid-unknown":
                raise
            self._fetch_key_sets()
            return verify(key_set=self.trust.current)
        if decision.key_set_epoch <= self.trust.current.epoch:
            return decision
        with suppress(OfflineError):  # a good answer is none the worse for it
            self._fetch_key_sets()
        return verify(key_set=self.trust.current)

    def _fetch_key_sets(self) -> None:
        call = Call(f"/v1/keyset?since={self.trust.current.epoch}")
        self._take_in(_read_answer(self._transport.send(call, self._deadline)))

    def _take_in(self, answer: JsonObject) -> None:
        if "keyset" not in answer:
            return
        try:
            documents = inners(answer, "keyset")
        except MalformedError as error:
            raise _not_an_answer() from error
        self.trust = extend(self.trust, documents)


def write_request(
    settings: Settings, credentials: Credentials, instance_id: str, trust: Trust
) -> bytes:
    """Return the body of a request under a fresh nonce: all that the license server is told."""
    request: JsonObject = {
        "license_key": credentials.key.reveal(),
        "email": credentials.email,
        "product": settings.product,
        "instance_id": instance_id,
        "nonce": to_base64url(token_bytes(_NONCE_BYTES)),
        "client": {"name": CLIENT_NAME, "version": __version__},
        "keyset_epoch": trust.current.epoch,
    }
    if settings.app_version is not None:
        request["app_version"] = settings.app_version
    if settings.deployment_name is not None:
        request["deployment_name"] = settings.deployment_name
    return write(request).encode("utf-8")


def request_trial(product: str, email: Email, transport: Transport, deadline: Deadline) -> None:
    """Ask for a trial of a product, whose key the server mails to the address.

    Raises:
        OfflineError: no license server took the request.
    """
    body = write({"email": email, "product": product}).encode("utf-8")
    reply = transport.send(Call("/v1/trials", body), deadline)
    if reply.status != _ACCEPTED:
        raise _unsigned(reply)


def _read_answer(reply: Reply) -> JsonObject:
    """Return what a license server says with 200; all else is as good as silence."""
    if reply.status != _OK:
        raise _unsigned(reply)
    try:
        return read_object(reply.body)
    except MalformedError as error:
        raise _not_an_answer() from error


def _unsigned(reply: Reply) -> OfflineError:
    return OfflineError(
        f"the license server answered {reply.status}{_told_code(reply.body)}, unsigned",
        retry_after_seconds=reply.retry_after_seconds,
    )


def _told_code(body: bytes) -> str:
    """Return the code of a problem document, to help whoever reads the error."""
    try:
        code = text(read_object(body), "code", maximum=_MAX_CODE)
    except MalformedError:
        return ""
    return f" {code}" if code.isascii() and code.replace("_", "").isalpha() else ""


def _require_text(answer: JsonObject, name: str) -> str:
    try:
        return text(answer, name, maximum=MAX_ANSWER_BYTES)
    except MalformedError as error:
        raise _not_an_answer() from error


def _not_an_answer() -> OfflineError:
    return OfflineError(
        "what answered is not a license server: check LICENSE_SERVER_URL and any proxy"
    )
