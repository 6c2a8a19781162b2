"""Calendars as published: the newest of each for what begins now, any version for what began under it.

A version never changes, so what is built from the tables is kept by the process, for each database its own.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import repository
from appeal_tracker.calendars.calendar import Calendar, Reason
from appeal_tracker.calendars.drafting import Prepared, draft
from appeal_tracker.calendars.errors import (
    BadRange,
    CalendarNotFound,
    CalendarVersionNotFound,
    DayNotCovered,
    refusal,
)
from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR
from appeal_tracker.calendars.loader import packaged_edition
from appeal_tracker.calendars.models import CalendarVersion
from appeal_tracker.calendars.refusals import CalendarError
from appeal_tracker.calendars.repository import Head
from chassis.web.paging import Listing, Window

LONGEST_RANGE = timedelta(days=3660)

_built: WeakKeyDictionary[Any, dict[str, Calendar]] = WeakKeyDictionary()  # by database, then by label


def publish_packaged(connection: Connection) -> None:
    """Publishes the calendars that come with the package, where they are not published yet."""
    repository.publish(connection, packaged_edition())


async def newest(tx: AsyncSession) -> dict[str, Calendar]:
    """The newest version of every calendar, each over the newest of those it extends."""
    heads = await repository.newest(tx)
    return {calendar: await by_label(tx, _label(calendar, heads)) for calendar in heads}


async def by_label(tx: AsyncSession, label: str) -> Calendar:
    """The calendar as a clock names it: `cn-statutory@1`, or `qingdao@3+cn-statutory@1` for one laid over another."""
    built = _built.setdefault(tx.bind, {})
    if label not in built:
        own, _, below = label.partition("+")
        calendar, version = own.split("@")
        edition = (await repository.editions(tx, [(calendar, int(version))]))[calendar]
        lay = (await by_label(tx, below)).overlay if below else Calendar.from_days
        built[label] = lay(edition.id, edition.version, edition.days)
    return built[label]


async def published(tx: AsyncSession, label: str) -> Calendar | None:
    """The same, or None where no calendar was ever called so."""
    try:
        return await by_label(tx, label)
    except (LookupError, ValueError):
        return None


def _label(calendar: str, heads: Mapping[str, Head]) -> str:
    labels: list[str] = []
    at = heads.get(calendar)
    while at is not None and (label := f"{at.calendar}@{at.version}") not in labels:
        labels.append(label)
        at = heads.get(at.extends) if at.extends else None
    return "+".join(labels)


async def prepare(tx: AsyncSession, calendar: str, document: object, *, lock: bool = False) -> Prepared:
    """The next version of a calendar, or the first, by a document that says everything about one of its years; nothing
    is stored. `lock` makes others who would publish wait, so that what was prepared still holds when it is published.

    Raises the problem that says what is wrong with the document.
    """
    if lock:
        await repository.lock(tx)
    heads = await repository.newest(tx)
    editions = await repository.editions(tx, [(head.calendar, head.version) for head in heads.values()])
    try:
        # Tens of milliseconds for each calendar: others are served meanwhile.
        return await asyncio.to_thread(draft, calendar, document, editions)
    except CalendarError as refused:
        raise refusal(refused, calendar) from None


async def publish(tx: AsyncSession, prepared: Prepared, by: str, at: datetime) -> CalendarVersion:
    """Stores a version that was prepared under lock in this transaction; from its commit on it is the newest."""
    version = await repository.add(tx, prepared.edition, prepared.notice.papers, by, at)
    above = [(each.id, each.version) for each in prepared.calendars.values() if each.id != prepared.edition.id]
    await repository.touch(tx, above, at)
    return version


async def listed(tx: AsyncSession, window: Window) -> tuple[list[Calendar], str | None]:
    """Calendars at their newest version, by id; as a feed, those that changed since, also by what they lie over."""
    page = await window.fetch(tx, repository.listed(), CalendarVersion, CalendarVersion.calendar)
    heads = await repository.newest(tx)
    return [await by_label(tx, _label(version.calendar, heads)) for version in page.items], page.next


async def versions(tx: AsyncSession, calendar: str, window: Window) -> Listing[CalendarVersion]:
    """The versions of a calendar, the first one first. Raises `CalendarNotFound`."""
    if not await repository.is_known(tx, calendar):
        raise CalendarNotFound
    return await window.fetch(tx, repository.listed(calendar), CalendarVersion, CalendarVersion.version)


async def days(
    tx: AsyncSession, calendar: str, first: date, last: date, version: str | None = None
) -> list[tuple[date, Reason]]:
    """What a version of a calendar says of each day from `first` to `last`, the newest where none is named: by its
    number, over the newest of what it lies over, or by its label, over exactly what that names.

    Raises `BadRange`, `CalendarNotFound`, `CalendarVersionNotFound`, `DayNotCovered`.
    """
    its = await _wanted(tx, calendar, version)
    for day in (first, last):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise DayNotCovered(first_year=FIRST_YEAR, last_year=LAST_YEAR)
    if not first <= last <= first + LONGEST_RANGE:
        raise BadRange(days=LONGEST_RANGE.days)
    asked = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [(day, its.reason(day)) for day in asked]


async def _wanted(tx: AsyncSession, calendar: str, version: str | None) -> Calendar:
    heads = await repository.newest(tx)
    if calendar not in heads:
        raise CalendarNotFound
    label = newest = _label(calendar, heads)
    if version is not None:
        below = newest.partition("+")[1:]
        label = version if "@" in version else "".join((f"{calendar}@{version}", *below))
    # A calendar lies over the same ones for good: only their versions may be others.
    over = [[each.partition("@")[0] for each in named.split("+")] for named in (label, newest)]
    found = await published(tx, label) if over[0] == over[1] else None
    if found is None:
        raise CalendarVersionNotFound
    return found
