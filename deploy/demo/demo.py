"""Run the whole product once on this machine: from an empty folder to a licensed query.

Starts a license server over HTTPS with a certificate authority of its own, issues a license,
activates it with the SDK's command, starts the data API on an embedded PostgreSQL that holds the
world's airports, and queries it. Then everything stays up until Ctrl-C (with DEMO_ONCE=1 it ends
after the query); nothing is left running, and the folder is removed.

Everything here is done by the commands that a vendor and a customer would type.
"""

import base64
import json
import os
import secrets
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn
from urllib.error import URLError
from urllib.request import Request, urlopen

import trustme

from license_server.totp import code_at

BIN: Final = Path(sys.executable).parent
PRODUCT: Final = "db-api"
BUYER: Final = "buyer@example.com"
OPERATOR: Final = "demo"
LICENSE_SERVER_PORT: Final = 3002
CONSOLE_PORT: Final = 3003
DATA_API_PORT: Final = 3001
START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
QUERY: Final = (
    "/rest/v1/airports?select=icao,name,city,elevation&country=eq.NP&elevation=gt.8000"
    "&order=elevation.desc&limit=3"
)


@dataclass(frozen=True, slots=True)
class DataApi:
    """What `db-api demo --json` prints once it is ready."""

    url: str
    user: str
    password: str
    anon_key: str
    service_key: str


@dataclass(frozen=True, slots=True)
class Operator:
    """What `license-server operator add --json` prints; the demo plays its authenticator app."""

    name: str
    password: str
    secret: str

    def code(self) -> str:
        """Return the code that an app would show now."""
        return code_at(base64.b32decode(self.secret), datetime.now(UTC))


