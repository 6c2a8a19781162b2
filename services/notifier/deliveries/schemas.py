"""What is shown of deliveries and mailboxes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chassis.web.schemas import Body, Code, Instant, View

State = Literal["queued", "deferred", "sending", "sent", "delivered", "failed", "unknown", "cancelled", "dead"]

Minute = Annotated[str, StringConstraints(strict=True, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class DeliveryView(View):
    """A message for one recipient by one channel. `audience` is whom the ladder named, `audience_unit` the unit whose
    people were told, `on_duty` that a roster named them, `instead_of` for whom they stand in; `route` the one it goes
    by, with its version; `fallback_of`, by which channel it did not arrive before; `late`, that downtime ate the moment
    it was due, `late_arrival`, that the deadline was past already when its subject was heard of; `why` the reason of
    the last decision, `error` what was said of a failure, or every audience in which there was nobody; `sent_at` when
    the quiet-hours check was passed."""

    id: UUID
    event_id: UUID
    event_type: str
    step: str | None
    late: bool
    late_arrival: bool
    recipient: str
    recipient_kind: str
    channel: str
    state: str
    not_before: Instant
    sent_at: Instant | None
    send_id: UUID | None
    attempts: int
    why: str | None
    error: str | None
    audience: str
    audience_unit: str | None
    on_duty: bool
    instead_of: str | None
    route: str | None
    fallback: list[str]
    fallback_of: str | None
    appeal_id: UUID | None
    subject_kind: str
    subject_id: UUID
    visit_id: UUID | None
    milestone: str | None
    round: int
    due_at: Instant | None
    unit_code: str
    handling_unit_code: str
    planned_at: Instant
    updated_at: Instant


class RetryMany(Body):
    """Which deliveries are to be tried again: in one of `states`, last changed from `since` on and before `until`. With
    `dry_run`, which is the default, they are only counted; of an unknown one the provider is asked first."""

    since: Instant
    until: Instant
    states: Annotated[list[Literal["failed", "unknown", "dead"]], Field(min_length=1, max_length=3)] = ["dead"]
    channel: Code | None = None
    recipient: Code | None = None
    why: Code | None = None
    dry_run: bool = True


class Retried(View):
    """How many deliveries are tried again, or would be; `more`: there are others, for another call;
    `arrived_otherwise`: how many are left out because the same was told by another channel of their route since."""

    count: int
    more: bool
    arrived_otherwise: int


class QuietHoursBody(Body):
    """From `begin` until `until`, as they are read on a clock in China, nothing is sent; the same twice: never."""

    begin: Minute
    until: Minute


class QuietHoursView(View):
    """When nobody of a kind, `staff` or `customer`, is sent anything by a channel."""

    id: str
    recipient_kind: str
    channel: str
    begin: str
    until: str
    revision: int
    changed_by: str | None
    updated_at: Instant


class MailView(View):
    """A letter in the local mailbox; `attempts` counts how often it was brought, accepted once."""

    send_id: UUID
    recipient: str
    subject: str
    body: str
    accepted_at: Instant
    attempts: int
