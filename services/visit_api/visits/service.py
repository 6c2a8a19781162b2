"""What is done with visits. Every act locks the visit's row before it is told, so that the order in which acts and
appeals of one visit are told is the order in which they were stored."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.visits import (
    VisitArchived,
    VisitArrived,
    VisitCancelled,
    VisitCompleted,
    VisitMissed,
    VisitMoment,
    VisitPlan,
    VisitPlanned,
    VisitReplanned,
    VisitStarted,
)
from visit_api.base import add
from visit_api.customers.service import hold_customer
from visit_api.directory.sight import of_company, unit_in_sight
from visit_api.directory.staff import hold_named, known_as_staff, visitors
from visit_api.plans.service import require_as_wanted, take_item
from visit_api.texts import service as texts
from visit_api.visits import forms, lifecycle, repository, showing
from visit_api.visits.errors import (
    ActRefused,
    AlreadyArrived,
    PreparationMissing,
    VisitTaken,
    before_start,
    unknown_visit,
)
from visit_api.visits.lifecycle import LIFE, Act, Unmet, VisitState
from visit_api.visits.models import Visit
from visit_api.visits.schemas import HandOverView, NewVisit, PreparationView, VisitChange

# Where the time of an act is kept, and how it is told.
_TOLD: dict[Act, tuple[str, type[VisitMoment]]] = {
    Act.ARRIVE: ("arrived_at", VisitArrived),
    Act.START: ("started_at", VisitStarted),
    Act.COMPLETE: ("completed_at", VisitCompleted),
    Act.CANCEL: ("cancelled_at", VisitCancelled),
    Act.MISS: ("missed_at", VisitMissed),
    Act.ARCHIVE: ("archived_at", VisitArchived),
}


async def plan_visit(
    tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewVisit, *, late: bool = False, again: bool = False
) -> Visit:
    """Plans a visit by the customer's unit. One that comes `late` is not refused for what happened since: that the
    customer was removed, or went to another unit of the company (the visit is the caller's unit's then), that a
    visitor left, that it is not wanted any more, nor for the way it was made. `again`: it is for what another visit on
    record was for, whoever sees the plan that wants it.

    Raises `VisitTaken`, `Unprocessable` for an unknown customer, visitor or plan item.
    """
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        customer = await hold_customer(tx, caller, new.customer_id, "/customer_id", late=late)
        unit_code = await unit_in_sight(tx, caller, customer.unit_code) if late else customer.unit_code
        now = runtime.clock.now()
        if new.plan_item_id is not None:
            gone = unit_code != customer.unit_code  # and what wanted the visit may have gone along
            sight = await of_company(tx, caller) if gone or again else caller
            its = (new.plan_item_id, customer.id, now, "/plan_item_id")
            await take_item(tx, sight, *its, dropped_too=late)
            if not late:
                await require_as_wanted(tx, new.plan_item_id, new.channel, new.form)
        visit = await add(
            tx,
            Visit,
            new,
            now,
            unit_code=unit_code,
            visitor_ids=await visitors(tx, unit_code, new.visitor_ids, "/visitor_ids", gone_too=late),
            state=VisitState.PLANNED,
            preparation={},
        )
        if visit is not None:
            await tell_plan(tx, runtime, visit, VisitPlanned)
            return visit
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or not found.is_made_of(new):
        raise VisitTaken(id=new.id)
    await show(tx, runtime, [found])
    return found


async def get_visit(tx: AsyncSession, caller: Principal, id: UUID) -> Visit:
    """The visit `id`. Raises `NotFound`."""
    visit = await repository.find(tx, caller.unit, id)
    if visit is None:
        raise NotFound
    return visit


async def show_visit(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Visit:
    """The same, and why it did not take place, if that was said. Raises `NotFound`."""
    visit = await get_visit(tx, caller, id)
    await show(tx, runtime, [visit])
    return visit


async def list_visits(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, **wanted: Any
) -> Listing[Visit]:
    """The visits that the caller sees, as `repository.find_all` finds them."""
    found = await repository.find_all(tx, caller.unit, window, **wanted)
    await show(tx, runtime, found.items)
    return found


async def show(tx: AsyncSession, runtime: Runtime, visits: Iterable[Visit]) -> None:
    """Has each of `visits` show why it did not take place. What was prepared is opened for whoever reads that."""
    await texts.show(tx, runtime, visits, "reason_sealed")


async def replan_visit(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    change: VisitChange,
    unchanged: Unchanged,
    *,
    decider: Principal | None = None,
) -> Visit:
    """Changes the plan of a visit that has not begun; a `decider` has decided that it was made so, and it is not
    refused for the way it was. Raises `NotFound`, `PreconditionFailed`, `ActRefused`, `FormIsDecided`,
    `Unprocessable`."""
    if "visitor_ids" in change:
        await hold_named(tx, *change["visitor_ids"])  # before the visit, as whoever hands over does
    visit = await lock_visit(tx, caller, id)
    await show(tx, runtime, [visit])
    unchanged(visit)
    require_possible(Act.REPLAN, visit)
    await forms.decide(tx, runtime, decider or caller, visit, change, late=decider is not None)
    if "visitor_ids" in change:
        change["visitor_ids"] = await visitors(
            tx, visit.unit_code, change["visitor_ids"], "/visitor_ids", visit.visitor_ids
        )
    for field, value in change.items():
        if field != "reason":
            setattr(visit, field, value)
    visit.touch(runtime.clock.now())
    await tell_plan(tx, runtime, visit, VisitReplanned)
    return visit


async def lock_visit(tx: AsyncSession, caller: Principal, id: UUID) -> Visit:
    """The visit `id`, held until the transaction ends. Raises `NotFound`."""
    visit = await repository.find(tx, caller.unit, id, lock=True)
    if visit is None:
        raise NotFound
    return visit


async def hold_visit(tx: AsyncSession, caller: Principal, id: UUID, customers: Collection[UUID], pointer: str) -> Visit:
    """The visit `id`, to no other than `customers`, held until the transaction ends. Raises `Unprocessable`, pointing
    to the field, where there is none that the caller sees."""
    visit = await repository.find(tx, caller.unit, id, lock=True)
    if visit is None or {*customers} - {visit.customer_id}:
        raise Unprocessable(unknown_visit(pointer))
    return visit


def require_possible(act: Act, visit: Visit) -> None:
    """Raises `ActRefused` where the act does not follow in the visit's state."""
    if visit.state not in LIFE[act].sources:
        raise ActRefused(act=act, state=visit.state, clause=LIFE[act].clause)


