"""Kill writers of a cache at every moment: `python -m support.client_killer FOLDER ROUNDS`.

Prints how many times the cache could not be read afterwards, as JSON. The benchmark runs it for
longer than the tests do.
"""

import json
import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from license_client._cache import Document, EncryptionKey, KeyRing
from license_client._store import Content, Store
from license_client.policy import HighWater, Mark

KEYS = KeyRing(EncryptionKey(bytes(range(32))))
_LONGEST_SECONDS = 0.01


def document(number: int) -> Document:
    mark = Mark("boot", number)
    return Document("x" * 4_000, (), "instance", mark, HighWater(number, mark))


def write_for_ever(store: Store) -> None:
    """Write newer and newer documents until killed."""
    for _ in count():
        store.update(_newer)


def _newer(content: Content) -> Document:
    before = content.document.high_water if content.document else None
    return document(before.at + 1 if before else 1)


def kill_writers(folder: Path, rounds: int) -> dict[str, object]:
    """Kill `rounds` writers, one after the other, and read what each left behind."""
    store, chance = Store(folder, KEYS), random.Random(1)
    store.update(lambda _: document(0))
    unreadable = backward = highest = 0
    for _ in range(rounds):
        _write_and_die(store, chance.uniform(0, _LONGEST_SECONDS))
        found = store.load().document
        at = found.high_water.at if found and found.high_water else -1
        unreadable += found is None
        backward += at < highest
        highest = max(highest, at)
    files = sorted(file.name for file in folder.iterdir())
    return {"unreadable": unreadable, "backward": backward, "written": highest, "files": files}


def _write_and_die(store: Store, seconds: float) -> None:
    writer = os.fork()
    if writer == 0:
        try:
            write_for_ever(store)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(kill_writers(Path(sys.argv[1]), int(sys.argv[2]))))
