"""SQL of the calendars."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, exists, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

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


async def lock(tx: AsyncSession) -> None:
    """Makes others who would publish a calendar wait: any of them, for a version is judged by those it lies over."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("calendar_versions"))))


def listed(calendar: str | None = None) -> Select[Any]:
    """The versions of a calendar; of every calendar the newest, where none is named."""
    if calendar is not None:
        return select(CalendarVersion).where(CalendarVersion.calendar == calendar)
    newer = aliased(CalendarVersion)
    superseded = exists().where(newer.calendar == CalendarVersion.calendar, newer.version > CalendarVersion.version)
    return select(CalendarVersion).where(~superseded)


async def is_known(tx: AsyncSession, calendar: str) -> bool:
    """Whether a calendar was ever published."""
    return bool(await tx.scalar(select(exists().where(CalendarVersion.calendar == calendar))))


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
    found = [Edition(head.calendar, head.version, tuple(days.get(head.calendar, ())), head.extends) for head in heads]
    return {edition.id: edition for edition in found}


async def add(tx: AsyncSession, edition: Edition, sources: Sequence[str], by: str, at: datetime) -> CalendarVersion:
    """Stores a new version with the days it lists."""
    version = CalendarVersion(
        calendar=edition.id,
        version=edition.version,
        extends=edition.extends,
        published_at=at,
        published_by=by,
        sources=list(sources),
        updated_at=at,
    )
    tx.add(version)
    await tx.flush()
    if edition.days:
        await tx.execute(insert(ListedDay), _rows(edition))
    return version


async def touch(tx: AsyncSession, versions: Collection[tuple[str, int]], at: datetime) -> None:
    """Marks versions as changed: what they lie over has."""
    which = tuple_(CalendarVersion.calendar, CalendarVersion.version).in_(versions)
    await tx.execute(
        update(CalendarVersion).where(which).values(updated_at=at), execution_options={"synchronize_session": False}
    )


def publish(connection: Connection, edition: Edition) -> None:
    """Stores an edition unless its version is published already; a published version never changes."""
    sources = sorted({day.source for day in edition.days})
    head = upsert(CalendarVersion).values(
        calendar=edition.id, version=edition.version, extends=edition.extends, sources=sources
    )
    if connection.execute(head.on_conflict_do_nothing().returning(CalendarVersion.version)).first():
        connection.execute(insert(ListedDay), _rows(edition))


def _rows(edition: Edition) -> list[Mapping[str, object]]:
    key = {"calendar": edition.id, "version": edition.version}
    return [
        {**key, "date": day.date, "working": day.working, "name": day.name, "source": day.source}
        for day in edition.days
    ]
