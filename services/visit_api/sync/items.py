"""What a device may bring, by kind: an act or a record of one visit, under an id of the device's own."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from chassis.web.schemas import Body, Id, Instant, OneOf, Text
from visit_api.appeals.models import Type
from visit_api.appeals.schemas import Reason as WhyNotAnswered
from visit_api.appeals.schemas import Words
from visit_api.appointments.models import Side
from visit_api.appointments.schemas import Place, Purpose, Reason
from visit_api.attachments.schemas import GivingUp, NewAttachment
from visit_api.checklists.schemas import NewAnswer
from visit_api.steps.contents import Content
from visit_api.visits.schemas import NewVisit, Position, Preparation

MOST = 200  # items of a push


class Item(Body):
    """An item of a push; `at` is what the device's clock showed when it was done. Of a thing (a visit, a step, an
    appeal, an attachment, a word about the appointment) the item's id becomes the thing's."""

    id: Id
    at: Instant


class OnVisit(Item):
    """An item that is about a visit, which may have come with the same push."""

    visit_id: Id


class BroughtVisit(Item):
    """A visit that was planned, or made on the spot, without a line; `scheduled_at` is the device's own time where it
    is `at`."""

    kind: Literal["visit"]
    body: NewVisit


class BroughtPreparation(OnVisit):
    """What was prepared, as a whole; what is on record otherwise is a conflict."""

    kind: Literal["preparation"]
    body: Preparation


class AppointmentBody(Body):
    """What the customer agreed to; where a window stands already, it is moved."""

    purpose: Purpose
    window_from: Instant
    window_to: Instant
    place: Place | None = None
    asked_by: Side = "company"
    reason: Reason | None = None


class BroughtAppointment(OnVisit):
    """A time that the customer agreed to."""

    kind: Literal["appointment"]
    body: AppointmentBody


class NoAppointmentBody(Body):
    """Why there is no appointment, or none any more."""

    reason: Reason


class BroughtNoAppointment(OnVisit):
    """The customer's refusal, or the company's word that it is off."""

    kind: Literal["appointment_refusal", "appointment_cancellation"]
    body: NoAppointmentBody


class ArrivalBody(Body):
    """Where the visitors arrived, with consent."""

    place: Position | None = None
    consented: bool = False


class BroughtArrival(OnVisit):
    """The arrival."""

    kind: Literal["arrival"]
    body: ArrivalBody = ArrivalBody()


class DroppedBody(Body):
    """Why the visit does not, or did not, take place."""

    reason: Annotated[str, Text(500, lines=True)] | None = None


class BroughtAct(OnVisit):
    """The beginning of a visit, its end, or that it did not take place; only of the last two there is a reason."""

    kind: Literal["start", "completion", "cancellation", "miss"]
    body: DroppedBody = DroppedBody()


class ChecklistBody(Body):
    """What was answered."""

    answers: Annotated[list[NewAnswer], Field(min_length=1, max_length=50)]


class BroughtChecklist(OnVisit):
    """Some answers to the visit's checklist, or all."""

    kind: Literal["checklist"]
    body: ChecklistBody


class StepBody(Body):
    """What was done; `supersedes` names the step that it corrects."""

    content: Content
    supersedes: Id | None = None


class BroughtStep(OnVisit):
    """A step."""

    kind: Literal["step"]
    body: StepBody


class AppealBody(Body):
    """What a customer raised; when, is the item's `at`."""

    type: Type
    summary: Words
    reason_not_answered: WhyNotAnswered | None = None
    confidential: bool = False
    anonymous: bool = False
    heard_by: Annotated[str, Text(64)] | None = None

    @property
    def hidden(self) -> bool:
        """As of the appeal that it becomes."""
        return self.confidential or self.anonymous


class BroughtAppeal(OnVisit):
    """An appeal."""

    kind: Literal["appeal"]
    body: AppealBody


class BroughtAttachment(OnVisit):
    """A file, announced by its hash; its bytes follow in parts, by `/v1/attachments/{id}/parts/{number}`."""

    kind: Literal["attachment"]
    body: NewAttachment


class WithdrawalBody(GivingUp):
    """Which file is not coming, and why."""

    attachment_id: Id


class BroughtWithdrawal(OnVisit):
    """A file that was announced is given up: its bytes were refused, or are lost."""

    kind: Literal["attachment_withdrawal"]
    body: WithdrawalBody


_FORMS: tuple[type[Item], ...] = (
    BroughtVisit,
    BroughtPreparation,
    BroughtAppointment,
    BroughtNoAppointment,
    BroughtArrival,
    BroughtAct,
    BroughtChecklist,
    BroughtStep,
    BroughtAppeal,
    BroughtAttachment,
    BroughtWithdrawal,
)
# By kind, in the order in which a push is applied: a visit before its steps, the appeals before a step that names them.
ORDER = (
    "visit",
    "preparation",
    "appointment",
    "appointment_refusal",
    "appointment_cancellation",
    "arrival",
    "start",
    "appeal",
    "checklist",
    "step",
    "attachment",
    "attachment_withdrawal",
    "completion",
    "cancellation",
    "miss",
)
# What was said with a customer about the time of a visit: the last of it holds.
_WORDS = ("appointment", "appointment_refusal", "appointment_cancellation")
_AS_IT_CAME = datetime.min.replace(tzinfo=UTC)
_KINDS: dict[str, type[Item]] = {
    kind: form for form in _FORMS for kind in get_args(form.model_fields["kind"].annotation)
}


class _OfAKind(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: Annotated[str, OneOf(ORDER)]


def read(value: dict[str, Any]) -> Any:
    """The item that `value` is. Raises pydantic's `ValidationError`, pointing into it."""
    return _KINDS[_OfAKind.model_validate(value).kind].model_validate(value)


def rank(item: Any) -> tuple[int, datetime]:
    """Where among the others of its push an item is applied: words with a customer as they were said, whichever they
    are; others of one kind as they came."""
    if item.kind in _WORDS:
        return ORDER.index(_WORDS[0]), item.at
    return ORDER.index(item.kind), _AS_IT_CAME


def named(value: dict[str, Any]) -> dict[str, Any]:
    """By what an item is known to its device, as far as it can be read."""
    found: dict[str, Any] = {}
    kind = value.get("kind")
    if isinstance(kind, str) and kind in ORDER:
        found["kind"] = kind
    try:
        found["id"] = UUID(value.get("id"))
    except (ValueError, TypeError, AttributeError):
        return found
    return found


def _left_for_later(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    # What is wrong inside an item is that item's own fault, and answered with it.
    return handler(value)


AnyItem = Annotated[
    BroughtVisit
    | BroughtPreparation
    | BroughtAppointment
    | BroughtNoAppointment
    | BroughtArrival
    | BroughtAct
    | BroughtChecklist
    | BroughtStep
    | BroughtAppeal
    | BroughtAttachment
    | BroughtWithdrawal,
    Field(discriminator="kind"),
]
Unread = Annotated[dict[str, Any], WrapValidator(_left_for_later, json_schema_input_type=AnyItem)]
