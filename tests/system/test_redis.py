"""Several license servers that count together in a Redis, which does not always answer."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import pytest

from support.license_requests import ask, guess
from support.servers import RunningServer
from support.tcp_forwarder import free_port
from support.vendor import Sold, Vendor

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

PASSWORD = "canary-of-redis"


class Redis:
    """A Redis of this test, behind a password."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is not installed: run `make test-system`"
        self.port = free_port()
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--requirepass", PASSWORD],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._log = self._process.stdout
        for line in self._log:
            if "Ready to accept connections" in line:
                break

    def uri(self, scheme: str) -> str:
        return f"{scheme}://:{PASSWORD}@127.0.0.1:{self.port}/1"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.stop()
        self._log.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    running = Redis(tmp_path)
    yield running
    running.close()


@pytest.fixture
def vendor(new_database: Callable[..., str], tmp_path: Path) -> Vendor:
    vendor = Vendor(tmp_path / "vendor", None, {"DATABASE_URL": new_database()})
    vendor.create_product()
    return vendor


@pytest.fixture
def sold(vendor: Vendor) -> Sold:
    return vendor.sell("ada@example.com")


def test_servers_count_together_and_alone_while_redis_is_frozen_or_gone(
    vendor: Vendor, sold: Sold, redis: Redis
) -> None:
    other = vendor.sell("bob@example.com")
    with (
        vendor.serving(RATE_LIMIT_STORAGE_URI=redis.uri("redis")) as one,
        vendor.serving(RATE_LIMIT_STORAGE_URI=redis.uri("valkey")) as two,
    ):
        servers = (one, two)
        assert ask(one, sold).json()["code"] == "VALID"
        assert [guess(s, sold) for s in islice(cycle(servers), 10)] == [200] * 10
        assert [guess(s, sold) for s in servers] == [429] * 2
        with redis.frozen():
            assert_limits_alone(one, sold, other)
        while not one.events("ratelimit.storage_back"):
            guess(one, sold)
        redis.stop()
        assert_limits_alone(two, sold, other)
        log = one.log + two.log
        assert [server.stop() for server in servers] == [0, 0]

    assert PASSWORD not in log


def assert_limits_alone(server: RunningServer, spent: Sold, fresh: Sold) -> None:
    assert guess(server, spent) == 429
    assert [guess(server, fresh) for _ in range(11)] == [200] * 10 + [429]
    assert ask(server, spent).json()["code"] == "VALID"
    assert server.events("ratelimit.storage_unreachable")
