"""Life after a fork: a child process has the objects of its parent, but none of its threads.

Servers that load a program once and fork its workers (gunicorn --preload, uWSGI) would otherwise
be left with locks that nobody frees and threads that are not there.
"""

import os
from collections.abc import Callable
from weakref import WeakMethod


def after_fork(renew: Callable[[], None]) -> None:
    """Have a bound method called in every child process, for as long as its object lives."""
    reference = WeakMethod(renew)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    if hasattr(os, "register_at_fork"):  # there is no fork on Windows
        os.register_at_fork(after_in_child=call)
