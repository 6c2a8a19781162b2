"""How customers use electricity, as far as policies are told apart by it."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from visit_api.base import Base


class Profile(Tracked, Base):
    """A customer's industry and traits of use (§7.2.2); `id` is the customer's."""

    __tablename__ = "customer_profiles"
    __table_args__ = (Index("customer_profiles_feed", "changed_xid", "id"),)

    id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    industry: Mapped[str | None]
    traits: Mapped[list[str]]
    noted_by: Mapped[str]
