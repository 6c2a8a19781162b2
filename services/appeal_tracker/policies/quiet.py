"""Quiet hours: the stretch of the night in which nobody is called, 000 §7.2.5.2."""

import msgspec

from appeal_tracker.calendars.civil import DAY


class QuietHours(msgspec.Struct, frozen=True):
    """A daily stretch of civil time, in ticks after midnight; it runs over midnight where `begins` > `ends`."""

    begins: int
    ends: int

    def stretch(self, ticks: int) -> tuple[int, int] | None:
        """Return the quiet stretch an instant lies in, from and with its beginning up to its end, or None."""
        since = (ticks - self.begins) % DAY
        length = (self.ends - self.begins) % DAY
        return (ticks - since, ticks - since + length) if since < length else None
