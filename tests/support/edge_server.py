"""A process that serves a small application behind the HTTP edge of one of our packages.

`support.edge` starts it: edge_server.py PACKAGE SECONDS, where SECONDS is the deadline of heads,
bodies, stalled answers and TLS handshakes. More is in the environment, as for the real servers.
"""

import asyncio
import ipaddress
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_BODY_BYTES = 16 * 1024
FAILURE = f"password={os.environ['CANARY']} of bob@example.com"
package, seconds = sys.argv[1], float(sys.argv[2])
clock, forwarding, http_guard, logs, middleware, serving = (
    import_module(f"{package}.{name}")
    for name in ("clock", "forwarding", "http_guard", "logs", "middleware", "serving")
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo what arrives, or misbehave, by path."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    if scope["path"] == "/fail":
        raise RuntimeError(FAILURE)
    if scope["path"] == "/slow":
        structlog.get_logger(f"{package}.test").info("slow.begun")
        await asyncio.sleep(1)
    if scope["path"] == "/endless":
        await _send_endlessly(send)
        return
    answer = {
        "body_bytes": len(body),
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "headers": sorted(name.decode() for name, _ in scope["headers"]),
        "request_id": scope["state"]["request_id"],
    }
    if scope["path"] == "/half":
        await _start(send, b"1000")
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        raise RuntimeError(FAILURE)
    payload = json.dumps(answer).encode()
    await _start(send, b"%d" % len(payload))
    await send({"type": "http.response.body", "body": payload})


async def _start(send: Send, length: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_endlessly(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(10_000):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})


def answer_error(error: Exception, _scope: Scope) -> object:
    """Render an error as plain text."""
    status = 413 if isinstance(error, OverflowError) else 500
    body = b"refused" if status < 500 else b"failed"
    headers = ((b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)))
    return middleware.RawResponse(status, headers, body)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[ASGIApp]]:
    """Yield the application behind the edge."""
    networks = [ipaddress.ip_network(n) for n in os.environ.get("TRUSTED_PROXIES", "").split()]
    edge = middleware.HttpEdge(
        app,
        answer_error=answer_error,
        too_large=OverflowError,
        max_body_bytes=MAX_BODY_BYTES,
        proxies=forwarding.TrustedProxies(networks),
        access_log=logs.AccessLog(clock.utc_now, sys.stderr),
    )
    yield (edge,)


class Impatient(http_guard.GuardedProtocol):  # type: ignore[misc, name-defined]  # by name above
    """The guard with the deadlines of this test."""

    head_seconds = body_seconds = stall_seconds = seconds


if __name__ == "__main__":
    logs.configure("info")
    files = [
        Path(os.environ[n]) if n in os.environ else None for n in ("TLS_CERT_FILE", "TLS_KEY_FILE")
    ]
    serving.run(
        opened,
        [serving.Listener("127.0.0.1", int(os.environ["PORT"]), *files)],
        refused=SystemExit,
        protocol=Impatient,
    )
