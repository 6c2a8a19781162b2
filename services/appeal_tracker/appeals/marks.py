"""Marks in time: from which transaction on whatever changed since an instant was written.

A list that is followed from an instant goes by transactions, and would be read from its first change to find where the
instant lies. A mark says that whatever bears a time of change at or after it was written by no older transaction than
its own. So nothing is missed by beginning there: who was still writing when it was set has a number that is not below
it; who had ended took its time before, by a clock that is wrong by no more than `SKEW`. Without a mark that is old
enough a list is read from its beginning.
"""

from datetime import datetime, timedelta

from asyncpg import Connection
from sqlalchemy import BigInteger
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.clock import Clock
from chassis.db import driver

SKEW = timedelta(minutes=1)  # of real time, between the clocks of two processes

_OLDEST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_SET = "INSERT INTO feed_marks (at, xid) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_BELOW = "SELECT xid FROM feed_marks WHERE at <= $1 ORDER BY at DESC LIMIT 1"


class FeedMark(Base):
    """Whatever bears a time of change at `at` or later was written by transaction `xid` or a younger one."""

    __tablename__ = "feed_marks"

    at: Mapped[datetime] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)


async def mark(connection: Connection, time: Clock) -> None:
    """Sets a mark for the present."""
    oldest = await connection.fetchval(_OLDEST_RUNNING)
    await connection.execute(_SET, time.now() + SKEW * time.speed, oldest)  # asked what time it is only after that


async def below(tx: AsyncSession, since: datetime) -> int | None:
    """The transaction at which whatever changed since an instant may begin; None where no mark is as old."""
    first: int | None = await (await driver(tx)).fetchval(_BELOW, since)
    return first
