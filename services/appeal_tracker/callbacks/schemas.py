"""Callbacks as callers see and record them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

from appeal_tracker.callbacks.service import rating
from chassis.web.schemas import Body, Instant, Text, View

Rating = Literal[1, 2, 3, 4, 5, "not_rated"]


def _told(value: object) -> object:
    if isinstance(value, (bool, float)):  # which equal a number, and are none
        raise PydanticKnownError("literal_error", {"expected": "1, 2, 3, 4, 5 or 'not_rated'"})
    return value


class RecordCallback(Body):
    """A callback at its true time: what came of it, what the customer thinks, or why it failed.

    `agreed_at`: the time that the customer asked to be called at, if they did.
    """

    at: Instant
    result: Literal["completed", "unreachable", "refused"]
    satisfaction: Annotated[Rating | None, BeforeValidator(_told)] = None
    opinion: Annotated[str, Text(4000, lines=True)] | None = None
    failure_reason: Annotated[str, Text(1000, lines=True)] | None = None
    agreed_at: Instant | None = None


class CallbackView(View):
    """A recorded callback; `quiet_hours` if it was made by night and the customer had not agreed on the time. `opinion`
    and `failure_reason` are null also where they were given in confidence and are not yours to read."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    result: str
    satisfaction: Annotated[Rating | None, BeforeValidator(rating)]
    opinion: str | None
    failure_reason: str | None
    agreed_at: Instant | None
    quiet_hours: bool
