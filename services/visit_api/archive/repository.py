"""Queries of the archive; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from chassis.scope import ancestors, within
from chassis.web.paging import Listing, Window
from visit_api.archive.models import Entry, GapReason, Hold, Rule
from visit_api.directory.models import Unit


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, *, unit_code: str | None, filed_as: str | None
) -> Listing[Entry]:
    """The entries that the caller sees, without what they hold."""
    query = select(Entry).where(within(Unit, unit, Entry.unit_code)).options(defer(Entry.record))
    if unit_code is not None:
        query = query.where(Entry.unit_code == unit_code)
    if filed_as is not None:
        query = query.where(Entry.filed_as == filed_as)
    return await window.fetch(tx, query, Entry)


async def of_visit(tx: AsyncSession, unit: str | None, visit_id: UUID) -> Sequence[Entry]:
    """What is archived of a visit, where the caller sees it: its record, then the supplements as they came."""
    query = select(Entry).where(Entry.visit_id == visit_id, within(Unit, unit, Entry.unit_code))
    # The clocks of two processes may differ a little; the record is first all the same.
    return (await tx.scalars(query.order_by(Entry.kind != "record", Entry.updated_at, Entry.id))).all()


async def reasons_of(tx: AsyncSession, visit_id: UUID) -> Sequence[GapReason]:
    """The reasons given for what a visit lacks, the last one last."""
    query = select(GapReason).where(GapReason.visit_id == visit_id)
    return (await tx.scalars(query.order_by(GapReason.recorded_at, GapReason.id))).all()


async def last_hold(tx: AsyncSession, visit_id: UUID) -> Hold | None:
    """The last word on whether the record of a visit is held."""
    query = select(Hold).where(Hold.visit_id == visit_id).order_by(Hold.recorded_at.desc(), Hold.id.desc()).limit(1)
    found: Hold | None = await tx.scalar(query)
    return found


async def is_strict(tx: AsyncSession, unit_code: str, on: date) -> bool:
    """Whether a unit, or one above it, demanded everything on a day; of several rules of a unit the last counts."""
    line = await ancestors(tx, Unit, unit_code)
    query = select(Rule).where(Rule.unit_code.in_(line), Rule.effective_from <= on)
    rules = await tx.scalars(query.order_by(Rule.effective_from, Rule.recorded_at, Rule.id))
    return any({rule.unit_code: rule.strict for rule in rules}.values())


async def rules_of(tx: AsyncSession, window: Window, unit_code: str) -> Listing[Rule]:
    """What a unit adopted, in the order it did."""
    return await window.fetch(tx, select(Rule).where(Rule.unit_code == unit_code), Rule)
