"""SQL of the calendars."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars.editions import Edition
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.models import CalendarVersion, ListedDay
from chassis.db import driver

_LISTED = (ListedDay.date, ListedDay.working, ListedDay.name, ListedDay.source)


_NEWEST = """
SELECT DISTINCT ON (calendar) calendar, version, extends FROM calendar_versions ORDER BY calendar, version DESC
"""


class Head(NamedTuple):
    """A version of a calendar, and what it lies over."""

    calendar: str
    version: int
    extends: str | None


async def newest(tx: AsyncSession) -> dict[str, Head]:
    """The newest version of each calendar."""
    return {row["calendar"]: Head(*row) for row in await (await driver(tx)).fetch(_NEWEST)}


async def versions(tx: AsyncSession, calendar: str) -> Sequence[CalendarVersion]:
    """The published versions of a calendar, the newest first."""
    query = select(CalendarVersion).where(CalendarVersion.calendar == calendar)
    return (await tx.scalars(query.order_by(CalendarVersion.version.desc()))).all()


async def editions(tx: AsyncSession, wanted: Sequence[tuple[str, int]]) -> dict[str, Edition]:
    """The wanted versions with the days they list, by calendar."""
    version = CalendarVersion
    heads = await tx.execute(
        select(version.calendar, version.version, version.extends).where(
            tuple_(version.calendar, version.version).in_(wanted)
        )
    )
    listed = await tx.execute(
        select(ListedDay.calendar, *_LISTED)
        .where(tuple_(ListedDay.calendar, ListedDay.version).in_(wanted))
        .order_by(ListedDay.date)
    )
    days: dict[str, list[CalendarDay]] = {}
    for row in listed:
        days.setdefault(row.calendar, []).append(CalendarDay(row.date, row.working, row.name, row.source))
    found = [Edition(head.calendar, head.version, tuple(days[head.calendar]), head.extends) for head in heads]
    return {edition.id: edition for edition in found}


def publish(connection: Connection, edition: Edition) -> None:
    """Stores an edition unless its version is published already; a published version never changes."""
    key = {"calendar": edition.id, "version": edition.version}
    head = upsert(CalendarVersion).values(**key, extends=edition.extends).on_conflict_do_nothing()
    if connection.execute(head.returning(CalendarVersion.version)).first():
        rows = [
            {**key, "date": day.date, "working": day.working, "name": day.name, "source": day.source}
            for day in edition.days
        ]
        connection.execute(insert(ListedDay), rows)
