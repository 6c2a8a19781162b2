"""Table of the code tables. A version is never changed: an appeal was taken in by the one that counted then."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column, synonym

from appeal_tracker.base import Base
from chassis.db import Written


class CodeTable(Written, Base):
    """A version of what a source system means: from its codes to our types of appeals, and to categories of
    complaints."""

    __tablename__ = "code_tables"
    __table_args__ = (Index("code_tables_feed", "changed_xid", "source"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = synonym("source")
    types: Mapped[dict[str, Any]]
    categories: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
