"""Appeals as callers see them and act on them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from appeal_tracker.clocks.schemas import ClockView
from chassis.web.schemas import Instant, Text, View

Note = Annotated[str, Text(1000, lines=True)]
FindingName = Literal["substantiated", "partly_substantiated", "unsubstantiated"]
StateName = Literal["open", "contacted", "answered", "called_back", "held", "closed"]


class LackView(View):
    """What is not there, and the clause that asks for it."""

    what: str
    clause: str


class AppealView(View):
    """An appeal. Without clocks `no_clock_reason` says why: `as_prescribed`, `unknown_type`. `lacks` is what is asked
    for by now and not there; closing does not demand it.

    `is_merged`: another appeal speaks for it. `merged_into` is that one, or the one that did until both were closed, if
    you may see it, and `repeat_of` the earlier appeal of the same matter, which came back `repeats` times.
    `reopened_at`: when its present round began, if it is not the first.
    """

    id: UUID
    appeal_no: str
    source: str
    source_no: str | None
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
    no_contact_reason: Literal["anonymous"] | None
    no_callback_reason: Literal["anonymous"] | None
    category: str | None
    finding: str | None
    lacks: list[LackView]
    accepted_at: Instant | None
    urged: int
    supervised_by: str | None
    supervised_at: Instant | None
    report_by: Instant | None
    outcome: str | None
    closed_at: Instant | None
    reopened_at: Instant | None
    is_merged: bool
    merged_into: UUID | None
    repeat_of: UUID | None
    repeats: int
    updated_at: Instant
    clocks: list[ClockView]


class MyAppealsView(View):
    """What you have to do, the most urgent first, at most 50 of each: what is overdue, what is due next, whom to call
    back because it is your task or the policy asks for it of what is yours, what to accept. Also of those whom you
    stand in for while they are away; a supervisor's too what is nobody's in their unit, or below where nobody
    supervises, and what those have who left; and what they have to judge and close for the units next below, since it
    may be about these."""

    as_of: Instant
    stands_in_for: list[str]
    overdue: list[AppealView]
    due_next: list[AppealView]
    to_call_back: list[AppealView]
    to_accept: list[AppealView]
    to_conclude: list[AppealView]


class LoadView(View):
    """What somebody has open of the appeals that a unit handles: in all, overdue, due within 24 hours, not accepted
    yet, answered and not called back. Of each the first 200 are counted, so that 200 stands for more.

    Nobody in particular where `owner` is null: the unit's supervisors own it. `active` is false of somebody who left,
    and null of somebody the directory does not know; `present` is who is there for them now, null if nobody is.
    """

    unit_code: str
    owner: str | None
    active: bool | None
    present: str | None
    open: int
    overdue: int
    due_soon: int
    unaccepted: int
    answered: int


class WorkloadView(View):
    """What everybody has, by unit and person."""

    as_of: Instant
    items: list[LoadView]
    next: str | None


class PostedView(AppealView):
    """The appeal, and which of its codes are in no table: `type_code`, `category_code`."""

    unknown_codes: list[Literal["type_code", "category_code"]]


class WordsView(View):
    """What the customer said, if it is at hand (`kept`): it is fetched from where it was said (`wanted`), and may not
    be there (`missing`). Null also where it was said in confidence and is not yours to read."""

    appeal_id: UUID
    state: Literal["kept", "wanted", "missing"]
    summary: str | None
    reason_not_answered: str | None


class TimelineEntryView(View):
    """A fact: when it was true, when it was recorded, and who acted, if a person did. In `data` null stands for another
    appeal that you may not see, and for words that were written in confidence and are not yours to read."""

    seq: int
    at: Instant
    recorded_at: Instant
    kind: str
    actor: str | None
    data: dict[str, Any]


class ContactView(View):
    """A recorded contact; `counts` if somebody responsible made it. `evidence` and `note` are null where they were
    written in confidence and are not yours to read."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    channel: str
    result: str
    counts: bool
    evidence: str | None
    note: str | None


class AnswerView(View):
    """A recorded answer; `content` is null where it was given in confidence and is not yours to read."""

    id: UUID
    appeal_id: UUID
    round: int
    at: Instant
    recorded_at: Instant
    by: str
    content: str | None
    finding: str | None


APPEAL_COLUMNS = (
    *("appeal_no", "source", "source_no", "type", "category", "state", "round", "unit_code", "handling_unit_code"),
    *("handler", "first_contact", "received_at", "finding", "outcome", "closed_at", "urged", "supervised_by"),
    *("milestone", "due_at", "clock_state", "id"),
)


def appeal_row(appeal: Any) -> list[object]:
    """An appeal as a line of a table, with the clock of its present round that is due next, or was due last."""
    its = [clock for clock in appeal.clocks if clock.round == appeal.round]
    running = [clock for clock in its if clock.state in ("running", "held")]
    clock = (
        min(running, key=lambda each: each.due_at) if running else max(its, key=lambda each: each.due_at, default=None)
    )
    told = [getattr(appeal, column) for column in APPEAL_COLUMNS[:-4]]
    told += [clock.milestone, clock.due_at, clock.state] if clock else [None, None, None]
    told.append(str(appeal.id))
    return [value.isoformat() if isinstance(value, datetime) else value for value in told]
