"""What is changed of the server itself."""

from datetime import datetime

from license_server.desk import Desk


async def accept_clock(desk: Desk) -> datetime:
    """Take the desk's time as right, although a clock that ran ahead has left a later one behind.

    Returns:
        The newest time seen before.
    """
    before = await desk.transaction.state.replace_newest_time(desk.now)
    old, new = ({"newest_at": int(time.timestamp())} for time in (before, desk.now))
    await desk.record("clock.accept", "clock", old, new)
    return before


async def record_keyset(desk: Desk, issuer: str, epoch: int) -> None:
    """Record that this server has a new key set."""
    await desk.record("keyset.publish", issuer, None, {"epoch": epoch})
