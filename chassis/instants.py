"""Instants on their way to the database and back: what a batch of rows shares is worked out once, not for each row."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import asyncpg

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # what PostgreSQL counts microseconds from
_MICROSECOND = timedelta(microseconds=1)
_KEPT = 4096  # of each: more than are shared at a time


@lru_cache(_KEPT)
def encoded(instant: datetime) -> tuple[int]:
    """The microseconds of an aware instant, of a fixed offset. Raises TypeError where it is naive, OverflowError where
    it has no year in UTC: it could be written, and never read again."""
    if instant.tzinfo is None:
        raise TypeError("an instant needs its offset")
    return ((instant.astimezone(UTC) - _EPOCH) // _MICROSECOND,)


@lru_cache(_KEPT)
def decoded(microseconds: tuple[int]) -> datetime:
    """The instant, in UTC. Raises OverflowError where no datetime can hold it: those of SQL alone, and infinity."""
    return _EPOCH + timedelta(0, 0, microseconds[0])


async def carry(connection: asyncpg.Connection) -> None:
    """Has a connection take and give instants this way: the driver's own works each out anew, and asks its zone."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=encoded, decoder=decoded, format="tuple"
    )
