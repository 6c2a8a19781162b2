"""Quiet hours: the stretch of the night in which nobody is called, 000 §7.2.5.2."""

import msgspec

from appeal_tracker.calendars.civil import DAY, HOUR


class QuietHours(msgspec.Struct, frozen=True):
    """A daily stretch of civil time, in ticks after midnight; it runs over midnight where `begins` > `ends`."""

    begins: int
    ends: int

    def stretch(self, ticks: int) -> tuple[int, int] | None:
        """Return the quiet stretch an instant lies in, from and with its beginning up to its end, or None."""
        since = (ticks - self.begins) % DAY
        return (ticks - since, ticks - since + self._length) if since < self._length else None

    def contains(self, other: "QuietHours") -> bool:
        """Tell whether all of another's stretch lies in this one."""
        return (other.begins - self.begins) % DAY + other._length <= self._length

    @property
    def _length(self) -> int:
        return (self.ends - self.begins) % DAY

    def __str__(self) -> str:
        return f"{_hour(self.begins)}–{_hour(self.ends)}"


def _hour(ticks: int) -> str:
    return f"{ticks // HOUR:02}:{ticks % HOUR * 60 // HOUR:02}"
