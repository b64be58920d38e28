"""What sslscan finds out about the TLS of a listener."""

import subprocess
from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a listener agrees to.

    Attributes:
        protocols: as `tls 1.3`.
        ciphers: by OpenSSL's names.
        weaknesses: what else it lets a client do that it should not.
    """

    protocols: set[str]
    ciphers: set[str]
    weaknesses: set[str]


def scan(port: int) -> Spoken:
    """Ask a listener on this machine, as `localhost`, for every protocol and cipher there is."""
    command = ["sslscan", "--xml=-", "--sni-name=localhost", f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = ET.fromstring(done.stdout)
    spoken = (one for one in found.iter("protocol") if one.get("enabled") == "1")
    weak = {
        "compression": found.iterfind(".//compression[@supported='1']"),
        "heartbleed": found.iterfind(".//heartbleed[@vulnerable='1']"),
        "insecure renegotiation": found.iterfind(".//renegotiation[@supported='1'][@secure='0']"),
    }
    return Spoken(
        {f"{one.get('type')} {one.get('version')}" for one in spoken},
        {one.get("cipher", "") for one in found.iter("cipher")},
        {name for name, elements in weak.items() if any(True for _ in elements)},
    )


def require_modern(spoken: Spoken) -> None:
    """Accept TLS 1.2 and 1.3 with forward secrecy and authenticated encryption alone."""
    assert spoken.protocols == {"tls 1.2", "tls 1.3"}
    assert spoken.ciphers
    assert {one for one in spoken.ciphers if not one.startswith(("ECDHE-", "TLS_"))} == set()
    assert {one for one in spoken.ciphers if "CBC" in one or one.endswith("-SHA")} == set()
    assert spoken.weaknesses == set()
