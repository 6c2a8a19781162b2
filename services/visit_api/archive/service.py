"""Archiving: one record for each visit, and supplements for what came after it; neither is ever edited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal
from contracts.appeals import AppealAct
from visit_api.appeals import service as appeals
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView
from visit_api.archive import repository
from visit_api.archive.completing import gaps_of, give_reason
from visit_api.archive.contents import contents
from visit_api.archive.errors import ArchiveIncomplete, HoldUnchanged, NotArchived, NothingNew
from visit_api.archive.gaps import Gap
from visit_api.archive.models import Entry, GapReason, Hold
from visit_api.archive.schemas import NewReason, ReasonView
from visit_api.archive.sections import SLICES, as_shown
from visit_api.archive.service_record import service_record
from visit_api.civil import day_of, years_after
from visit_api.settings import Settings
from visit_api.visits import service as visits
from visit_api.visits.lifecycle import Act, State
from visit_api.visits.models import Visit
from visit_api.visits.schemas import VisitView


async def archive_visit(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Visit:
    """Enters a completed visit whose appeals are all closed (§7.2.6); what is asked and not demanded may be missing.

    Raises `NotFound`, `ArchiveIncomplete`, `ActRefused` for a visit that is archived.
    """
    visit = await visits.lock_visit(tx, caller, id)
    _, gaps = await gaps_of(tx, caller, visit)
    missing = [{"clause": gap.clause, "what": gap.what, **gap.named} for gap in gaps if gap.hinders]
    if visit.state != State.ARCHIVED and missing:
        raise ArchiveIncomplete(missing=missing)
    visits.require_possible(Act.ARCHIVE, visit)
    await visits.perform(tx, runtime, visit, Act.ARCHIVE)
    record = await _record(tx, visit, await appeals.all_raised(tx, id), gaps)
    tx.add(_entry(runtime, "record", visit, record, visit.updated_at, caller.sub))
    return visit


async def get_archive(tx: AsyncSession, caller: Principal, visit_id: UUID) -> dict[str, Any]:
    """The record of a visit, its supplements, and whether it is held. Raises `NotFound`."""
    entries = await repository.of_visit(tx, caller.unit, visit_id)
    if not entries:
        raise NotFound
    return {
        "record": entries[0],
        "supplements": entries[1:],
        "hold": await repository.last_hold(tx, visit_id),
    }


async def explain_gap(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, new: NewReason
) -> GapReason:
    """Says why something is missing; of a visit that is archived already, as a supplement.

    Raises `NotFound`, `GapStaysOpen`, `Unprocessable` for what is not missing.
    """
    visit = await visits.lock_visit(tx, caller, visit_id)
    reason = await give_reason(tx, runtime, caller, visit, new)
    if reason is None:
        same = [each for each in await repository.reasons_of(tx, visit_id) if each.what == new.what]
        return next(each for each in reversed(same) if each.clause == new.clause)
    tx.add(reason)
    await tx.flush()
    if visit.state == State.ARCHIVED:
        supplement = {"gaps": [as_shown(ReasonView, reason)]}
        tx.add(_entry(runtime, "supplement", visit, supplement, reason.recorded_at, caller.sub))
    return reason


async def supplement(tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID) -> Entry:
    """Enters what was recorded of an archived visit since: what a device brought late.

    Raises `NotFound`, `NotArchived`, `NothingNew`.
    """
    visit = await visits.lock_visit(tx, caller, visit_id)
    if visit.state != State.ARCHIVED:
        raise NotArchived
    entries = await repository.of_visit(tx, caller.unit, visit_id)
    new: dict[str, Any] = {}
    for its in SLICES:
        known = [part for entry in entries for part in entry.record.get(its.section, ())] if its.comes_late else []
        found = await its.on_record(tx, visit) if its.comes_late else []
        if fresh := [part for part in found if part not in known]:
            new[its.section] = fresh
    if not new:
        raise NothingNew
    entry = _entry(runtime, "supplement", visit, new, runtime.clock.now(), caller.sub)
    tx.add(entry)
    await tx.flush()
    return entry


async def hold(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, reason: str, *, held: bool
) -> Hold:
    """Has a record be kept whatever its age, or no longer. Raises `NotFound`, `HoldUnchanged`."""
    visit = await visits.lock_visit(tx, caller, visit_id)
    if visit.state != State.ARCHIVED:
        raise NotFound
    last = await repository.last_hold(tx, visit_id)
    if held == (last is not None and last.held):
        raise HoldUnchanged(held=held)
    its = Hold(
        id=new_id(),
        visit_id=visit_id,
        unit_code=visit.unit_code,
        held=held,
        reason=reason,
        acted_by=caller.sub,
        recorded_at=runtime.clock.now(),
    )
    tx.add(its)
    await tx.flush()
    return its


async def follow(tx: AsyncSession, runtime: Runtime, heard: Sequence[AppealAct]) -> None:
    """Takes over what the tracker told of appeals; what touches an archived visit is entered as a supplement."""
    now = runtime.clock.now()
    # Held first, or a visit might be archived on what is just being changed.
    held = await visits.hold_states(tx, await appeals.visits_of(tx, {event.appeal_id for event in heard}))
    for appeal, event in await appeals.follow(tx, heard, now):
        if held[appeal.visit_id] is State.ARCHIVED:
            told = {"type": event.type, "round": event.round, "at": event.at.isoformat()}
            record = {"told": told, "appeals": [as_shown(AppealView, appeal)]}
            tx.add(_entry(runtime, "supplement", appeal, record, now, event.by))


async def _record(tx: AsyncSession, visit: Visit, raised: Sequence[Appeal], gaps: Sequence[Gap]) -> dict[str, Any]:
    record: dict[str, Any] = {"visit": as_shown(VisitView, visit)}
    for its in SLICES:
        record[its.section] = await its.on_record(tx, visit)
    record["appeals"] = [as_shown(AppealView, appeal) for appeal in raised]
    record["gaps"] = [gap.shown() for gap in gaps]
    return {**record, "service_record": service_record(record)}


def _entry(
    runtime: Runtime, kind: str, of: Visit | Appeal, record: dict[str, Any], now: datetime, by: str | None
) -> Entry:
    assert isinstance(runtime.settings, Settings)
    filed = {}
    if isinstance(of, Visit):
        keep_until = years_after(day_of(now), runtime.settings.archive_years)
        filed = {"filed_as": f"{of.form}.{of.channel}", "keep_until": keep_until}
    return Entry(
        id=new_id(),
        visit_id=of.id if isinstance(of, Visit) else of.visit_id,
        unit_code=of.unit_code,
        kind=kind,
        contents=contents(record),
        record=record,
        entered_by=by,
        updated_at=now,
        **filed,
    )
