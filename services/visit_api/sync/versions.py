"""What the record says where a device says otherwise: how a contradiction is told from a refusal, and shown."""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.scope import within
from chassis.web.errors import Problem
from chassis.web.tokens import Principal
from visit_api.appeals import sealing
from visit_api.appeals.confidence import confidence
from visit_api.appeals.errors import AppealTaken
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView
from visit_api.appointments.errors import AppointedSince, AppointmentTaken
from visit_api.appointments.models import Appointment
from visit_api.appointments.schemas import AppointmentEntryView
from visit_api.attachments.errors import AttachmentTaken
from visit_api.attachments.models import Attachment
from visit_api.attachments.schemas import AttachmentView
from visit_api.directory.models import Unit
from visit_api.steps.errors import StepSuperseded, StepTaken
from visit_api.steps.models import Step
from visit_api.steps.schemas import StepView
from visit_api.sync.errors import PreparedOtherwise
from visit_api.texts import service as texts
from visit_api.texts.models import Worded
from visit_api.visits.errors import ActRefused, AlreadyArrived, VisitTaken
from visit_api.visits.lifecycle import VisitState
from visit_api.visits.models import Visit
from visit_api.visits.schemas import PreparationView, VisitView
from visit_api.visits.showing import preparation


class Thing(NamedTuple):
    """What a contradiction is with."""

    kind: str
    id: UUID


_SHOWN: dict[str, tuple[Any, type[BaseModel]]] = {
    "visit": (Visit, VisitView),
    "preparation": (Visit, PreparationView),
    "step": (Step, StepView),
    "appeal": (Appeal, AppealView),
    "attachment": (Attachment, AttachmentView),
    "appointment": (Appointment, AppointmentEntryView),
}
_TAKEN: dict[type[Problem], str] = {
    VisitTaken: "visit",
    StepTaken: "step",
    AppealTaken: "appeal",
    AttachmentTaken: "attachment",
    AppointmentTaken: "appointment",
}
# What the thing of an item of each kind is kept as; others are acts and answers, and make none.
ENTITIES: dict[str, Any] = {
    "visit": Visit,
    "step": Step,
    "appeal": Appeal,
    "attachment": Attachment,
    "appointment": Appointment,
    "appointment_refusal": Appointment,
    "appointment_cancellation": Appointment,
}


def contradicted(problem: Problem, item_id: UUID, visit_id: UUID) -> Thing | None:
    """What on record contradicts an item that was answered with `problem`; None where it is refused by itself: what a
    visit is not ready for yet contradicts nothing, and can be sent again."""
    if kind := _TAKEN.get(type(problem)):
        return Thing(kind, item_id)
    if isinstance(problem, StepSuperseded):
        return Thing("step", problem.context["superseded_by"])
    if isinstance(problem, AppointedSince):
        return Thing("appointment", problem.context["last"])
    if isinstance(problem, PreparedOtherwise):
        return Thing("preparation", visit_id)
    gone_on = isinstance(problem, ActRefused) and problem.context["state"] != VisitState.PLANNED
    return Thing("visit", visit_id) if gone_on or isinstance(problem, AlreadyArrived) else None


async def server_version(
    tx: AsyncSession, runtime: Runtime, caller: Principal, thing: Thing, *, deciding: bool = False
) -> tuple[dict[str, Any], bool] | None:
    """The record as it is, and whether it hides who said it; None where the caller may not see it. `deciding`: they may
    know of this one, for they are to decide."""
    entity, view = _SHOWN[thing.kind]
    query = select(entity).where(entity.id == thing.id, within(Unit, caller.unit, entity.unit_code))
    row = await tx.scalar(query, execution_options={"populate_existing": True})
    if row is None:
        return None
    if isinstance(row, Appeal):
        if not deciding and not (await confidence(tx, caller)).may_know(row):
            return None
        await sealing.show(tx, runtime, [row])
    if isinstance(row, Worded):
        await texts.show(tx, runtime, [row])
    shown = preparation(row) if thing.kind == "preparation" else row
    return view.model_validate(shown).model_dump(mode="json"), getattr(row, "hidden", False)
