"""What is done with absences, and who is there instead."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences import repository, standing
from appeal_tracker.absences.errors import (
    AbsenceNotFound,
    EndsBeforeItBegins,
    NotYourAbsence,
    StandsInForThemselves,
    UnknownStaff,
)
from appeal_tracker.absences.models import Absence
from appeal_tracker.directory import service as directory
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.auth import ADMIN
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.absences import AbsenceChanged

SUPERVISOR = "supervisor"


async def listing(tx: AsyncSession, caller: Principal, window: Window, staff_no: str | None) -> Listing[Absence]:
    """The absences in the caller's unit and those below it."""
    return await window.fetch(tx, repository.listed(caller.unit, staff_no), Absence)


async def record(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    *,
    staff_no: str | None,
    since: datetime,
    until: datetime | None,
    substitute: str | None,
) -> Absence:
    """Records that somebody is away: the caller, or for a supervisor somebody of their unit or below it. Raises
    `NotYourAbsence`, `UnknownStaff`, `StandsInForThemselves`, `EndsBeforeItBegins`."""
    person = staff_no or caller.sub
    unit = await _unit_of(tx, caller, person)
    if person != caller.sub and not caller.roles & {SUPERVISOR, ADMIN}:
        raise NotYourAbsence
    if substitute == person:
        raise StandsInForThemselves
    if substitute is not None:
        known = await directory.staff_member(tx, substitute)
        if known is None or not known.active or not await directory.may_hand_to(tx, known.unit_code, caller.unit):
            raise UnknownStaff("substitute")
    if until is not None and until <= since:
        raise EndsBeforeItBegins
    now = runtime.clock.now()
    its = {"staff_no": person, "unit_code": unit, "substitute": substitute, "since": since, "until": until}
    absence = Absence(id=new_id(), **its, recorded_by=caller.sub, recorded_at=now, updated_at=now)
    tx.add(absence)
    await tx.flush()
    await _tell(tx, runtime, absence, by=caller.sub)
    return absence


async def tell_untold(tx: AsyncSession, runtime: Runtime, limit: int) -> int:
    """Tells some absences as they are that were changed and not told; says how many."""
    absences = await repository.untold(tx, limit)
    for absence in absences:
        await _tell(tx, runtime, absence, by=absence.recorded_by)
    if absences:
        await repository.told(tx, [absence.id for absence in absences])
    return len(absences)


async def _tell(tx: AsyncSession, runtime: Runtime, absence: Absence, *, by: str) -> None:
    """Whoever tells people of deadlines has to know who is there."""
    told = AbsenceChanged(
        absence_id=absence.id,
        staff_no=absence.staff_no,
        unit_code=absence.unit_code,
        since=absence.since,
        until=absence.until,
        substitute=absence.substitute,
        at=absence.updated_at,
        by=by,
    )
    await runtime.outbox.append(tx, [told], at=absence.updated_at)


async def _unit_of(tx: AsyncSession, caller: Principal, person: str) -> str:
    known = await directory.staff_member(tx, person)
    if known is not None and await directory.may_see_unit(tx, known.unit_code, caller.unit):
        return known.unit_code
    if person == caller.sub and caller.unit is not None:
        return caller.unit  # not in the directory, and valid all the same
    raise UnknownStaff("staff_no")


async def end(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, until: datetime | None) -> Absence:
    """Has somebody be back earlier or later than was said. Raises `AbsenceNotFound`, `NotYourAbsence`,
    `EndsBeforeItBegins`."""
    absence = await repository.lock(tx, id, caller.unit)
    if absence is None:
        raise AbsenceNotFound
    if absence.staff_no != caller.sub and not caller.roles & {SUPERVISOR, ADMIN}:
        raise NotYourAbsence
    now = runtime.clock.now()
    back = until or max(now, absence.since)
    if back < absence.since:
        raise EndsBeforeItBegins
    absence.until, absence.updated_at = back, now
    await tx.flush()
    await _tell(tx, runtime, absence, by=caller.sub)
    return absence


async def present(tx: AsyncSession, people: Collection[str], at: datetime) -> dict[str, str | None]:
    """Who is there for each of `people` at an instant."""
    away = await repository.lasting(tx, at)
    return {person: standing.present(person, at, away) for person in people}


async def covered_by(tx: AsyncSession, person: str, at: datetime) -> set[str]:
    """Those for whom `person` stands in at an instant."""
    return standing.covers(person, at, await repository.lasting(tx, at))
