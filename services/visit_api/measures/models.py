"""What is done so that something does not happen again."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Written
from visit_api.base import Base, Versioned
from visit_api.measures.lifecycle import Act, MeasureState


class Measure(Versioned, Base):
    """An improvement measure (T/SDPEA §9.1): what was found, on a visit, in an appeal or by a figure, and what is done
    about it, by whom, until when. Whoever verifies is neither its owner nor who did it."""

    __tablename__ = "measures"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(map(str, MeasureState))}", name="measures_state_known"),
        CheckConstraint("num_nonnulls(visit_id, appeal_id, figure) > 0", name="measures_found_somewhere"),
        CheckConstraint(
            "(state = 'open') = (done_at IS NULL) AND (done_at IS NULL) = (done_by IS NULL)", name="measures_done_whole"
        ),
        CheckConstraint(
            "(state = 'verified') = (verified_at IS NOT NULL) AND (verified_at IS NULL) = (verified_by IS NULL)",
            name="measures_verified_whole",
        ),
        CheckConstraint("verified_by NOT IN (owner, done_by)", name="measures_verified_by_another"),
        Index("measures_due_on", "due_on", "id"),
        Index("measures_unit_code", "unit_code", "due_on"),
        Index("measures_owner", "owner", "due_on"),
        Index("measures_visit_id", "visit_id", postgresql_where=text("visit_id IS NOT NULL")),
        Index("measures_appeal_id", "appeal_id", postgresql_where=text("appeal_id IS NOT NULL")),
        Index("measures_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visits.id"))
    appeal_id: Mapped[UUID | None] = mapped_column(ForeignKey("appeals.id"))
    figure: Mapped[str | None]
    finding: Mapped[str]
    measure: Mapped[str]
    owner: Mapped[str]
    due_on: Mapped[date]
    state: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[str | None]


class MeasureAct(Written, Base):
    """What was done with a measure, in whose words, and who owned it until when from then on; kept for good."""

    __tablename__ = "measure_acts"
    __table_args__ = (
        CheckConstraint(f"act IN {tuple(map(str, Act))}", name="measure_acts_act_known"),
        Index("measure_acts_measure_id", "measure_id", "id"),
        Index("measure_acts_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    measure_id: Mapped[UUID] = mapped_column(ForeignKey("measures.id"))
    act: Mapped[str]
    words: Mapped[str | None]
    owner: Mapped[str]
    due_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
