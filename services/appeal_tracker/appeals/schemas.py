"""Appeals as callers see them and act on them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from appeal_tracker.clocks.schemas import ClockView
from chassis.web.schemas import Body, Code, Id, Instant, Text, View

StateName = Literal["open", "contacted", "answered", "called_back", "held", "closed"]


class AppealView(View):
    """An appeal. Without clocks `no_clock_reason` says why: `as_prescribed`, `unknown_type`.

    `is_merged`: another appeal speaks for it. `merged_into` is that one, or the one that did until both were closed, if
    you may see it; `reopened_at` when its present round began, if it is not the first.
    """

    id: UUID
    appeal_no: str
    type: str
    state: StateName
    round: int
    unit_code: str
    handling_unit_code: str
    handler: str | None
    first_contact: str | None
    visit_id: UUID | None
    customer_id: UUID | None
    received_at: Instant
    recorded_at: Instant
    confidential: bool
    anonymous: bool
    policy: str
    no_clock_reason: str | None
    outcome: str | None
    closed_at: Instant | None
    reopened_at: Instant | None
    is_merged: bool
    merged_into: UUID | None
    updated_at: Instant
    clocks: list[ClockView]


class TimelineEntryView(View):
    """A fact: when it was true, when it was recorded, and who acted, if a person did. In `data` null stands for another
    appeal that you may not see, and for words that were written in confidence and are not yours to read."""

    seq: int
    at: Instant
    recorded_at: Instant
    kind: str
    actor: str | None
    data: dict[str, Any]


class RecordContact(Body):
    """A contact with the customer, or an attempt at one, at its true time."""

    at: Instant
    channel: Code
    result: Literal["reached", "refused", "no_answer"]


class ContactView(View):
    """A recorded contact; `counts` if somebody responsible made it."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    channel: str
    result: str
    counts: bool


class RecordAnswer(Body):
    """An answer as it was given to the customer, at its true time."""

    at: Instant
    content: Annotated[str, Text(4000, lines=True)]


class AnswerView(View):
    """A recorded answer; `content` is null where it was given in confidence and is not yours to read."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    content: str | None


class Accept(Body):
    note: Annotated[str, Text(1000, lines=True)] | None = None


class Dispatch(Body):
    """One of the two at least."""

    handler: Code | None = None
    handling_unit_code: Code | None = None


class ReachMilestone(Body):
    """Which milestone of the pack's own was reached, and when in truth."""

    milestone: Code
    at: Instant
    note: Annotated[str, Text(1000, lines=True)] | None = None


class Close(Body):
    """Nothing needs saying."""


class Transfer(Dispatch):
    """To whom, one of the two at least, and why."""

    reason: Annotated[str, Text(1000, lines=True)]


class Hold(Body):
    """Why it waits, since when (now, unless said otherwise), and which milestones: all that the policy lets wait,
    unless some are named."""

    reason: Annotated[str, Text(1000, lines=True)]
    milestones: Annotated[list[Code], Field(min_length=1, max_length=20)] | None = None
    at: Instant | None = None
    note: Annotated[str, Text(1000, lines=True)] | None = None


class Resume(Body):
    """Since when it goes on: now, unless said otherwise."""

    at: Instant | None = None
    note: Annotated[str, Text(1000, lines=True)] | None = None


class Reopen(Body):
    reason: Annotated[str, Text(1000, lines=True)]


class Merge(Body):
    """The appeal that speaks for both from now on."""

    into: Id
    note: Annotated[str, Text(1000, lines=True)] | None = None


class Unmerge(Body):
    note: Annotated[str, Text(1000, lines=True)] | None = None
