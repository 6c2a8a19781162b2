"""One item, applied by the service functions that the same act over HTTP is applied by: there is no second way past
their rules. What is answered is the id of the thing that it is on record as, if it is one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.tokens import Principal
from chassis.web.work import Statements
from visit_api.appeals import service as appeals
from visit_api.appeals.schemas import NewAppeal
from visit_api.appointments import service as appointments
from visit_api.appointments.schemas import NewAppointment, NoAppointment
from visit_api.attachments import service as attachments
from visit_api.attachments.giving_up import give_up
from visit_api.base import New
from visit_api.checklists import service as checklists
from visit_api.checklists.schemas import NewAnswers
from visit_api.steps import service as steps
from visit_api.steps.schemas import NewStep
from visit_api.sync import repository, suspecting
from visit_api.sync.errors import OTHER_ID, PreparedOtherwise
from visit_api.sync.items import (
    BroughtAct,
    BroughtAppeal,
    BroughtAppointment,
    BroughtArrival,
    BroughtAttachment,
    BroughtChecklist,
    BroughtNoAppointment,
    BroughtPreparation,
    BroughtStep,
    BroughtVisit,
    BroughtWithdrawal,
)
from visit_api.visits import arriving, preparing
from visit_api.visits import service as visits
from visit_api.visits.begun import is_before
from visit_api.visits.lifecycle import Act
from visit_api.visits.schemas import Arrival


@dataclass(frozen=True)
class Application:
    """Where an item is applied: `id` is what a thing made of it is called, `visit_id` the visit that it is about, `at`
    when it was done, in our time. A `decider` has it whatever was recorded before; `notes` is what there is to be said
    of it beside its outcome."""

    tx: AsyncSession
    statements: Statements
    runtime: Runtime
    caller: Principal
    id: UUID
    visit_id: UUID
    at: datetime
    decider: Principal | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether a person decided that it goes over what was recorded before."""
        return self.decider is not None


Apply = Callable[[Application, Any], Awaitable[UUID | None]]


async def apply(its: Application, item: Any) -> UUID | None:
    """Applies `item`. Raises whatever the same act raises over HTTP."""
    return await _BY_KIND[item.kind](its, item)


def planned_for(its: Application, item: BroughtVisit) -> datetime:
    """The time that a visit is planned for: one made on the spot, for when it is made, and that too was read from the
    device's clock."""
    return its.at if item.body.scheduled_at == item.at else item.body.scheduled_at


async def _visit(its: Application, item: BroughtVisit) -> UUID:
    plan = item.body
    _require_own_id(item.id, plan)
    new = plan.model_copy(update={"id": its.id, "scheduled_at": planned_for(its, item)})
    await suspecting.wait_for_twins(its.tx, plan.customer_id)
    visit = await visits.plan_visit(its.tx, its.runtime, its.caller, new, late=True)
    its.notes.extend(await repository.gone_since(its.tx, visit))
    await suspecting.suspect(its.tx, visit, its.runtime.clock.now())
    return visit.id


async def _preparation(its: Application, item: BroughtPreparation) -> None:
    def unchanged(current: Any) -> None:
        if current["prepared_at"] is not None and not its.over:
            raise PreparedOtherwise

    await preparing.prepare_visit(its.tx, its.runtime, its.caller, its.visit_id, item.body, unchanged)


async def _appointment(its: Application, item: BroughtAppointment) -> UUID:
    new = NewAppointment(**_fields(item), id=its.id, at=its.at)
    late = not its.over
    return (await appointments.appoint(its.tx, its.runtime, its.caller, its.visit_id, new, late=late)).id


async def _no_appointment(its: Application, item: BroughtNoAppointment) -> UUID:
    new, refused = NoAppointment(**_fields(item), id=its.id, at=its.at), item.kind == "appointment_refusal"
    how = {"refused": refused, "late": not its.over}
    return (await appointments.give_up(its.tx, its.runtime, its.caller, its.visit_id, new, **how)).id


async def _arrival(its: Application, item: BroughtArrival) -> None:
    arrival = Arrival(at=its.at, place=item.body.place, consented=item.body.consented)
    await arriving.arrive(its.tx, its.runtime, its.caller, its.visit_id, arrival)


async def _start(its: Application, item: BroughtAct) -> None:
    await visits.start(its.tx, its.runtime, its.caller, its.visit_id, its.at)


async def _completion(its: Application, item: BroughtAct) -> None:
    await visits.complete(its.tx, its.runtime, its.caller, its.visit_id, its.at)


async def _drop(its: Application, item: BroughtAct) -> None:
    act = Act.CANCEL if item.kind == "cancellation" else Act.MISS
    await visits.drop(its.tx, its.runtime, its.caller, its.visit_id, act, its.at, item.body.reason)


async def _checklist(its: Application, item: BroughtChecklist) -> None:
    new = NewAnswers(answers=item.body.answers, at=its.at)
    await checklists.answer(its.tx, its.runtime, its.caller, its.visit_id, new, late=True)
    await _note_if_before_start(its)


async def _step(its: Application, item: BroughtStep) -> UUID:
    # Not validated again: of a content that is one already, its kind cannot be read.
    new = NewStep.model_construct(id=its.id, content=item.body.content, at=its.at, supersedes=item.body.supersedes)
    step = await steps.record(its.tx, its.statements, its.runtime, its.caller, its.visit_id, new, late=True)
    await _note_if_before_start(its)
    return step.id


async def _appeal(its: Application, item: BroughtAppeal) -> UUID:
    new = NewAppeal(**_fields(item), id=its.id, received_at=its.at)
    raised = await appeals.raise_appeal(its.statements, its.runtime, its.caller, its.visit_id, new)
    return UUID(str(raised["id"]))


async def _attachment(its: Application, item: BroughtAttachment) -> UUID:
    _require_own_id(item.id, item.body)
    new = item.body.model_copy(update={"id": its.id})
    return (await attachments.declare(its.tx, its.runtime, its.caller, its.visit_id, new)).id


async def _withdrawal(its: Application, item: BroughtWithdrawal) -> None:
    which, why = item.body.attachment_id, item.body.reason
    await give_up(its.tx, its.runtime, its.caller, which, why, at=its.at, visit_id=its.visit_id)


async def _note_if_before_start(its: Application) -> None:
    if is_before(its.at, await repository.began(its.tx, its.visit_id)):
        its.notes.append("before_start")


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item.body, name) for name in type(item.body).model_fields}


def _require_own_id(id: UUID, new: New) -> None:
    if new.id not in (None, id):
        raise Unprocessable(OTHER_ID)


_BY_KIND: Mapping[str, Apply] = {
    "visit": _visit,
    "preparation": _preparation,
    "appointment": _appointment,
    "appointment_refusal": _no_appointment,
    "appointment_cancellation": _no_appointment,
    "arrival": _arrival,
    "start": _start,
    "appeal": _appeal,
    "checklist": _checklist,
    "step": _step,
    "attachment": _attachment,
    "attachment_withdrawal": _withdrawal,
    "completion": _completion,
    "cancellation": _drop,
    "miss": _drop,
}
