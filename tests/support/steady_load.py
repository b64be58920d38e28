"""Clients that send one request after the other while something happens to the servers."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import httpx

CLIENTS: Final = 4
_SECONDS: Final = 60

Send = Callable[[httpx.Client, int], httpx.Response]
"""Sends the request of a number, which no other has."""


@dataclass
class SteadyLoad:
    """Requests without end, and what came of them.

    Attributes:
        send: one of them.
        answers: how often each status was answered.
        acknowledged: the numbers of requests that were answered by success.
        broken: the numbers of requests that got no answer, or a 503 that does not say when to come
            again, with the reason.
    """

    send: Send
    answers: Counter[int] = field(default_factory=Counter)
    acknowledged: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = count()
        self._changed = threading.Condition()
        self._stop = threading.Event()

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Let the clients send meanwhile."""
        threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def wait_for(self, *statuses: int) -> None:
        """Wait until 10 more requests are answered by one of the statuses."""
        with self._changed:
            enough = self._count(statuses) + 10
            came = self._changed.wait_for(lambda: self._count(statuses) >= enough, _SECONDS)
            assert came, (self.answers, self.broken)

    def _count(self, statuses: tuple[int, ...]) -> int:
        return sum(self.answers[status] for status in statuses)

    def _run(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                number = next(self._numbers)
                try:
                    self._note(number, self.send(client, number))
                except httpx.HTTPError as error:
                    with self._changed:
                        self.broken[number] = repr(error)

    def _note(self, number: int, answer: httpx.Response) -> None:
        with self._changed:
            self.answers[answer.status_code] += 1
            if answer.status_code == 503 and "retry-after" not in answer.headers:
                self.broken[number] = "503 without Retry-After"
            if answer.is_success:
                self.acknowledged.add(number)
            self._changed.notify_all()
