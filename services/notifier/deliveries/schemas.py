"""What is shown of deliveries and mailboxes."""

from typing import Literal
from uuid import UUID

from chassis.web.schemas import Instant, View

State = Literal["queued", "deferred", "sending", "sent", "delivered", "failed", "unknown", "cancelled", "dead"]


class DeliveryView(View):
    """A message for one recipient by one channel. `audience` is whom the ladder named, `audience_unit` the unit whose
    supervisors were told; `why` the reason of the last decision; `sent_at` when the quiet-hours check was passed."""

    id: UUID
    event_id: UUID
    event_type: str
    step: str
    late: bool
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
    appeal_id: UUID | None
    subject_kind: str
    subject_id: UUID
    visit_id: UUID | None
    milestone: str
    round: int
    due_at: Instant
    unit_code: str
    handling_unit_code: str
    planned_at: Instant
    updated_at: Instant


class MailView(View):
    """A letter in the local mailbox; `attempts` counts how often it was brought, accepted once."""

    send_id: UUID
    recipient: str
    subject: str
    body: str
    accepted_at: Instant
    attempts: int
