"""Recalculations as they are asked for: what would move, the job that moves it, and what it moved."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.drafting import Prepared
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import publishing, relaxing
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.errors import UnknownCalendar, UnknownPolicy
from appeal_tracker.policies.relaxing import Relaxed
from appeal_tracker.recalculations import measuring, previewing, repository
from appeal_tracker.recalculations.errors import (
    NotOfThisCause,
    RecalculationNotFound,
    TargetWithdrawn,
    UnknownTarget,
    UnknownUnit,
    UnknownVersion,
)
from appeal_tracker.recalculations.looking import OnCalendar, errand_of
from appeal_tracker.recalculations.models import Cause, Failure, Recalculation
from appeal_tracker.recalculations.previewing import Change, Preview
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.directory import UnitChanged
from contracts.envelope import Message


class Publication(msgspec.Struct, frozen=True):
    """A calendar version that is published with this, or would be: which days change, what moves by it, which packs
    would be laxer on it than what they extend."""

    prepared: Prepared
    laxer: list[Relaxed]
    preview: Preview | None
    job: Recalculation | None


# What each cause must be told, and what it may be told besides.
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    Cause.CALENDAR_VERSION: ({"calendar"}, set()),
    Cause.POLICY_VERSION: ({"policy"}, {"to", "version", "unit_code"}),
    Cause.ASSIGNMENT: ({"unit_code"}, set()),
}


async def asked(
    tx: AsyncSession,
    caller: Principal,
    now: datetime,
    *,
    cause: str,
    calendar: str | None,
    policy: str | None,
    to: str | None,
    version: int | None,
    unit_code: str | None,
) -> Recalculation:
    """A recalculation as it is asked for, not stored yet. Raises `Forbidden`, `NotOfThisCause`, `UnknownUnit`,
    `UnknownCalendar`, `UnknownPolicy`, `UnknownVersion`, `TargetWithdrawn`, `LaxerPolicy`."""
    await directory.demand_top(tx, caller)
    given = {"calendar": calendar, "policy": policy, "to": to, "version": version, "unit_code": unit_code}
    names, (needed, allowed) = {name for name, value in given.items() if value is not None}, _FIELDS[cause]
    if names - needed - allowed or needed - names:
        raise NotOfThisCause(needed - names, names - needed - allowed)
    if unit_code is not None and not await directory.may_see_unit(tx, unit_code, caller.unit):
        raise UnknownUnit
    if calendar is not None and calendar not in await calendars.newest(tx):
        raise UnknownCalendar(calendar)
    target = None if policy is None else _target(await policies.shelf(tx), policy, to, version)
    job = _job(cause, caller.sub, now, calendar)
    job.policy, job.target, job.unit_code = policy, target, unit_code
    await measuring.demand_strict(
        tx, job, "/version" if version else "/to" if to else "/policy" if policy else "/unit_code"
    )
    return job


def _job(cause: str, by: str | None, now: datetime, calendar: str | None = None) -> Recalculation:
    its = {"requested_by": by, "requested_at": now, "updated_at": now}
    return Recalculation(id=new_id(), cause=cause, calendar=calendar, assumed=False, **its)


def _target(shelf: policies.Shelf, policy: str, to: str | None, version: int | None) -> str:
    if not shelf.find(policy):
        raise UnknownPolicy(policy)
    versions = shelf.find(to or policy)
    if not versions:
        raise UnknownTarget(str(to))
    if (to or policy) in shelf.withdrawn:
        raise TargetWithdrawn(to or policy, "/to" if to else "/policy")
    for each in versions:
        if version is None or each.version == version:
            return each.label
    raise UnknownVersion(to or policy, version or 0)


async def start(tx: AsyncSession, job: Recalculation) -> Recalculation:
    """Stores a job; the worker takes it up when this is committed."""
    tx.add(job)
    await tx.flush()
    await tx.refresh(job)
    return job


async def preview(
    tx: AsyncSession, caller: Principal, job: Recalculation, now: datetime, after: UUID | None, most: int
) -> Preview:
    """What a job would do if it ran now."""
    return await previewing.preview(tx, caller.unit, await errand_of(tx, job), now, after, most)


async def publish_calendar(
    tx: AsyncSession,
    caller: Principal,
    calendar: str,
    document: object,
    now: datetime,
    *,
    dry_run: bool,
    after: UUID | None,
    most: int,
) -> Publication:
    """Publishes a version of a calendar and starts the recalculation of every open clock it touches, in one
    transaction; or says what would come of it. Raises `Forbidden`, and what is wrong with the document."""
    await directory.demand_top(tx, caller)
    prepared = await calendars.prepare(tx, calendar, document, lock=not dry_run)
    if not dry_run:
        await policies.hold_packs(tx)  # either we see what is just being picked, or it is measured by what we publish
    relaxed = await publishing.relaxed_by(tx, prepared.calendars, now, await repository.in_use(tx))
    laxer = await relaxing.shown(tx, relaxed, caller.unit)
    if not dry_run:
        await calendars.publish(tx, prepared, caller.sub, now)
        job = await start(tx, _job(Cause.CALENDAR_VERSION, caller.sub, now, calendar))
        return Publication(prepared, laxer, None, job)
    newest = {**await calendars.newest(tx), **prepared.calendars}
    errand = await OnCalendar.begin(tx, calendar, newest)
    return Publication(prepared, laxer, await previewing.preview(tx, caller.unit, errand, now, after, most), None)


async def listing(tx: AsyncSession, caller: Principal, window: Window) -> Listing[Recalculation]:
    """The recalculations that `caller` may see, in the order they were asked for: those of their unit and below it, and
    from a top-level unit those that belong to none."""
    return await window.fetch(tx, repository.listed(caller.unit), Recalculation)


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> Recalculation:
    """A recalculation. Raises `RecalculationNotFound`, also for one that `caller` may not see."""
    found = await repository.find(tx, id, caller.unit)
    if found is None:
        raise RecalculationNotFound
    return found


async def changes(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Change]:
    """The deadlines that a recalculation moved, of what the caller may see. Raises `RecalculationNotFound`."""
    await show(tx, caller, id)
    page = await window.fetch(tx, repository.moved_by(id, caller.unit), TimelineEntry)
    numbers = await repository.numbers(tx, {entry.appeal_id for entry in page.items})
    return Listing([_recorded(entry, numbers.get(entry.appeal_id)) for entry in page.items], page.next)


async def failures(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Failure]:
    """What a recalculation could not do and has not done since, of what the caller may see; whoever follows it is shown
    also that it did. Raises `RecalculationNotFound`."""
    await show(tx, caller, id)
    query = repository.undone_by(id, caller.unit, also_settled=window.is_feed)
    return await window.fetch(tx, query, Failure, Failure.item)


async def units_changed(runtime: Runtime, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Keeps the units that are heard of, and has a job look after what has a line upward that was not known."""
    await directory.units_changed(tx, messages, runtime.clock.now())
    units = [message.event.unit_code for message in messages if isinstance(message.event, UnitChanged)]
    if await repository.are_assumed_below(tx, units) and not await repository.hold_waiting(tx):
        job = _job(Cause.ASSIGNMENT, None, runtime.clock.now())
        job.assumed = True
        await start(tx, job)


_KEPT = ("old_provisional", "provisional", "old_policy", "policy", "old_calendar", "calendar")


def _recorded(entry: TimelineEntry, appeal_no: str | None) -> Change:
    data = entry.data
    old_due_at, due_at = (_instant(data.get(name)) for name in ("old_due_at", "due_at"))
    return Change(
        subject_id=entry.appeal_id,
        appeal_no=appeal_no,
        clock_id=UUID(data["clock_id"]),
        milestone=data["milestone"],
        old_due_at=old_due_at,
        due_at=due_at,
        breaches=due_at is not None and due_at < entry.recorded_at,
        **{name: data.get(name) for name in _KEPT},
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
