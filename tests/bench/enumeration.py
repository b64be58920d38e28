"""Whether time tells who is known: the same request for known and unknown addresses, by turns.

The rank-sum test (Wilcoxon, Mann and Whitney; normal approximation) compares the two samples, once
of the time until the answer, as an attacker sees it, once of the CPU of the server, which other
load disturbs less. The control adds a leak of 180 us to what was measured: where that is not found,
the machine is too noisy to prove anything.
"""

import http.client
import json
import math
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bench.cpu import cpu_seconds
from support.servers import RunningServer
from support.vendor import PRODUCT, Vendor

PAIRS: Final = 1_000
LEAK_SECONDS: Final = 180e-6
UNSUSPICIOUS: Final = 4.0
"""A |z| below it: by chance alone a larger one comes once in 16,000 runs."""
_WARM_UP: Final = 50
_SETTINGS: Final = {
    "RUN_WORKER": "false",  # its work comes later, and must not come in between
    "TRUSTED_PROXIES": "127.0.0.1/32",
    "REQUESTS_PER_MINUTE": "1000000000",
}


def measure(folder: Path, database_url: str) -> Sequence[str]:
    """Ask for trials and for recovery, and return two lines for each."""
    known = [_address("known", number) for number in range(PAIRS + _WARM_UP)]
    vendor = Vendor(folder / "vendor", None, {**_SETTINGS, "DATABASE_URL": database_url})
    vendor.create_product()
    _sell(vendor, known, folder / "buyers.csv")
    with vendor.serving() as server:
        return [
            _line(f"{path}, {what}", known_seconds, unknown_seconds)
            for path in ("trials", "recovery")
            for what, known_seconds, unknown_seconds in _time_pairs(server, path, known)
        ]


def rank_sum_z(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how far, in standard deviations, the first sample lies above the second."""
    merged = sorted([(value, True) for value in first] + [(value, False) for value in second])
    ranks = sum(rank for rank, (_, is_first) in enumerate(merged, 1) if is_first)
    n, m = len(first), len(second)
    mean = n * (n + m + 1) / 2
    return (ranks - mean) / math.sqrt(n * m * (n + m + 1) / 12)


def _line(what: str, known: Sequence[float], unknown: Sequence[float]) -> str:
    z = rank_sum_z(known, unknown)
    control = rank_sum_z([seconds + LEAK_SECONDS for seconds in known], unknown)
    apart = (statistics.median(known) - statistics.median(unknown)) * 1e6
    verdict = "tells nothing" if abs(z) < UNSUSPICIOUS else "TELLS"
    power = "" if control > UNSUSPICIOUS else ", WHICH IS NOT FOUND: too noisy to judge"
    return (
        f"known against unknown, {what:<14} {verdict}: z {z:+.1f}, medians {apart:+.0f} us apart, "
        f"{len(known):,} pairs; control with a leak of {LEAK_SECONDS * 1e6:.0f} us: "
        f"z {control:+.1f}{power}"
    )


def _time_pairs(
    server: RunningServer, path: str, known: Sequence[str]
) -> Iterator[tuple[str, Sequence[float], Sequence[float]]]:
    samples: dict[str, list[_Cost]] = {"known": [], "nobody": []}
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc)) as connection:
        for number in range(len(known)):
            names = sorted(samples, reverse=bool(secrets.randbits(1)))
            for name in names:
                begun = _Cost(time.perf_counter(), cpu_seconds(server.pid))
                _ask(connection, path, _address(name, number))
                cost = _Cost(time.perf_counter(), cpu_seconds(server.pid)).since(begun)
                if number >= _WARM_UP:
                    samples[name].append(cost)
    yield "time", [one.wall for one in samples["known"]], [one.wall for one in samples["nobody"]]
    yield "CPU", [one.cpu for one in samples["known"]], [one.cpu for one in samples["nobody"]]


class _Cost(NamedTuple):
    wall: float
    cpu: float

    def since(self, begun: "_Cost") -> "_Cost":
        return _Cost(self.wall - begun.wall, self.cpu - begun.cpu)


def _ask(connection: http.client.HTTPConnection, path: str, email: str) -> None:
    body = json.dumps({"email": email, "product": PRODUCT})
    address = ".".join(str(byte) for byte in (10, *secrets.token_bytes(3)))  # no limit is met
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    connection.request("POST", f"/v1/{path}", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(f"{path} answered {answer.status}")


def _address(name: str, number: int) -> str:
    return f"{name:_<8}{number:05}@example.com"


def _sell(vendor: Vendor, emails: Sequence[str], file: Path) -> None:
    file.write_text("product,email\n" + "".join(f"{PRODUCT},{email}\n" for email in emails))
    vendor.command("license", "import", str(file))
