"""Civil time in China, as people are told it."""

from datetime import datetime, timedelta, timezone

# A fixed offset, not `zoneinfo`: China has kept UTC+8 without summer time since 1991, and a slim container has no zone
# database to ask.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def wall_text(instant: datetime) -> str:
    """An instant as deadlines are written on paper: `2026-10-19 24:00`, never `2026-10-20 00:00`."""
    local = instant.astimezone(CHINA)
    if local.time() == datetime.min.time():
        return f"{local.date() - timedelta(days=1)} 24:00"
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
