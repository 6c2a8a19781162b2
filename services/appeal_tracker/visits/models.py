"""Table of the visits: what was heard of each, for the clocks on it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base

SUBJECT = "visit"  # the kind of subject that clocks on a visit name


class Visit(Base):
    """A visit as far as it was heard of; times are the true ones, `updated_at` is when something was last heard.

    `visitors` are staff numbers, the first of them leads. `appointed_at` is when the window was agreed upon, or
    given up where there is none any more.
    `policy_assumed`: its clocks run by a policy that may turn out to be another, or are missing by it, for the units
    above its own are not all known.
    """

    __tablename__ = "visits"
    __table_args__ = (
        Index("visits_policy_assumed", "unit_code", postgresql_where=text("policy_assumed")),
        Index(
            "visits_open",
            "id",
            postgresql_where=text("archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    visitors: Mapped[list[str] | None]
    window_from: Mapped[datetime | None]
    window_to: Mapped[datetime | None]
    appointed_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    policy_assumed: Mapped[bool] = mapped_column(server_default=text("false"))
    updated_at: Mapped[datetime]

    @property
    def visit_id(self) -> UUID:
        return self.id

    @property
    def is_open(self) -> bool:
        """Whether something can still begin on it."""
        return self.archived_at is None and self.cancelled_at is None and self.missed_at is None

    @property
    def handling_unit_code(self) -> str:
        """The unit that makes the visit."""
        return self.unit_code

    @property
    def owner(self) -> str | None:
        """Who answers for its deadlines: the first of the visitors; without any, the unit's supervisors do."""
        return self.visitors[0] if self.visitors else None

    @property
    def first_contact(self) -> str | None:
        """Nobody: what a visit waits for is no contact about an appeal."""
        return None