def require_recordable(act: Act, visit: Visit, at: datetime) -> None:
    """The same for what was done on a visit at `at`: done before the archive it may be brought after it, late, as a
    device without a line does; it is then for a supplement."""
    if visit.archived_at is None or at >= visit.archived_at:
        require_possible(act, visit)


async def hold_visits(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Visit]:
    """The visits `ids`, which stay as they are until the transaction ends."""
    return {visit.id: visit for visit in await repository.hold(tx, ids)}


async def arrive(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, at: datetime | None) -> Visit:
    """Records the arrival, once. Raises `NotFound`, `ActRefused`, `AlreadyArrived`."""
    visit = await lock_visit(tx, caller, id)
    require_possible(Act.ARRIVE, visit)
    if visit.arrived_at is not None:
        raise AlreadyArrived(arrived_at=visit.arrived_at, clause=LIFE[Act.ARRIVE].clause)
    return await perform(tx, runtime, visit, Act.ARRIVE, at)


async def start(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, at: datetime | None) -> Visit:
    """Begins a visit, however far from its planned time. One that names nobody is made by who begins it, if the
    directory knows them (004 §3.4: who served). Raises `NotFound`, `ActRefused`, `PreparationMissing`."""
    visit = await lock_visit(tx, caller, id)
    require_possible(Act.START, visit)
    if missing := lifecycle.keeps_from_starting(showing.course(visit)):
        raise PreparationMissing(visit.form, missing)
    if not visit.visitor_ids and await known_as_staff(tx, visit.unit_code, caller.sub):
        visit.visitor_ids = [caller.sub]
        visit.touch(runtime.clock.now())
        await tell_plan(tx, runtime, visit, VisitReplanned)
    return await perform(tx, runtime, visit, Act.START, at)


async def complete(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, at: datetime | None) -> Visit:
    """Ends a visit; it never waits for what was raised on it. Raises `NotFound`, `ActRefused`, `Unprocessable`."""
    visit = await lock_visit(tx, caller, id)
    require_possible(Act.COMPLETE, visit)
    assert visit.started_at is not None, "what is in progress was started"
    if at is None:
        # A start may have been noted by a clock a little ahead of ours.
        at = max(runtime.clock.now(), visit.started_at)
    elif at < visit.started_at:
        raise Unprocessable(before_start("/at"))
    return await perform(tx, runtime, visit, Act.COMPLETE, at)


async def drop(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, act: Act, at: datetime | None, reason: str | None
) -> Visit:
    """Cancels a visit, or records that it was missed. Raises `NotFound`, `ActRefused`."""
    visit = await lock_visit(tx, caller, id)
    require_possible(act, visit)
    await texts.put(tx, runtime, visit, reason=reason)
    return await perform(tx, runtime, visit, act, at)


async def perform(tx: AsyncSession, runtime: Runtime, visit: Visit, act: Act, at: datetime | None = None) -> Visit:
    """Stores and tells that `act` was done with a held visit, `at` its true time or now. Raises `Unprocessable`."""
    now = runtime.clock.now()
    at = happened(at or now, now)
    field, event = _TOLD[act]
    setattr(visit, field, at)
    visit.state = LIFE[act].target or visit.state
    visit.touch(now)
    await runtime.outbox.append(tx, [event(visit_id=visit.id, unit_code=visit.unit_code, at=at)], at=now)
    return visit


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> dict[str, Any]:
    """What is archived of a visit beside itself: its preparation, and to whom it was handed."""
    handed = await repository.all_hand_overs(tx, visit.id)
    await texts.show(tx, runtime, [visit, *handed])
    return {
        "preparation": PreparationView.model_validate(showing.preparation(visit)).model_dump(mode="json"),
        "hand_overs": [HandOverView.model_validate(each).model_dump(mode="json") for each in handed],
    }


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """What the clauses ask of the course of a visit, and that is not there."""
    missing = lifecycle.wanting(showing.course(visit))
    if visit.channel == "on_site" and visit.direction == "outbound" and visit.arrived_at is None:
        missing.append(Unmet("6.1.3.1", "arrival"))
    return missing


async def tell_plan(tx: AsyncSession, runtime: Runtime, visit: Visit, event: type[VisitPlan]) -> None:
    """Tells the plan of a visit as it is now."""
    await runtime.outbox.append(tx, [plan_told(visit, event)], at=visit.updated_at)


def plan_told(visit: Visit, event: type[VisitPlan]) -> VisitPlan:
    """What is told of the plan of a visit."""
    return event(
        visit_id=visit.id,
        unit_code=visit.unit_code,
        customer_id=visit.customer_id,
        channel=visit.channel,
        direction=visit.direction,
        form=visit.form,
        scheduled_at=visit.scheduled_at,
        visitors=visit.visitor_ids,
    )
