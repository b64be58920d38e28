"""What Prometheus scrapes: counts of this process, and what the database knows at that moment."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from license_server.api.endpoints import (
    READERS,
    AnyEndpoint,
    Nothing,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.codes import Code
from license_server.desk import Desk
from license_server.keysets import KeySet
from license_server.logs import AccessLog

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The counts of one process.

    Args:
        newest: the key set that this server signs under.
    """

    def __init__(self, newest: KeySet) -> None:
        self._newest = newest
        self.registry = CollectorRegistry()
        self._decisions = Counter(
            "license_server_decisions",
            "Signed decisions by code.",
            ["code"],
            registry=self.registry,
        )
        self._by_code = {code: self._decisions.labels(code.value) for code in Code}
        self._requests = Counter(
            "license_server_requests",
            "Answered requests by status.",
            ["status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "license_server_request_seconds",
            "From head to end.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._by_status: dict[int, Counter] = {}
        self._licenses = Gauge(
            "license_server_licenses",
            "Licenses by product and status.",
            ["product", "status"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "license_server_outbox_waiting", "Entries not done yet.", registry=self.registry
        )
        self._late = Gauge(
            "license_server_outbox_late_seconds",
            "How long the entry that is due first has waited for a worker.",
            registry=self.registry,
        )
        self._entries = Gauge(
            "license_server_audit_entries", "Length of the audit log.", registry=self.registry
        )
        self._key_ends = Gauge(
            "license_server_key_not_after_seconds",
            "End of each active key.",
            ["kid"],
            registry=self.registry,
        )
        self._storage_failures = Counter(
            "license_server_rate_limit_storage_failures",
            "Times that the shared storage of rate limits did not answer.",
            registry=self.registry,
        )
        self._keyset_ends = Gauge(
            "license_server_keyset_expires_seconds",
            "When clients begin to warn.",
            registry=self.registry,
        )

    def count_decision(self, code: Code) -> None:
        """Count a signed decision."""
        self._by_code[code].inc()

    def decisions(self) -> Mapping[str, int]:
        """Return how many decisions of each code were signed; those of none are left out."""
        return {
            sample.labels["code"]: int(sample.value)
            for metric in self._decisions.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.value
        }

    def count_request(self, status: int, seconds: float) -> None:
        """Count an answered request."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._requests.labels(str(status))
        counter.inc()
        self._latency.observe(seconds)

    def count_storage_failure(self) -> None:
        """Count that the storage of rate limits did not answer."""
        self._storage_failures.inc()

    async def scrape(self, desk: Desk) -> bytes:
        """Return everything in Prometheus' text form."""
        counts = await desk.transaction.licenses.count_by_status(desk.now)
        self._licenses.clear()
        for (product, status), number in counts.items():
            self._licenses.labels(product, status.value).set(number)
        backlog = await desk.transaction.outbox.backlog()
        self._waiting.set(backlog.waiting)
        self._late.set(backlog.late(desk.now).total_seconds())
        newest = await desk.transaction.audit.newest(1)
        self._entries.set(newest[0].seq if newest else 0)
        self._keyset_ends.set(self._newest.expires)
        for key in self._newest.keys:
            self._key_ends.labels(key.kid).set(key.not_after)
        return generate_latest(self.registry)

    def endpoint(self) -> AnyEndpoint:
        """Return where they are scraped, with a token of any role."""
        return StreamEndpoint(
            "GET", "/metrics", "metrics.get", "Show metrics for Prometheus", READERS, Nothing, (),
            (MEDIA_TYPE,), partial(_show, self),
        )  # fmt: skip


class CountingAccessLog(AccessLog):
    """An access log that counts what it writes.

    Args:
        metrics: counts.
        now: the wall clock.
        stream: where the lines go, or None for nowhere.
    """

    def __init__(
        self, metrics: Metrics, now: Callable[[], datetime], stream: TextIO | None
    ) -> None:
        super().__init__(now, stream)
        self._metrics = metrics

    def write(
        self, *, request_id: str, client: str, method: str, path: str, status: int, seconds: float
    ) -> None:
        """Count, and write the line."""
        self._metrics.count_request(status, seconds)
        super().write(
            request_id=request_id,
            client=client,
            method=method,
            path=path,
            status=status,
            seconds=seconds,
        )


async def _show(metrics: Metrics, call: StreamCall[Nothing]) -> Streamed:
    async with call.open_desk() as desk:
        text = await metrics.scrape(desk)
    return Streamed(MEDIA_TYPE, _once(text))


async def _once(text: bytes) -> AsyncIterator[bytes]:
    yield text
