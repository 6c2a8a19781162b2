"""Whom the company visits."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Left, Versioned

Kind = Literal[
    "government",
    "key_project",
    "partner.energy_body",
    "partner.source_grid_load_storage",
    "partner.academia",
    "other.important",
    "other.service_risk",
    "other.special_group",
    "other.ordinary",
]
Mark = Literal["service_risk"]  # what a customer of any kind may be besides
# A document of a government body, the code of a marketing system, or whoever made the customer.
ImportanceBy = Literal["document", "system", "stated"]


class Customer(Versioned, Base):
    """A customer by the standard's kinds (§4). A removed one keeps its row: its visits are on record.

    Its telephone number, its address, what makes somebody one of a special group, and the name of a natural person are
    sealed. `plain_phone` is what an earlier version wrote; it is sealed and emptied as soon as it is found, and so is
    the name of a person in `plain_name`, where a firm's stands. One that a marketing system sent is
    known by `source` and `source_no`, whatever its number is here; `supply` is what that system says of how it is
    supplied, `import_id` the file that said so last. `importance` is what a document determined, or else what was said
    (§3.2). `other.ordinary` is somebody whom nobody marked: the standard
    names no such customer and asks for nothing of them, but they are who calls.
    """

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint(f"kind IN {get_args(Kind)}", name="customers_kind_known"),
        CheckConstraint("name IS NOT NULL OR name_sealed IS NOT NULL", name="customers_named"),
        Index("customers_unit_code", "unit_code"),
        Index("customers_of_unit", "unit_code", "id", postgresql_where=text("removed_at IS NULL")),
        Index("customers_customer_no", "customer_no"),
        Index("customers_phone_index", "phone_index"),
        Index("customers_plain_phone", "id", postgresql_where=text("phone IS NOT NULL")),
        Index("customers_feed", "changed_xid", "id"),
        Index("customers_marked", "id", postgresql_where=text("marks <> '{}'")),
        Index("customers_of_source", "source", "source_no", unique=True, postgresql_where=text("source IS NOT NULL")),
    )

    plain_name: Mapped[str | None] = mapped_column("name")
    name_sealed: Mapped[bytes | None]
    kind: Mapped[str]
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    customer_no: Mapped[str | None]
    accounts: Mapped[list[str]] = mapped_column(server_default="{}")
    plain_phone: Mapped[str | None] = mapped_column("phone")
    phone_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    address_sealed: Mapped[bytes | None]
    particulars: Mapped[dict[str, Any]] = mapped_column(JSONB)
    particulars_sealed: Mapped[bytes | None]
    marks: Mapped[list[str]]
    importance: Mapped[str | None]
    source: Mapped[str | None]
    source_no: Mapped[str | None]
    supply: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    import_id: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]

    @property
    def name(self) -> str:
        """What it is called; whoever shows a customer has it opened before."""
        return self._name if self.plain_name is None else self.plain_name

    @property
    def phone(self) -> str | None:
        """As it is shown: masked, and nothing of it where nobody opened it."""
        there = self.phone_sealed is not None or self.plain_phone is not None
        return getattr(self, "_masked", "****") if there else None

    @property
    def address(self) -> str | None:
        """As it is shown: its street alone, and nothing of it where nobody opened it."""
        return getattr(self, "_place", "****") if self.address_sealed is not None else None

    @property
    def importance_by(self) -> ImportanceBy | None:
        """Who says how important it is, if anybody does: a document counts for more than whatever was said before or
        since. Whoever shows a customer has it looked up before."""
        if self.importance is None:
            return None
        if getattr(self, "_determined", False):
            return "document"
        return "stated" if self.source is None else "system"

    def show_determined(self, determined: bool) -> None:
        """Has `importance_by` show whether a document says it."""
        self._determined = determined

    def show_name(self, name: str) -> None:
        """Has `name` show what was opened."""
        self._name = name

    def show(self, masked: str | None, place: str | None) -> None:
        """Has `phone` and `address` show so much of them."""
        if masked is not None:
            self._masked = masked
        if place is not None:
            self._place = place


class CustomerLeaving(Left, Base):
    """A unit that a customer was of once, so that a visit made before can still be brought; and when it left last, so
    that whoever follows the unit's customers is told that it is gone."""

    __tablename__ = "customer_leavings"
    __table_args__ = (
        UniqueConstraint("customer_id", "unit_code", name="customer_leavings_once"),
        Index("customer_leavings_feed", "changed_xid", "customer_id"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    unit_code: Mapped[str]