def main() -> None:
    """Run the demo to its end."""
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        try:
            _demo(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-"))), stack)
        except KeyboardInterrupt:
            say("\nstopping")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _demo(folder: Path, stack: ExitStack) -> None:
    started = time.monotonic()
    authority = make_certificates(folder)

    step("The vendor makes keys, a database and a product, and starts the license server")
    vendor = folder / "vendor"
    license_server = vendor_command(vendor)
    run(*license_server, "init", str(vendor), "--product", PRODUCT, "--name", "Data API")
    port = claim_port(LICENSE_SERVER_PORT, stack)
    server_url = f"https://127.0.0.1:{port}"
    console_port = claim_port(CONSOLE_PORT, stack)
    tls = {"TLS_CERT_FILE": str(folder / "cert.pem"), "TLS_KEY_FILE": str(folder / "key.pem")}
    serve = (*license_server, "serve")
    log = folder / "server.log"
    serving = stack.enter_context(
        service(
            serve,
            {
                **tls,
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "ADMIN_PORT": str(console_port),
                "PUBLIC_URL": server_url,
            },
            log,
        )
    )
    wait_until_ready(f"{server_url}/readyz", authority, serving, log)
    say(f"  license server: {server_url}")

    step("The vendor lets somebody into the console")
    add = (*license_server, "operator", "add", OPERATOR, "--role", "owner")
    operator = read_operator(run(*add, "--json", shown=add))

    step("The vendor sells a license")
    issue = (*license_server, "license", "issue", "--product", PRODUCT, "--email", BUYER)
    license_key = json.loads(run(*issue, "--json", shown=issue))["key"]
    say(f"  key {license_key} for {BUYER}")
    trust = folder / "trust.json"
    run(*license_server, "keyset", "export-trust", "-o", str(trust))

    step("The customer activates it")
    customer = {
        "LICENSE_SERVER_URL": server_url,
        "LICENSE_KEY": license_key,
        "LICENSE_EMAIL": BUYER,
        "LICENSE_ENCRYPTION_KEY": secrets.token_hex(32),
        "LICENSE_CACHE_DIR": str(folder / "license-data"),
        "LICENSE_CA_FILE": str(authority),
        "LICENSE_TRUST_FILE": str(trust),
        "LICENSE_PRODUCT": PRODUCT,
    }
    activate = (command("activate-license"), "--key", license_key, "--email", BUYER)
    say(indented(run(*activate, environment=customer)))

    step("The customer starts the data API, which asks for a valid license before anything else")
    port = claim_port(DATA_API_PORT, stack)
    log = folder / "data-api.log"
    serve = (command("db-api"), "demo", "--port", str(port), "--json")
    api = read_data_api(stack.enter_context(service(serve, customer, log)), log)

    step("A query through it, with the anon key")
    say(f"  GET {QUERY}")
    for row in json.loads(get(f"{api.url}{QUERY}", {"apikey": api.anon_key})):
        say(f"  {row}")

    say(f"\nReady after {time.monotonic() - started:.0f} s.")
    say(summary(server_url, f"https://127.0.0.1:{console_port}", operator, api))
    if os.environ.get("DEMO_ONCE") != "1":
        say("Ctrl-C stops everything and removes it.")
        play_authenticator(operator)


def play_authenticator(operator: Operator) -> NoReturn:
    """Show the operator's codes for as long as the demo is up."""
    while True:
        if sys.stdout.isatty():
            sys.stdout.write(f"\rcode of the operator now: {operator.code()} ")
            sys.stdout.flush()
        time.sleep(1)  # not pause(): a signal just before it would be waited for in vain


def summary(server_url: str, console_url: str, operator: Operator, api: DataApi) -> str:
    """Say where everything is and what to try."""
    url = shlex.quote
    return f"""
  license server   {server_url}
  portal           {server_url}/portal/
  console          {console_url}
  operator         {operator.name} / {operator.password} / code {operator.code()}
  its app's secret {operator.secret}
  data API         {api.url}
  Basic            {api.user} / {api.password}
  anon key         {api.anon_key}
  service_role key {api.service_key}

Try:
  curl -H 'apikey: {api.anon_key}' {url(f"{api.url}/rest/v1/airports?icao=eq.EDDF")}
  curl -H 'apikey: {api.service_key}' -H 'Content-Type: application/json' \\
       -d '{{"code": "XX", "name": "Nowhere"}}' {url(f"{api.url}/rest/v1/countries")}
  curl -u {url(f"{api.user}:{api.password}")} {url(f"{api.url}/api/tables?schema=demo")}
"""


def say(text: str) -> None:
    """Print one line of the demo's story at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def step(title: str) -> None:
    """Announce the next step."""
    say(f"\n== {title}")


def indented(text: str) -> str:
    """Set a command's output apart."""
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


def command(name: str) -> str:
    """Return the path of a command that this environment installed."""
    return str(BIN / name)


def vendor_command(folder: Path) -> tuple[str, ...]:
    """Return the start of every `license-server` command line of this vendor."""
    return (command("license-server"), "--dir", str(folder))


def run(
    *line: str, environment: Mapping[str, str] | None = None, shown: tuple[str, ...] | None = None
) -> str:
    """Show and run a command; return its standard output, or end the demo with what it said."""
    say(f"  $ {shlex.join([Path(line[0]).name, *(shown or line)[1:]])}")
    done = subprocess.run(
        line, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{Path(line[0]).name} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


@contextmanager
def service(
    line: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[str]"]:
    """Run a service in a session of its own, so that Ctrl-C reaches this process alone."""
    say(f"  $ {shlex.join([Path(line[0]).name, *line[1:]])}")
    with log.open("w") as errors:
        process = subprocess.Popen(
            line,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def read_data_api(process: "subprocess.Popen[str]", log: Path) -> DataApi:
    """Wait for the line that says the data API is ready."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        sys.exit(f"db-api demo ended with {process.wait()}:\n{log.read_text()}")
    ready = json.loads(line)
    return DataApi(
        url=ready["url"],
        user=ready["user"],
        password=ready["password"],
        anon_key=ready["anonKey"],
        service_key=ready["serviceKey"],
    )


def read_operator(made: str) -> Operator:
    """Read what the command said of the new operator."""
    members = json.loads(made)
    return Operator(members["name"], members["password"], members["totp_secret"])


def make_certificates(folder: Path) -> Path:
    """Write a server certificate for loopback; return the file of the CA that signed it."""
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1", "localhost")
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "key.pem").chmod(0o600)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return folder / "ca.pem"


def claim_port(preferred: int, stack: ExitStack) -> int:
    """Return `preferred` where nobody has it, else any free port of loopback.

    Two demos that start at once both see a free port. So each holds the UDP port of that number,
    which nobody else wants, for as long as it runs.
    """
    for port in (preferred, 0):
        claim = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free = int(probe.getsockname()[1])
            claim.bind(("127.0.0.1", free))
            return free
    sys.exit("no free port on 127.0.0.1")


def get(url: str, headers: Mapping[str, str] | None = None, authority: Path | None = None) -> bytes:
    """GET a URL of this demo."""
    context = ssl.create_default_context(cafile=authority) if authority else None
    request = Request(url, headers=dict(headers or {}))  # noqa: S310 - our own loopback URL
    with urlopen(request, timeout=10, context=context) as answer:  # noqa: S310 - the same
        return bytes(answer.read())


def wait_until_ready(
    url: str, authority: Path, process: "subprocess.Popen[str]", log: Path
) -> None:
    """Poll a readiness endpoint until it answers 200, or its process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None:
        try:
            get(url, authority=authority)
        except (URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                sys.exit(f"{url} did not become ready in {START_SECONDS} s:\n{log.read_text()}")
            time.sleep(0.1)
        else:
            return
    sys.exit(f"license-server serve ended with {process.returncode}:\n{log.read_text()}")


if __name__ == "__main__":
    main()
