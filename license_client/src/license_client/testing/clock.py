"""A clock that tests turn by hand."""

from license_client._clock import Reading

NOON = 1_800_000_000  # 2027-01-15, an instant without meaning
HOUR = 3_600
DAY = 86_400


class FixedClock:
    """Stands still until it is moved; wall and boot clock can be moved apart."""

    def __init__(self, wall: int = NOON, boot: str = "boot-1") -> None:
        self.wall = wall
        self.boottime = 1_000
        self.boot = boot

    def read(self) -> Reading:
        """Look at the clocks, as the client does."""
        return Reading(self.wall, self.boottime, self.boot)

    def advance(self, seconds: int) -> None:
        """Let time pass, as it does."""
        self.wall += seconds
        self.boottime += seconds

    def turn(self, seconds: int) -> None:
        """Turn the wall clock, as anybody may."""
        self.wall += seconds

    def reboot(self, seconds_off: int = 60) -> None:
        """Start the machine anew."""
        self.wall += seconds_off
        self.boottime = 10
        self.boot = f"{self.boot}+"
