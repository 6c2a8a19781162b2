"""Policy materials, each edition a row."""

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought

State = Literal["draft", "published", "withdrawn"]


class Material(Brought, Base):
    """An edition of a policy material. Editions of one `series_id` follow each other; what was publicised of an older
    one stays true. Empty `needs`, `traits` or `industries` are everybody's."""

    __tablename__ = "materials"
    __table_args__ = (
        CheckConstraint(f"state IN {get_args(State)}", name="materials_state_known"),
        UniqueConstraint("series_id", "version", name="materials_one_of_a_version"),
        Index("materials_unit_code", "unit_code"),
        Index("materials_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    series_id: Mapped[UUID]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("materials.id"))
    version: Mapped[int]
    title: Mapped[str]
    topic: Mapped[str]
    summary: Mapped[str]
    source: Mapped[str | None]
    needs: Mapped[list[str]]
    traits: Mapped[list[str]]
    industries: Mapped[list[str]]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    state: Mapped[str]
    drafted_by: Mapped[str]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None]
    replaced_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    reason: Mapped[str | None]
