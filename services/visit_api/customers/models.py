"""Whom the company visits."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Versioned

Kind = Literal[
    "government",
    "key_project",
    "partner.energy_body",
    "partner.source_grid_load_storage",
    "partner.academia",
    "other.important",
    "other.service_risk",
    "other.special_group",
]


class Customer(Versioned, Base):
    """A customer by the standard's kinds (§4). A removed one keeps its row: its visits are on record."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint(f"kind IN {get_args(Kind)}", name="customers_kind_known"),
        Index("customers_unit_code", "unit_code"),
        Index("customers_of_unit", "unit_code", "id", postgresql_where=text("removed_at IS NULL")),
        Index("customers_customer_no", "customer_no"),
        Index("customers_feed", "changed_xid", "id"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    customer_no: Mapped[str | None]
    accounts: Mapped[list[str]]
    phone: Mapped[str | None]
    importance: Mapped[str | None]
    removed_at: Mapped[datetime | None]
