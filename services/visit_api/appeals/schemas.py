"""Appeals at the edge."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator

from chassis.web.schemas import Instant, Text, View
from visit_api.appeals.models import Type
from visit_api.base import New

Words = Annotated[str, Text(4000, lines=True)]
Reason = Annotated[str, Text(500, lines=True)]


class NewAppeal(New):
    """What a customer raised, and when they said it. A consultation is raised when it was not answered at once, and
    says why (§7.2.3). `confidential`, `anonymous`: no other service learns on which visit it was raised, nor by whom.
    `heard_by`: the staff number of who heard it first and stays responsible (§8.2.4), where that is not who sends
    this."""

    type: Type
    summary: Words
    received_at: Instant
    reason_not_answered: Reason | None = None
    confidential: bool = False
    anonymous: bool = False
    heard_by: Annotated[str, Text(64)] | None = None


class DeadlineView(View):
    """A deadline that was kept, or that passed without what it was for (§7.2.3)."""

    milestone: str
    due_at: Instant
    kept: bool


def _in_order(by_clock: Any) -> Any:
    """The deadlines of a row, whichever way it was read, as a list."""
    known = json.loads(by_clock) if isinstance(by_clock, str) else by_clock
    return (
        sorted(known.values(), key=lambda its: (its["due_at"], its["milestone"])) if isinstance(known, dict) else known
    )


class AppealView(View):
    """An appeal as raised, and what the tracker told of it since: `reclassified_to` is the type that it is of now, null
    where that is still its `type`; `satisfaction` is the last that the customer gave, from 1 to 5 (§9.4). Of the last
    `round`: when the customer was first got through to and first answered, when it was closed, and of each deadline
    whether it was kept, once that is known. What was answered stays in the tracker."""

    id: UUID
    appeal_no: str
    visit_id: UUID
    unit_code: str
    type: str
    summary: str
    reason_not_answered: str | None
    received_at: Instant
    recorded_at: Instant
    raised_by: str
    typed_by: str | None
    confidential: bool
    anonymous: bool
    state: str
    round: int
    outcome: str | None
    reclassified_to: str | None
    contacted_at: Instant | None
    answered_at: Instant | None
    closed_at: Instant | None
    deadlines: Annotated[list[DeadlineView], BeforeValidator(_in_order)]
    callback_result: str | None
    called_back_at: Instant | None
    satisfaction: str | None
    rated_at: Instant | None
    updated_at: Instant


class AppealWords(View):
    """What another service may know of an appeal's words: not on which visit they were said."""

    id: UUID
    appeal_no: str
    unit_code: str
    type: str
    summary: str
    reason_not_answered: str | None
    received_at: Instant
    recorded_at: Instant
    raised_by: str
    confidential: bool
    anonymous: bool
