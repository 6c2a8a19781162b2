"""Tables of the appeals, of what was done about them, and of their timeline. Rows are never deleted."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Sequence, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from appeal_tracker.appeals.closing import Missing, asked
from appeal_tracker.appeals.lifecycle import Standing, State
from appeal_tracker.base import Base, one_of
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import ANONYMOUS
from appeal_tracker.clocks.timeline import TimelineEntry as TimelineEntry
from chassis.db import Tracked, Written

SUBJECT = "appeal"  # the kind of subject that clocks on an appeal name
VISIT = "visit"  # where an appeal comes from that no other system sent

NUMBERS = Sequence("appeal_numbers", metadata=Base.metadata)
# As SQL, of the row `a` of the appeals: whether it is hidden, and the visit that may be told.
HIDDEN = "(a.confidential OR a.anonymous)"
TOLD_VISIT = f"CASE WHEN NOT {HIDDEN} THEN a.visit_id END"


class Appeal(Tracked, Base):
    """An appeal as the tracker knows it: codes, times and people by number; its words stay where they were said.

    `first_contact`, who raised it, never changes (000 §8.2.4). `type` may be one this version does not know: such an
    appeal has no clocks, and `no_clock_reason` says so. `policy` is the version in force at `received_at`;
    `policy_assumed` while the units above the raising one are not all known, so that it may turn out to be another.
    `calendar` is the one that its clocks are counted on, also those that begin later; None in older rows.
    `merged_into` is the appeal that speaks for this one (主单), or did until both were closed. `held_in` is the state a
    held appeal goes back to; `reopened_at` when its present round began, if it is not the first. `facts_round`: the
    first of the rounds whose acts count in the present one, where that began only because the appeal was reclassified.
    `source` and `source_no`: the system that sent it and its number there. `finding` is what was found last; `urged`
    how often it was, in this round. `repeat_of` is the earlier appeal of the same matter, which
    came back `repeats` times. Of a `hidden` one neither visit nor customer is kept, but in rows of older code, whose
    `raised_on` and `raised_for` nobody is told.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        Index("appeals_feed", "changed_xid", "id"),
        Index("appeals_unit_code", "unit_code", "id"),
        Index("appeals_received_at", "received_at", "id"),
        Index("appeals_appeal_no", "appeal_no"),
        Index("appeals_visit_id", "visit_id", postgresql_where=text("visit_id IS NOT NULL")),
        Index(
            "appeals_handled_elsewhere",
            "handling_unit_code",
            "id",
            postgresql_where=text("handling_unit_code <> unit_code"),
        ),
        Index(
            "appeals_owner",
            text("coalesce(handler, first_contact)"),
            "id",
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "appeals_workload",
            "handling_unit_code",
            text("coalesce(handler, first_contact, '')"),
            "id",
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("appeals_of_owner", text("coalesce(handler, first_contact)"), "id"),
        Index("appeals_open", "id", postgresql_where=text("state <> 'closed'")),
        Index("appeals_supervised", "id", postgresql_where=text("supervised_at IS NOT NULL")),
        Index("appeals_category", "category", "id", postgresql_where=text("category IS NOT NULL")),
        Index(
            "appeals_customer_id", "customer_id", "received_at", "id", postgresql_where=text("customer_id IS NOT NULL")
        ),
        Index("appeals_repeat_of", "repeat_of", postgresql_where=text("repeat_of IS NOT NULL")),
        Index("appeals_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index(
            "appeals_to_conclude",
            "unit_code",
            "id",
            postgresql_where=text("(confidential OR anonymous) AND state IN ('answered', 'called_back')"),
        ),
        Index("appeals_policy_assumed", "id", postgresql_where=text("policy_assumed AND state <> 'closed'")),
        Index("appeals_source_no", "source", "source_no", unique=True, postgresql_where=text("source_no IS NOT NULL")),
        one_of("state", State),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_no: Mapped[str]
    raised_on: Mapped[UUID | None] = mapped_column("visit_id")
    raised_for: Mapped[UUID | None] = mapped_column("customer_id")
    unit_code: Mapped[str]
    handling_unit_code: Mapped[str]
    handler: Mapped[str | None]
    first_contact: Mapped[str | None]
    type: Mapped[str]
    state: Mapped[str]
    round: Mapped[int]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    confidential: Mapped[bool]
    anonymous: Mapped[bool]
    policy: Mapped[str]
    no_clock_reason: Mapped[str | None]
    outcome: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    policy_assumed: Mapped[bool] = mapped_column(server_default=text("false"))
    calendar: Mapped[str | None]
    merged_into: Mapped[UUID | None]
    reopened_at: Mapped[datetime | None]
    held_in: Mapped[str | None]
    facts_round: Mapped[int | None]
    category: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default=text("'visit'"))
    source_no: Mapped[str | None]
    content_digest: Mapped[bytes | None]
    finding: Mapped[str | None]
    urged: Mapped[int] = mapped_column(server_default=text("0"))
    supervised_by: Mapped[str | None]
    supervised_at: Mapped[datetime | None]
    report_by: Mapped[datetime | None]
    repeat_of: Mapped[UUID | None]
    repeats: Mapped[int] = mapped_column(server_default=text("0"))

    clocks: Mapped[list[Clock]] = relationship(
        primaryjoin=lambda: (foreign(Clock.subject_id) == Appeal.id) & (Clock.subject_kind == SUBJECT),
        order_by=(Clock.round, Clock.due_at),
        viewonly=True,
        lazy="raise",
    )

    @hybrid_property
    def hidden(self) -> bool:
        """Whether nobody is told whose it is, and few what was said: it was raised in confidence, or without a name
        (002 §6.4.5.5)."""
        return self.confidential | self.anonymous

    @property
    def visit_id(self) -> UUID | None:
        """The visit that it was raised on, as it may be told."""
        return None if self.hidden else self.raised_on

    @property
    def customer_id(self) -> UUID | None:
        """Whose it is, as it may be told."""
        return None if self.hidden else self.raised_for

    @property
    def owner(self) -> str | None:
        """Who answers for it: the handler, else the first-contact person; with neither, the unit's supervisors do."""
        return self.handler or self.first_contact

    @property
    def changed_at(self) -> datetime:
        """When it last changed, as it is shown: itself, or one of its clocks."""
        return max([self.updated_at, *(clock.changed_at for clock in self.clocks if clock.changed_at)])

    @property
    def since(self) -> datetime:
        """When its present round began."""
        return self.reopened_at or self.received_at

    @property
    def counts_from(self) -> int:
        """The first round whose acts count in the present one."""
        return self.facts_round or self.round

    @property
    def no_contact_reason(self) -> str | None:
        """Why it has no clock for contacting the customer, where its type may have one."""
        return ANONYMOUS if self.anonymous else None

    @property
    def no_callback_reason(self) -> str | None:
        """Why nobody calls the customer back, nor is timed to."""
        return ANONYMOUS if self.anonymous else None

    @property
    def lacks(self) -> list[Missing]:
        """What is asked for by now, and missing; closing does not demand it."""
        ended = self.outcome is not None and self.outcome != "resolved"
        return [] if ended else asked(self.standing.progress, self.type, self.finding)

    @property
    def standing(self) -> Standing:
        """Where it stands, for the state machine."""
        return Standing(State(self.held_in or self.state), self.held_in is not None, self.is_merged)

    @property
    def is_merged(self) -> bool:
        """Whether another appeal speaks for it; it ends with that one, and then speaks for itself again."""
        return self.merged_into is not None and self.state != State.CLOSED

    def counted_on(self, clocks: Collection[Clock]) -> str | None:
        """The calendar that it keeps: in older rows that of those of its clocks, in their order, which run by its
        policy; None where there are none."""
        of_clocks = (clock.calendar.partition("@")[0] for clock in reversed([*clocks]) if clock.policy == self.policy)
        return self.calendar or next(of_clocks, None)

    def stand(self, standing: Standing) -> None:
        """Stands as the state machine says; which appeal it is merged into is said besides."""
        self.state = standing.state
        self.held_in = standing.progress if standing.held else None


class AppealLeaving(Base):
    """A unit that handled an appeal until it went elsewhere, the last time `left_at`, so that whoever follows the
    unit's appeals is told that it is gone. A trigger writes it, whoever hands it over."""

    __tablename__ = "appeal_leavings"
    __table_args__ = (Index("appeal_leavings_feed", "changed_xid", "appeal_id"),)

    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    unit_code: Mapped[str] = mapped_column(primary_key=True)
    left_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_xid: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"))


class Contact(Written, Base):
    """A contact with the customer, or an attempt at one; `counts` if it was made by somebody responsible. What was
    written of it is sealed, among the texts; older rows may hold it still."""

    __tablename__ = "contacts"
    __table_args__ = (Index("contacts_appeal_id", "appeal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by: Mapped[str]
    channel: Mapped[str]
    result: Mapped[str]
    counts: Mapped[bool]
    evidence: Mapped[str | None]
    note: Mapped[str | None]


class Answer(Written, Base):
    """An answer given to the customer; who gave it handled the appeal. Its content is sealed, as the words of a contact
    are."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_appeal_id", "appeal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by: Mapped[str]
    content: Mapped[str | None]
    finding: Mapped[str | None]
