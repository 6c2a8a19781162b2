"""What callers send about appeals."""

from typing import Annotated, Literal

from pydantic import Field

from appeal_tracker.appeals.schemas import FindingName, Note
from appeal_tracker.sources.codes import CategoryName, TypeName
from appeal_tracker.sources.schemas import Source
from chassis.web.schemas import Body, Code, Id, Instant, Text


class NewAppeal(Body):
    """An appeal that another system took: which one, and its own number for it, which is one appeal for good.

    Either a `type` of ours, or `type_code`, which the system's code table explains; `category` or `category_code` of a
    complaint likewise. `unit_code` is the caller's own unless said otherwise; `taken_by` the staff number of who spoke
    with the customer. A consultation says why it was not answered at once (§7.2.3); a confidential appeal names no
    customer, and whom an anonymous one names is not kept.
    """

    source: Source
    source_no: Code
    type: TypeName | None = None
    type_code: Code | None = None
    category: CategoryName | None = None
    category_code: Code | None = None
    received_at: Instant
    summary: Annotated[str, Text(4000, lines=True)]
    reason_not_answered: Annotated[str, Text(500, lines=True)] | None = None
    unit_code: Code | None = None
    customer_id: Id | None = None
    taken_by: Code | None = None
    confidential: bool = False
    anonymous: bool = False


class RecordContact(Body):
    """A contact with the customer, or an attempt at one, at its true time. `evidence` is where there is proof of it,
    such as the number of a call's recording."""

    at: Instant
    channel: Code
    result: Literal["reached", "refused", "no_answer"]
    evidence: Annotated[str, Text(200)] | None = None
    note: Note | None = None


class RecordAnswer(Body):
    """An answer as it was given to the customer, at its true time. Of a complaint or a report `finding` says whether
    the facts bear it out; that may be recorded later, until it is closed."""

    at: Instant
    content: Annotated[str, Text(4000, lines=True)]
    finding: FindingName | None = None


class Judge(Body):
    """What was found out about a complaint or a report."""

    finding: FindingName
    note: Note | None = None


class Accept(Body):
    """Of a complaint, what it is about."""

    category: CategoryName | None = None
    note: Note | None = None


class Dispatch(Body):
    """One of the two at least."""

    handler: Code | None = None
    handling_unit_code: Code | None = None
    note: Note | None = None


class Return(Body):
    """Why it goes back to whoever handed it on."""

    reason: Note


class Urge(Body):
    """`by_customer`: the customer asked for it."""

    by_customer: bool = False
    note: Note | None = None


class Supervise(Body):
    """By when the supervisor wants to hear of it, if that matters."""

    report_by: Instant | None = None
    note: Note | None = None


class Withdraw(Body):
    """When, and by which channel, the customer said that they take it back."""

    at: Instant
    channel: Code
    note: Note | None = None


class Void(Body):
    """Why it was a mistake."""

    reason: Note


class Reclassify(Body):
    """What it is in truth, and how that turned out."""

    type: TypeName
    reason: Note


class Correct(Body):
    """What is true instead of what was recorded, one fact at least; and why."""

    received_at: Instant | None = None
    category: CategoryName | None = None
    reason: Note


class ReachMilestone(Body):
    """Which milestone of the pack's own was reached, and when in truth."""

    milestone: Code
    at: Instant
    note: Note | None = None


class Close(Body):
    note: Note | None = None


class Transfer(Body):
    """To whom, one of the two at least, and why."""

    handler: Code | None = None
    handling_unit_code: Code | None = None
    reason: Note


class Hold(Body):
    """Why it waits, since when (now, unless said otherwise), and which milestones: all that the policy lets wait,
    unless some are named."""

    reason: Note
    milestones: Annotated[list[Code], Field(min_length=1, max_length=20)] | None = None
    at: Instant | None = None
    note: Note | None = None


class Resume(Body):
    """Since when it goes on: now, unless said otherwise."""

    at: Instant | None = None
    note: Note | None = None


class Reopen(Body):
    reason: Note


class Merge(Body):
    """The appeal that speaks for both from now on."""

    into: Id
    note: Note | None = None


class Unmerge(Body):
    note: Note | None = None
