"""What people decide about a visit after the event, between two records of it: when an act was truly done, and whether
another record is of the same visit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.tokens import Principal
from visit_api.texts import service as texts
from visit_api.visits.errors import ActRefused, before_start
from visit_api.visits.lifecycle import LIFE, Act, Form, VisitState
from visit_api.visits.models import Visit
from visit_api.visits.schemas import NewVisit
from visit_api.visits.service import get_visit, lock_visit, perform, plan_visit

# What can be said to have been done at another time, and in which states.
_CORRECTED = {
    Act.ARRIVE: frozenset({VisitState.PLANNED, VisitState.IN_PROGRESS, VisitState.COMPLETED}),
    Act.START: frozenset({VisitState.IN_PROGRESS, VisitState.COMPLETED}),
    Act.COMPLETE: frozenset({VisitState.COMPLETED}),
    Act.CANCEL: frozenset({VisitState.CANCELLED}),
    Act.MISS: frozenset({VisitState.MISSED}),
}


async def correct(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, act: Act, at: datetime) -> Visit:
    """Has an act that was done be done at another time, and tells it again; its state stays. What is archived is never
    corrected. Raises `NotFound`, `ActRefused`, `Unprocessable`."""
    visit = await lock_visit(tx, caller, id)
    if visit.state not in _CORRECTED[act]:
        raise ActRefused(act=act, state=visit.state, clause=LIFE[act].clause)
    began = at if act is Act.START else visit.started_at
    ended = at if act is Act.COMPLETE else visit.completed_at
    if began is not None and ended is not None and ended < began:
        raise Unprocessable(before_start("/at"))
    state = visit.state
    await perform(tx, runtime, visit, act, at)
    visit.state = state
    return visit


async def plan_again(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, again: UUID
) -> tuple[Visit, Visit]:
    """Plans a visit that was called off, and was made all the same, as one of its own, `again`, prepared as that one;
    gives both. Raises `NotFound`, `VisitTaken`, `Unprocessable`."""
    off = await get_visit(tx, caller, id)
    new = NewVisit(
        id=again,
        **{name: getattr(off, name) for name in NewVisit.model_fields if name not in ("id", "form")},
        form=Form(off.form),
    )
    made = await plan_visit(tx, runtime, caller, new, late=True, again=True)
    await texts.show(tx, runtime, [off], "preparation_sealed")
    made.prepared_at, made.prepared_by = off.prepared_at, off.prepared_by
    await texts.put(tx, runtime, made, preparation=off.preparation)
    return off, made


async def mark_double(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, of: UUID | None, reason: str | None
) -> Visit:
    """Says of which other record a visit is a double, or that it is none. A double is counted no more, and one that is
    still planned is called off. Raises `NotFound`."""
    visit = await lock_visit(tx, caller, id)
    if visit.double_of != of:
        visit.double_of = of
        visit.touch(runtime.clock.now())
        if of is not None and visit.state == VisitState.PLANNED:
            if reason:
                await texts.put(tx, runtime, visit, reason=reason)
            await perform(tx, runtime, visit, Act.CANCEL)
    return visit
