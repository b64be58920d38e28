"""SIGHUP, by which whoever runs a daemon asks it to look at the world again."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def calling_on_hangup(action: Callable[[], None]) -> Iterator[None]:
    """Call an action in the running loop for each SIGHUP; Windows has none."""
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, action)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
