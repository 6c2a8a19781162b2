"""A person decides between a device's version and the record's. Neither is written over: keeping the record leaves it
as it is; keeping the device's makes of it what the rules allow, beside what was there, in the name of who brought it.

- another record of the same id (an appeal, a step, a file, a word about the appointment) gets an id of its own, that of
  the conflict; a step supersedes the one that it contradicts,
- an act that is on record at another time has been done at the device's,
- a visit that was called off, and was begun all the same, is made as a visit of its own: what the device brings to the
  first one afterwards goes there,
- what is archived is not corrected: what the device said stands beside it, in a supplement,
- anything else is applied now as it would have been, and refused where the rules refuse it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from chassis.web.work import Statements
from visit_api.appointments import service as appointments
from visit_api.appointments.schemas import NewAppointment
from visit_api.directory.staff import hold_named
from visit_api.sync import conflicts, repository
from visit_api.sync.applying import Application, apply, planned_for
from visit_api.sync.items import BroughtArrival, BroughtStep, BroughtVisit
from visit_api.sync.items import read as read_item
from visit_api.sync.models import Conflict
from visit_api.sync.schemas import BothVersions, Resolution
from visit_api.visits import arriving
from visit_api.visits import service as visits
from visit_api.visits.correcting import correct, plan_again
from visit_api.visits.errors import ActRefused, AlreadyArrived
from visit_api.visits.lateness import came_late_to
from visit_api.visits.lifecycle import Act, VisitState
from visit_api.visits.schemas import VisitChange

_ACTS = {
    "arrival": Act.ARRIVE,
    "start": Act.START,
    "completion": Act.COMPLETE,
    "cancellation": Act.CANCEL,
    "miss": Act.MISS,
}

# What of a word with the customer another one is made of.
_AGREED = ("purpose", "window_from", "window_to", "place", "asked_by", "reason", "at")


async def resolve(
    tx: AsyncSession, statements: Statements, runtime: Runtime, caller: Principal, id: UUID, resolution: Resolution
) -> BothVersions:
    """Decides which version of a conflict holds; so decided before, it is answered again.

    Raises `NotFound`, `ConflictResolved`, and what the rules refuse of the device's version.
    """
    conflict, see = await conflicts.held_open(tx, runtime, caller, id, resolution.keep)
    if see is not None:
        before, made = await see(), None
        if resolution.keep == "device":
            item = read_item(await conflicts.device_version(tx, runtime, conflict))
            if isinstance(item, BroughtArrival):
                before["place"] = await arriving.place_of_arrival(tx, runtime, conflict.visit_id)
            # In the name of who brought it: the record says who was there, the conflict who decided.
            whose = Principal(conflict.brought_by, caller.unit, caller.roles)
            visit_id = await repository.made_instead_of(tx, conflict.visit_id, conflict.device) or conflict.visit_id
            thing_id = conflict.id if _is_taken(conflict) else item.id
            its = Application(tx, statements, runtime, whose, thing_id, visit_id, conflict.at, caller)
            made = await _keep_or_enter(its, conflict, item, resolution.reason)
        await conflicts.close(tx, runtime, caller, conflict, resolution.keep, resolution.reason, before, made)
        await tx.flush()
        await came_late_to(tx, conflict.visit_id, "devices", caller.sub, runtime.clock.now())
    return await conflicts.show(tx, runtime, caller, conflict)


async def _keep_or_enter(its: Application, conflict: Conflict, item: Any, why: str | None) -> UUID | None:
    try:
        async with its.tx.begin_nested():
            return await _keep(its, conflict, item, why)
    except ActRefused:
        if await repository.state_of(its.tx, conflict.visit_id) != VisitState.ARCHIVED:
            raise
        return None


async def _keep(its: Application, conflict: Conflict, item: Any, why: str | None) -> UUID | None:
    if isinstance(item, BroughtVisit):
        return await _keep_visit(its, conflict, item, why)
    if conflict.kind in _ACTS and its.visit_id == conflict.visit_id:
        return await _keep_act(its, conflict, item)
    if isinstance(item, BroughtStep) and _is_taken(conflict):
        content = item.body.model_copy(update={"supersedes": await repository.last_of(its.tx, conflict.thing_id)})
        item = item.model_copy(update={"body": content})
    return await apply(its, item)


def _is_taken(conflict: Conflict) -> bool:
    """Whether another thing bears its id by now, or came after it."""
    return conflict.problem.endswith(("-taken", "-superseded"))


async def _keep_act(its: Application, conflict: Conflict, item: Any) -> UUID | None:
    act = _ACTS[conflict.kind]
    if act is Act.START:  # those who make it may be named for another: they come before the visit, as for everybody
        await hold_named(its.tx, *await repository.visitors_of(its.tx, its.visit_id))
    state = await repository.state_of(its.tx, its.visit_id)
    if act is Act.START and state in (VisitState.CANCELLED, VisitState.MISSED):
        return await _make_beside(its, conflict)
    if isinstance(item, BroughtArrival) and conflict.problem == AlreadyArrived.slug:
        await arriving.correct_arrival(its.tx, its.runtime, its.caller, its.visit_id, its.at, item.body.place)
        return None
    if state == VisitState.PLANNED or (act is Act.COMPLETE and state == VisitState.IN_PROGRESS):
        return await apply(its, item)  # nothing stands against it any more
    await correct(its.tx, its.runtime, its.caller, its.visit_id, act, its.at)
    return None


async def _make_beside(its: Application, conflict: Conflict) -> UUID:
    off, made = await plan_again(its.tx, its.runtime, its.caller, its.visit_id, conflict.id)
    if (agreed := await appointments.last_agreed(its.tx, its.runtime, off)) is not None:
        said = NewAppointment.model_validate({name: getattr(agreed, name) for name in _AGREED})
        await appointments.appoint(its.tx, its.runtime, its.caller, made.id, said, again=True)
    await visits.start(its.tx, its.runtime, its.caller, made.id, its.at)
    return made.id


async def _keep_visit(its: Application, conflict: Conflict, item: BroughtVisit, why: str | None) -> UUID | None:
    plan = item.body
    if await repository.customer_of(its.tx, its.visit_id) != plan.customer_id:
        return await apply(its, item)
    change = VisitChange(
        channel=plan.channel, scheduled_at=planned_for(its, item), form=plan.form, visitor_ids=plan.visitor_ids
    )
    if why is not None:
        change["reason"] = why
    its_visit = (its.tx, its.runtime, its.caller, its.visit_id)
    await visits.replan_visit(*its_visit, change, lambda _: None, decider=its.decider)
    return None
