"""Tables of what is to be told (notices), to whom by which channel (deliveries), what providers were handed (sends).

Three columns are in real time, as leases and back-off are: `plan_at`, `next_try_at`, `leased_until`. All others are in
domain time.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import Tracked
from notifier.base import NEXT_HEARD, Base

STATES = ("queued", "deferred", "sending", "sent", "delivered", "failed", "unknown", "cancelled", "dead")
# A partial index serves a query only if both say the same words.
WAITING = "state IN ('queued', 'deferred', 'failed')"
FALLING_BACK = "fallback <> '{}' AND state IN ('dead', 'failed', 'unknown')"
UNRECEIPTED = "fallback <> '{}' AND state = 'sent'"
UNSETTLED = "state NOT IN ('sent', 'delivered', 'cancelled')"


class Notice(Base):
    """An event that somebody must be told of. `said_at` is when it was said, `heard` its place in the order of hearing;
    `plan_at` is when its people are looked for (again), null once they are found. What a ladder says names its
    `audience`; of anything else (an act `by` somebody, without step, milestone and due) the routes do. `packs`: those
    by which a ladder tells it, where that was said; `scheduled_at`: of a plan, for when; of a callback
    `task_id` and `kind`, and the `person` whose it is, where that was said; `asked_unit_code`, whose people it asks,
    where these are not those of the handling unit."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("notices_to_plan", "plan_at", postgresql_where=text("plan_at IS NOT NULL")),
        Index(None, "subject_id"),
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    heard: Mapped[int] = mapped_column(BigInteger, server_default=NEXT_HEARD)
    heard_at: Mapped[datetime] = mapped_column(server_default=func.now())  # real time
    said_at: Mapped[datetime | None]
    plan_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    traceparent: Mapped[str | None]
    event_type: Mapped[str]  # without its version
    step: Mapped[str | None]
    audience: Mapped[list[str]]
    late: Mapped[bool]
    late_arrival: Mapped[bool] = mapped_column(server_default=text("false"))
    by: Mapped[str | None]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    unit_code: Mapped[str]
    handling_unit_code: Mapped[str]
    milestone: Mapped[str | None]
    round: Mapped[int]
    due_at: Mapped[datetime | None]
    at: Mapped[datetime]
    owner: Mapped[str | None]
    first_contact: Mapped[str | None]
    packs: Mapped[list[str] | None]
    person: Mapped[str | None]
    scheduled_at: Mapped[datetime | None]
    task_id: Mapped[UUID | None]
    kind: Mapped[str | None]
    asked_unit_code: Mapped[str | None]

    @property
    def appeal_id(self) -> UUID | None:
        return self.subject_id if self.subject_kind == "appeal" else None


