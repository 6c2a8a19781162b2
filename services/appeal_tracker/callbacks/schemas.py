"""Callbacks as callers see and record them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticKnownError

from appeal_tracker.appeals.schemas import Note
from appeal_tracker.callbacks.recording import rating
from chassis.web.schemas import Body, Id, Instant, Text, View

# Of two JSON types, which no generated client takes for one enumeration.
_RATING = {"anyOf": [{"type": "integer", "enum": [1, 2, 3, 4, 5]}, {"type": "string", "enum": ["not_rated"]}]}
Rating = Annotated[Literal[1, 2, 3, 4, 5, "not_rated"], WithJsonSchema(_RATING)]


def _told(value: object) -> object:
    if isinstance(value, (bool, float)):  # which equal a number, and are none
        raise PydanticKnownError("literal_error", {"expected": "1, 2, 3, 4, 5 or 'not_rated'"})
    return value


class RecordCallback(Body):
    """A callback at its true time: what came of it, what the customer thinks, in full, or why it failed or nothing was
    rated. `agreed_at`: the time that the customer asked to be called at, if they did; it excuses a call by night within
    30 minutes of it.
    """

    at: Instant
    result: Literal["completed", "unreachable", "refused"]
    satisfaction: Annotated[Rating | None, BeforeValidator(_told)] = None
    opinion: Annotated[str, Text(4000, lines=True)] | None = None
    failure_reason: Annotated[str, Text(1000, lines=True)] | None = None
    agreed_at: Instant | None = None
    channel: Literal["phone", "on_site", "online"] = "phone"


class ScheduleCallback(Body):
    """When the customer is to be called, within 90 days, and by whom if that changes, who has to be one who may call;
    `agreed`: they agreed on the time."""

    at: Instant
    agreed: bool = False
    person: Annotated[str, Text(64)] | None = None


class CompleteFollowUp(Body):
    """What was done about a customer who was dissatisfied, and what came of it."""

    note: Note


class MakeLink(Body):
    """For how many days the link is good."""

    days: Annotated[int, Field(ge=1, le=30)] = 7


class LinkForSend(Body):
    """The send that the link is to go with."""

    send_id: Id


class SentLinkView(View):
    """Where the customer rates the answer, and until when."""

    url: str
    expires_at: Instant


class CallbackLinkView(View):
    """A link by which the customer rates the answer of a round, once; `callback_id` is what came of it."""

    id: UUID
    appeal_id: UUID
    round: int
    made_at: Instant
    made_by: str
    expires_at: Instant
    used_at: Instant | None
    callback_id: UUID | None
    updated_at: Instant


class TaskView(View):
    """Somebody is to call a customer: `required` by the pack, or `asked_by` a supervisor; a `follow_up` is owed to who
    was dissatisfied. Whose it is: `person`, or with nobody named whoever may call by the rule `whose`: `anyone`,
    `acceptor`, `not_the_handler`, or `supervisor` where the acceptor handled it themselves. `due_at` where the pack
    gives it a clock; `attempts` are the calls that nobody answered."""

    id: UUID
    appeal_id: UUID
    round: int
    unit_code: str
    kind: str
    state: str
    required: bool
    whose: str
    person: str | None
    asked_by: str | None
    opened_at: Instant
    due_at: Instant | None
    scheduled_at: Instant | None
    agreed: bool
    attempts: int
    ended_at: Instant | None
    ended_by: str | None
    callback_id: UUID | None
    updated_at: Instant


class CallbackView(View):
    """A recorded callback; `counts` if it was about an answer that had been given by then: one of before is kept, and
    neither makes the customer one who was called back nor has a low rating followed up. `quiet_hours` if it was made by
    night and the customer had not agreed on the time. By the channel `link` the customer answered themselves. `opinion`
    and `failure_reason` are null also where they were given in confidence and are not yours to read."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    channel: str
    result: str
    satisfaction: Annotated[Rating | None, BeforeValidator(rating)]
    opinion: str | None
    failure_reason: str | None
    agreed_at: Instant | None
    quiet_hours: bool
    counts: bool
