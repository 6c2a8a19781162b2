"""SQL of the calendars."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars.editions import Edition
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.models import CalendarVersion, ListedDay

_LISTED = (ListedDay.date, ListedDay.working, ListedDay.name, ListedDay.source)


async def versions(tx: AsyncSession, calendar: str | None = None) -> Sequence[CalendarVersion]:
    """The published versions, of one calendar or of all, by calendar, the newest first."""
    query = select(CalendarVersion).order_by(CalendarVersion.calendar, CalendarVersion.version.desc())
    if calendar is not None:
        query = query.where(CalendarVersion.calendar == calendar)
    return (await tx.scalars(query)).all()


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
