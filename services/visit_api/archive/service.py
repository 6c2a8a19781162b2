"""Archiving: one record for each visit, and supplements for what came after it; neither is ever edited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound
from chassis.web.schemas import View
from chassis.web.tokens import Principal
from contracts.appeals import AppealAct
from visit_api.appeals import service as appeals
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView
from visit_api.archive import repository
from visit_api.archive.contents import contents
from visit_api.archive.errors import ArchiveIncomplete
from visit_api.archive.models import Entry
from visit_api.customers.schemas import CustomerView
from visit_api.customers.service import customer_on_record
from visit_api.directory.service import staff_on_record
from visit_api.visits import service as visits
from visit_api.visits.lifecycle import Act, State
from visit_api.visits.models import Visit
from visit_api.visits.schemas import VisitView


async def archive_visit(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Visit:
    """Enters a completed visit whose appeals are all closed (§7.2.6).

    Raises `NotFound`, `ArchiveIncomplete`, `ActRefused` for a visit that is archived.
    """
    visit = await visits.lock_visit(tx, caller, id)
    raised = await appeals.all_raised(tx, id)
    if visit.state != State.ARCHIVED and (missing := _missing(caller, visit, raised)):
        raise ArchiveIncomplete(missing=missing)
    visits.require_possible(Act.ARCHIVE, visit)
    await visits.perform(tx, runtime, visit, Act.ARCHIVE)
    record = await _record(tx, visit, raised)
    tx.add(_entry("record", visit.id, visit.unit_code, record, visit.updated_at, caller.sub))
    return visit


async def get_archive(tx: AsyncSession, caller: Principal, visit_id: UUID) -> dict[str, Any]:
    """The record of a visit and its supplements. Raises `NotFound`."""
    entries = await repository.of_visit(tx, caller.unit, visit_id)
    if not entries:
        raise NotFound
    return {"record": entries[0], "supplements": entries[1:]}


async def follow(tx: AsyncSession, runtime: Runtime, heard: Sequence[AppealAct]) -> None:
    """Takes over what the tracker told of appeals; what touches an archived visit is entered as a supplement."""
    now = runtime.clock.now()
    # Held first, or a visit might be archived on what is just being changed.
    states = await visits.hold_states(tx, await appeals.visits_of(tx, {event.appeal_id for event in heard}))
    for appeal, event in await appeals.follow(tx, heard, now):
        if states[appeal.visit_id] is State.ARCHIVED:
            told = {"type": event.type, "round": event.round, "at": event.at.isoformat()}
            supplement = {"told": told, "appeals": [_as_shown(AppealView, appeal)]}
            tx.add(_entry("supplement", appeal.visit_id, appeal.unit_code, supplement, now, event.by))


def _missing(caller: Principal, visit: Visit, raised: Sequence[Appeal]) -> list[dict[str, Any]]:
    missing: list[dict[str, Any]] = []
    if visit.state != State.COMPLETED:
        missing.append({"clause": "7.1", "what": "visit_completed"})
    for appeal in raised:
        if appeal.state != "closed":
            named = {"appeal_id": appeal.id, "appeal_no": appeal.appeal_no} if appeals.may_know(caller, appeal) else {}
            missing.append({"clause": "7.2.6", "what": "appeal_closed", **named})
    return missing


async def _record(tx: AsyncSession, visit: Visit, raised: Sequence[Appeal]) -> dict[str, Any]:
    staff = await staff_on_record(tx, visit.visitor_ids)
    return {
        "visit": _as_shown(VisitView, visit),
        "customer": _as_shown(CustomerView, await customer_on_record(tx, visit.customer_id)),
        "visitors": [{"staff_no": member.staff_no, "name": member.name} for member in staff],
        "preparation": visit.preparation,
        "appeals": [_as_shown(AppealView, appeal) for appeal in raised],
    }


def _as_shown(view: type[View], row: Any) -> dict[str, Any]:
    return view.model_validate(row).model_dump(mode="json")


def _entry(kind: str, visit_id: UUID, unit_code: str, record: dict[str, Any], now: datetime, by: str | None) -> Entry:
    return Entry(
        id=new_id(),
        visit_id=visit_id,
        unit_code=unit_code,
        kind=kind,
        contents=contents(record),
        record=record,
        entered_by=by,
        updated_at=now,
    )
