"""The timeline: what became of appeals and visits, fact by fact. It is the record, and stays for ever."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Identity, Index, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, synonym

from appeal_tracker.base import Base
from chassis.db import Written, driver
from chassis.web.paging import Listing, Window

_COLUMNS = ("appeal_id", "at", "recorded_at", "kind", "actor", "data")


class TimelineEntry(Written, Base):
    """A fact about an appeal, or a visit and its clocks, in the order the tracker learned of it: when it was true, and
    when it was recorded. `appeal_id` is the visit's id then."""

    __tablename__ = "timeline"
    __table_args__ = (
        Index(
            "timeline_recalculations",
            text("(data ->> 'recalculation_id')"),
            "seq",
            postgresql_where=text("(data ->> 'recalculation_id') IS NOT NULL"),
        ),
    )

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[int] = synonym("seq")
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    kind: Mapped[str]
    actor: Mapped[str | None]
    data: Mapped[dict[str, Any]]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A fact for the timeline of an appeal or a visit: `at` is when it was true; `data` holds what JSON can."""

    appeal_id: UUID
    kind: str
    at: datetime
    actor: str | None
    data: dict[str, object]


async def note(tx: AsyncSession, entries: Sequence[Entry], now: datetime) -> None:
    """Writes facts to the timelines of what they are about, in their order."""
    rows = [(each.appeal_id, each.at, now, each.kind, each.actor, _json(each)) for each in entries]
    await (await driver(tx)).copy_records_to_table("timeline", records=rows, columns=_COLUMNS)


def _json(entry: Entry) -> str:
    return msgspec.json.encode(entry.data).decode()


async def of(tx: AsyncSession, subject: UUID) -> Sequence[TimelineEntry]:
    """What is known of an appeal or a visit, in the order it became known."""
    query = select(TimelineEntry).where(TimelineEntry.appeal_id == subject).order_by(TimelineEntry.seq)
    return (await tx.scalars(query)).all()


async def page(tx: AsyncSession, subject: UUID, window: Window) -> Listing[TimelineEntry]:
    """The same, some of it."""
    query = select(TimelineEntry).where(TimelineEntry.appeal_id == subject)
    return await window.fetch(tx, query, TimelineEntry, TimelineEntry.seq)
