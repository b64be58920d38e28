"""A web application behind a license, which asks its license server all the time.

`python -m support.gated_program` says the port where it answers.
"""

import os
import socket
import sys
from typing import Any

import uvicorn

from license_client import LicenseClient, LicenseWatch
from license_client._environment import read_settings
from license_client._wiring import connect
from license_client.asgi import LicenseGate
from support.faulted_program import PRODUCT

CALL_SECONDS = 0.5
LOOK_SECONDS = 0.02


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """Be the data that is worth a license."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"data"})


def main() -> None:
    """Start from the cache, and serve until terminated."""
    settings = read_settings(PRODUCT, None, os.environ, None)
    # the least of back-off: a call is due again as soon as one has failed
    core = connect(settings, chance=lambda: 0.0, total_seconds=CALL_SECONDS)
    client = LicenseClient._over(core)
    client.start()
    with (
        LicenseWatch(client, look_seconds=LOOK_SECONDS) as license_,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        app = LicenseGate(hello, license_)
        config = uvicorn.Config(app, lifespan="off", log_level="error")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