class Send(Base):
    """What a provider is handed: one text for one recipient, under one id. Its text never changes, so that handing it
    over again is the same send. `insisted`: a person wants it handed over again, though nobody can tell whether it
    arrived. `link_for`: the appeal whose customer's link is filled into the text at that moment, and kept nowhere."""

    __tablename__ = "sends"
    __table_args__ = (
        CheckConstraint("state IN ('sending', 'sent', 'delivered', 'failed', 'unknown')", name="sends_state_check"),
        Index("sends_leased", "leased_until", postgresql_where=text("state = 'sending'")),
        Index(
            "sends_reference",
            "account_id",
            "reference",
            postgresql_where=text("account_id IS NOT NULL AND reference IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient: Mapped[str]
    recipient_kind: Mapped[str] = mapped_column(server_default="staff")
    channel: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    template: Mapped[str | None]  # the provider's code of the text, where it wants one, and what that is filled with
    params: Mapped[list[Any] | None] = mapped_column(JSONB)  # pairs: they have an order, which an object does not keep
    account_id: Mapped[UUID | None]  # by whose credentials it goes out
    state: Mapped[str]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    checked_at: Mapped[datetime]  # when the quiet-hours check was passed, last
    reference: Mapped[str | None]
    error: Mapped[str | None]
    insisted: Mapped[bool] = mapped_column(server_default=text("false"))
    link_for: Mapped[UUID | None]


class Delivery(Tracked, Base):
    """A message for one recipient by one channel. `why` is the reason of the last decision about it, as a code;
    `attempts` counts every time it was handed over, `tries` those since it was last queued.

    `route` is the one it goes by, with its version, and `passes`, `working_days`, `fallback` (the channels to try if it
    does not arrive) what that says; `fallback_of`, by which channel it did not; `on_duty` that a roster named the
    recipient, `instead_of` for whom they stand in; `found_again`, how often they were lost and found.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint(
            "state IN ({})".format(", ".join(f"'{state}'" for state in STATES)), name="deliveries_state_check"
        ),
        Index("deliveries_event_id_recipient_channel", "event_id", "recipient", "channel", unique=True),
        Index("deliveries_due", "channel", "not_before", "recipient", postgresql_where=text(WAITING)),
        Index("deliveries_of_one", "channel", "recipient", "not_before", postgresql_where=text(WAITING)),
        Index("deliveries_falling_back", "not_before", postgresql_where=text(FALLING_BACK)),
        Index("deliveries_unreceipted", "sent_at", postgresql_where=text(UNRECEIPTED)),
        Index("deliveries_unsettled", "state", postgresql_where=text(UNSETTLED)),
        Index(None, "send_id"),
        Index("deliveries_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ForeignKey(Notice.event_id))
    recipient: Mapped[str]
    recipient_kind: Mapped[str] = mapped_column(server_default="staff")  # whose number or id that is
    channel: Mapped[str]
    audience: Mapped[str]
    audience_unit: Mapped[str | None]
    state: Mapped[str]
    not_before: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    send_id: Mapped[UUID | None] = mapped_column(ForeignKey(Send.id))
    attempts: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    why: Mapped[str | None]
    error: Mapped[str | None]
    planned_at: Mapped[datetime]
    route: Mapped[str | None]
    passes: Mapped[str | None]
    working_days: Mapped[bool] = mapped_column(server_default=text("false"))
    fallback: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    fallback_after: Mapped[int] = mapped_column(server_default="600")
    fallback_of: Mapped[str | None]
    audience_role: Mapped[str | None]
    on_duty: Mapped[bool] = mapped_column(server_default=text("false"))
    instead_of: Mapped[str | None]
    found_again: Mapped[int] = mapped_column(server_default="0")

    notice: Mapped[Notice] = relationship(lazy="joined", innerjoin=True)
    event_type: AssociationProxy[str] = association_proxy("notice", "event_type")
    step: AssociationProxy[str | None] = association_proxy("notice", "step")
    late: AssociationProxy[bool] = association_proxy("notice", "late")
    late_arrival: AssociationProxy[bool] = association_proxy("notice", "late_arrival")
    appeal_id: AssociationProxy[UUID | None] = association_proxy("notice", "appeal_id")
    subject_kind: AssociationProxy[str] = association_proxy("notice", "subject_kind")
    subject_id: AssociationProxy[UUID] = association_proxy("notice", "subject_id")
    visit_id: AssociationProxy[UUID | None] = association_proxy("notice", "visit_id")
    milestone: AssociationProxy[str | None] = association_proxy("notice", "milestone")
    round: AssociationProxy[int] = association_proxy("notice", "round")
    due_at: AssociationProxy[datetime | None] = association_proxy("notice", "due_at")
    unit_code: AssociationProxy[str] = association_proxy("notice", "unit_code")
    handling_unit_code: AssociationProxy[str] = association_proxy("notice", "handling_unit_code")


class QuietRule(Tracked, Base):
    """When nobody of a kind, `staff` or `customer`, is sent anything by a channel; `begin` and `until` as they are read
    on a clock in China."""

    __tablename__ = "quiet_hours"
    __table_args__ = (Index("quiet_hours_feed", "changed_xid", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    recipient_kind: Mapped[str]
    channel: Mapped[str]
    begin: Mapped[str]
    until: Mapped[str]
    revision: Mapped[int] = mapped_column(server_default="1")
    changed_by: Mapped[str | None]
