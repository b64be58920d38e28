"""What a network, a proxy, a broken server or an attacker makes of a request to the simulator."""

import threading
from collections.abc import Callable, Iterator

import httpx

from license_client.testing.simulator import Request, Simulator, Switch, reply
from license_client.testing.vendor import Json, Pair, compact


def decided(token: str) -> httpx.Response:
    """Return an answer that holds a decision and nothing else."""
    return reply(200, compact({"decision": token}))


def replaying(first: Json) -> Switch:
    """Answer with what was recorded before."""
    return lambda _simulator, _request: reply(200, compact(first))


def swapping(**changes: object) -> Switch:
    """Forward another request under the same nonce."""
    return lambda simulator, request: simulator.answer(request.with_members(**changes))


def to_operation(operation: str) -> Switch:
    """Forward the request to another operation."""
    return lambda simulator, request: simulator.answer(Request(operation, request.body))


def signing_with(pair: Pair) -> Switch:
    """Answer as the honest server, signed by another key under its own kid."""
    return lambda simulator, request: decided(
        pair.compact("license-decision+jwt", compact(simulator.decide(request)))
    )


def claiming(**changes: object) -> Switch:
    """Answer with claims changed before they are signed; None leaves one out."""

    def answer(simulator: Simulator, request: Request) -> httpx.Response:
        claims = {**simulator.decide(request), **changes}
        kept = {name: value for name, value in claims.items() if value is not ...}
        return decided(simulator.vendor.sign(kept))

    return answer


def saying(status: int, body: bytes = b"", **headers: str) -> Switch:
    """Answer the same to everything."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _simulator, _request: reply(status, body, named)


def truncated(simulator: Simulator, request: Request) -> httpx.Response:
    whole = simulator.answer(request).read()
    return reply(200, whole[: len(whole) // 2])


class _Stream(httpx.SyncByteStream):
    def __init__(self, chunks: Callable[[], Iterator[bytes]]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()


def endless(_: Simulator, request: Request) -> httpx.Response:
    """Send and send: more than anybody should read."""

    def chunks() -> Iterator[bytes]:
        while True:
            yield request.body

    return httpx.Response(200, stream=_Stream(chunks))


def hanging(released: threading.Event, reached: threading.Event | None = None) -> Switch:
    """Send one byte, then nothing until `released` is set; `reached` tells that it began."""

    def chunks() -> Iterator[bytes]:
        yield b"{"
        if reached is not None:
            reached.set()
        released.wait()
        yield b"}"

    return lambda _simulator, _request: httpx.Response(200, stream=_Stream(chunks))
