"""`make secrets`: what the Compose files need besides images, once, in a folder that git ignores.

Whatever is there already stays as it is, so that it may be run again at any time. Files are for
their owner alone, who is the user of the containers: yourself, or user 10001 where root runs this.
Those of the databases can be read by every user of their container, whose number depends on its
image; on this machine the folder keeps others out.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import trustme

DEPLOY: Final = Path(__file__).resolve().parent
APP_UID: Final = 10001
_BIN: Final = Path(sys.executable).parent
_OWNER_ONLY: Final = 0o600
_ANYBODY: Final = 0o444
_PASSWORD_BYTES: Final = 24
_HOSTS: Final = ("license-server", "db-api", "vendor-db", "customer-db", "proxy")


def make(folder: Path) -> None:
    """Make what is missing in a folder.

    Args:
        folder: of the secrets; it is made if it is missing.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    _make_certificates(folder)
    _make_vendor(folder)
    for database, role, address in (
        ("vendor", "migrator", "license_migrator:{}@vendor-db/licenses"),
        ("vendor", "server", "license_server:{}@vendor-db/licenses"),
        ("customer", "api", "db_api:{}@customer-db/app"),
    ):
        password = _keep(folder / f"{database}-db-{role}-password", _password, _ANYBODY)
        url = f"postgresql://{address}?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem"
        _keep(folder / f"{database}-{role}-url", partial(url.format, password))
    for database in ("vendor", "customer"):
        _keep(folder / f"{database}-db-password", _password, _ANYBODY)
    _keep(folder / "auth-pass", _password)
    _keep(folder / "license-encryption-key", lambda: secrets.token_hex(32))
    _give_to_containers(folder)


def _make_certificates(folder: Path) -> None:
    """Make an authority of this deployment alone, and a certificate for each service."""
    authority, key = folder / "ca.pem", folder / "ca.key"
    if authority.exists():
        ca = trustme.CA.from_pem(authority.read_bytes(), key.read_bytes())
    else:
        ca = trustme.CA(organization_name="License deployment")
        _write(authority, ca.cert_pem.bytes(), _ANYBODY)
        _write(key, ca.private_key_pem.bytes(), _OWNER_ONLY)
    for host in _HOSTS:
        certificate = folder / f"{host}.pem"
        if not certificate.exists():
            issued = ca.issue_cert(host, "localhost", "127.0.0.1")
            mode = _ANYBODY if host.endswith("-db") else _OWNER_ONLY
            _write(folder / f"{host}.key", issued.private_key_pem.bytes(), mode)
            chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
            _write(certificate, chain, _ANYBODY)


def _make_vendor(folder: Path) -> None:
    """Make the keys of the license server, and what customers trust."""
    vendor, trust = folder / "vendor", folder / "trust.json"
    if not vendor.exists():
        _run("license-server", "init", str(vendor))
        (vendor / "license-server.db").unlink()  # PostgreSQL serves, and `migrate` prepares it
    if not trust.exists():
        _run("license-server", "--dir", str(vendor), "keyset", "export-trust", "-o", str(trust))


def _keep(path: Path, make_text: Callable[[], str], mode: int = _OWNER_ONLY) -> str:
    """Return the text of a file, which is made if it is missing."""
    if not path.exists():
        _write(path, make_text().encode(), mode)
    return path.read_text()


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
    part.rename(path)


def _password() -> str:
    return secrets.token_hex(_PASSWORD_BYTES)


def _run(*command: str) -> None:
    """Run a command, whose advice is for who runs it by hand."""
    done = subprocess.run(
        [_BIN / command[0], *command[1:]], check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)


def _give_to_containers(folder: Path) -> None:
    """Let the user of the containers own the files, and tell Compose who that is."""
    user = os.geteuid() or APP_UID
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
    (DEPLOY / ".env").write_text(f"# written by `make secrets`\nAPP_UID={user}\n")


if __name__ == "__main__":
    make(DEPLOY / "secrets")
    sys.stderr.write("""deploy/secrets has all that the Compose files need.

Take vendor/root.key offline, and ca.key: no service needs them. Next:
  docker compose -f deploy/compose.yaml up --build --wait
""")
