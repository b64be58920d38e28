"""The reverse proxies of `deploy/`, as processes: their files with ports and names of a test."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.tcp_forwarder import free_port
from support.tls import TlsFiles

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
NAMES: Final = {"license-server": "license.example.com", "db-api": "api.example.com"}
"""The name that the files of each service have."""

PORTS: Final = {"license-server": "3002", "db-api": "3001"}
HOST: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs.

    Attributes:
        https: where it speaks HTTPS.
        http: where it speaks plain HTTP.
    """

    https: str
    http: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy runs, instead of on a machine of its own.

    Attributes:
        folder: of its files.
        upstream_port: of the service behind it.
        tls: its certificate, for localhost.
        http_port: instead of 80.
        https_port: instead of 443.
    """

    folder: Path
    upstream_port: int
    tls: TlsFiles
    http_port: int
    https_port: int


@contextmanager
def proxying(program: str, service: str, upstream_port: int, tls: TlsFiles) -> Iterator[Proxy]:
    """Run `nginx` or `caddy` in front of a service on this machine.

    Args:
        program: one of `PROGRAMS`.
        service: one of `NAMES`.
        upstream_port: where it listens.
        tls: the proxy's certificate.
    """
    folder = tls.cert.parent / f"{program}-{service}-{upstream_port}"
    folder.mkdir()
    place = Place(folder, upstream_port, tls, free_port(), free_port())
    command, is_up = PROGRAMS[program](service, place)
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={"HOME": str(folder), "PATH": "/"}
    ) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if is_up in line:
                break
        else:
            raise AssertionError(f"{program} did not start: {''.join(seen)}")
        try:
            yield Proxy(f"https://{HOST}:{place.https_port}", f"http://{HOST}:{place.http_port}")
        finally:
            process.terminate()


def _nginx(service: str, place: Place) -> tuple[Sequence[str | Path], str]:
    certificates = f"/etc/letsencrypt/live/{NAMES[service]}"
    site = _changed(
        DEPLOY / "nginx" / f"{service}.conf",
        {
            f"{certificates}/fullchain.pem": str(place.tls.cert),
            f"{certificates}/privkey.pem": str(place.tls.key),
            NAMES[service]: HOST,
            f"127.0.0.1:{PORTS[service]}": f"127.0.0.1:{place.upstream_port}",
            "listen 80;": f"listen 127.0.0.1:{place.http_port};",
            "listen 443 ": f"listen 127.0.0.1:{place.https_port} ",
            "/var/www/letsencrypt": str(place.folder / "webroot"),
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {place.folder}/{kind};" for kind in kinds)
    file = place.folder / "nginx.conf"
    file.write_text(
        f"user root; daemon off; pid {place.folder}/pid; error_log stderr notice;"
        f"events {{}} http {{ {folders} {site} }}"
    )
    return (_found("nginx"), "-c", file), "start worker process "


def _caddy(service: str, place: Place) -> tuple[Sequence[str | Path], str]:
    name = NAMES[service]
    ports = f"http_port {place.http_port}\n https_port {place.https_port}\n admin off"
    text = _changed(
        DEPLOY / "caddy" / f"{service}.Caddyfile",
        {
            "auto_https disable_redirects": f"auto_https disable_redirects\n {ports}",
            f"https://{name} {{": f"https://{HOST} {{\n bind 127.0.0.1\n"
            f" tls {place.tls.cert} {place.tls.key}",
            f"http://{name} {{": f"http://{HOST} {{\n bind 127.0.0.1",
            name: HOST,
            f"127.0.0.1:{PORTS[service]}": f"127.0.0.1:{place.upstream_port}",
        },
    )
    file = place.folder / "Caddyfile"
    file.write_text(text)
    command = (_found("caddy"), "run", "--config", file, "--adapter", "caddyfile")
    return command, "serving initial configuration"


PROGRAMS: Final[Mapping[str, Callable[[str, Place], tuple[Sequence[str | Path], str]]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
}
"""How each is started, and what it says once it is up."""


def _changed(file: Path, changes: Mapping[str, str]) -> str:
    """Return the text of a file with each of some parts, which must be there, replaced."""
    text = file.read_text(encoding="utf-8")
    for part, instead in changes.items():
        assert part in text, f"{file} has no {part!r}"
        text = text.replace(part, instead)
    return text


def _found(program: str) -> str:
    path = shutil.which(program, path="/usr/sbin:/usr/bin")
    assert path is not None, f"{program} is not installed: run `make test-system`"
    return path
