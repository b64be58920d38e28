"""What a million licenses cost on PostgreSQL: their import, a request, the proof of their log."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench import cpu, license_server
from support.postgres import SharedPostgres
from support.servers import BIN
from support.vendor import Sold, Vendor

SIZES: Final = (1_000, 100_000, 1_000_000)
IMPORT_AT_MOST_SECONDS: Final = 90  # of the greatest size
FLAT: Final = 1.2  # a request among more licenses costs at most so many times as much
_ASKED: Final = 200  # licenses that deployments ask for
_MEASURED: Final = """
import os, sys
_, status, used = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(
    folder: Path, postgres: SharedPostgres, yardstick: cpu.Target, say: Callable[[str], None]
) -> None:
    """Import, ask, verify; say each figure as it comes."""
    vendors = [
        license_server.new_vendor(folder / str(size), postgres.create(f"with_{size}"))
        for size in SIZES
    ]
    with ExitStack() as stack:
        targets = []
        for size, vendor in zip(SIZES, vendors, strict=True):
            asked = _import(vendor, size, say)
            name = f"signed validate, {size:,} licenses"
            targets.append(stack.enter_context(license_server.validating(name, vendor, asked)))
        figures = cpu.measure(yardstick, targets)
        for figure in figures:
            say(str(figure))
        for (few, smaller), (many, greater) in pairwise(zip(SIZES, figures[1:], strict=True)):
            say(
                f"a request among {many:,} licenses costs {greater.median / smaller.median:.2f} "
                f"of one among {few:,}   aim <= {FLAT:g}"
            )
    _verify(vendors[-1], say)


def _import(vendor: Vendor, size: int, say: Callable[[str], None]) -> Sequence[Sold]:
    """Import licenses; return some of them."""
    started = time.perf_counter()
    keys = vendor.import_licenses(size)
    seconds = time.perf_counter() - started
    aim = f"   aim <= {IMPORT_AT_MOST_SECONDS} s" if size == SIZES[-1] else ""
    say(f"import of {size:,} licenses: {seconds:.1f} s, {size / seconds:,.0f} a second{aim}")
    every = size // _ASKED
    return [sold for n, sold in enumerate(license_server.imported(keys)) if n % every == 0]


def _verify(vendor: Vendor, say: Callable[[str], None]) -> None:
    program = [str(BIN / "license-server"), "--dir", str(vendor.folder), "audit", "verify"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *program],
        env={**os.environ, **vendor.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    used, megabytes = done.stderr.split()
    say(
        f"audit verify of {SIZES[-1]:,} entries: {seconds:.1f} s ({float(used):.1f} s CPU), "
        f"at most {megabytes} MB"
    )
