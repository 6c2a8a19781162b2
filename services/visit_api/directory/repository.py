"""Queries of the directory; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import ancestors, below, within
from chassis.web.paging import Gone, Listing, Way, Window
from visit_api.directory.models import Staff, StaffLeaving, Unit

Lock = Literal["change", "close", "open"]  # for a change, to be closed, or so that it is not closed meanwhile


async def find_unit(tx: AsyncSession, unit: str | None, code: str, *, lock: Lock | None = None) -> Unit | None:
    """The unit `code`, where the caller sees it, held if `lock` says so. Whatever is put into a unit holds it open."""
    query = select(Unit).where(Unit.code == code, within(Unit, unit, Unit.code))
    if lock is not None:
        query = query.with_for_update(of=Unit, read=lock == "open", key_share=lock != "close")
    found: Unit | None = await tx.scalar(query)
    return found


async def list_units(tx: AsyncSession, unit: str | None, window: Window, parent_code: str | None) -> Listing[Unit]:
    """The units that the caller sees, by code."""
    query = select(Unit).where(within(Unit, unit, Unit.code))
    if parent_code is not None:
        query = query.where(Unit.parent_code == parent_code)
    return await window.fetch(tx, query, Unit, Unit.code)


async def is_below(tx: AsyncSession, code: str, top: str) -> bool:
    """Whether `code` is `top` or a unit below it."""
    return await tx.scalar(select(Unit.id).where(Unit.code == code, Unit.code.in_(below(Unit, top)))) is not None


async def around(tx: AsyncSession, code: str) -> Sequence[Unit]:
    """The units that stand right below `code`, and those that merged into it, whoever sees them."""
    query = select(Unit).where(or_(Unit.parent_code == code, Unit.merged_into == code))
    return (await tx.scalars(query.order_by(Unit.code))).all()


async def hold_units(tx: AsyncSession) -> None:
    """Lets no other transaction change units: two moves at once could close a cycle that neither sees."""
    await tx.execute(text("LOCK TABLE units IN SHARE ROW EXCLUSIVE MODE"))


async def find_staff(tx: AsyncSession, unit: str | None, staff_no: str, *, lock: bool = False) -> Staff | None:
    """The member of staff `staff_no`, where the caller sees them; `lock` holds the row for a change."""
    query = select(Staff).where(Staff.staff_no == staff_no, within(Unit, unit, Staff.unit_code))
    found: Staff | None = await tx.scalar(query.with_for_update(of=Staff, key_share=True) if lock else query)
    return found


async def list_staff(
    tx: AsyncSession, unit: str | None, window: Window, unit_code: str | None, active: bool | None
) -> Listing[Staff | Gone]:
    """The staff that the caller sees, by number; in a feed, those who went elsewhere as gone."""
    theirs = partial(of_unit, unit, unit_code)
    query = select(Staff).where(theirs(Staff.unit_code))
    if active is not None:
        query = query.where(Staff.active == active)
    if not window.is_feed:
        return await window.fetch(tx, query, Staff, Staff.staff_no)
    left = select(Staff.id).join(StaffLeaving, StaffLeaving.staff_no == Staff.staff_no)
    left = left.where(theirs(StaffLeaving.unit_code), ~theirs(Staff.unit_code))
    return await window.follow(
        tx,
        Way(query, Staff.changed_xid, Staff.id, Staff.updated_at),
        Way(left, StaffLeaving.changed_xid, Staff.id, StaffLeaving.recorded_at, gone=True),
    )


def of_unit(unit: str | None, unit_code: str | None, column: Any) -> ColumnElement[bool]:
    """The condition that `column` names a unit that the caller sees: that one where `unit_code` names one."""
    return within(Unit, unit, column) & (true() if unit_code is None else column == unit_code)


async def hold_staff(tx: AsyncSession, numbers: Sequence[str], ids: Sequence[UUID]) -> None:
    """Has the staff who have one of `numbers` or of `ids` stay as they are until the transaction ends. Several are held
    by their numbers, whoever holds them."""
    named = Staff.staff_no.in_(numbers)
    query = select(Staff.id).where(or_(named, Staff.id.in_(ids)) if ids else named)
    await tx.execute(query.order_by(Staff.staff_no).with_for_update(read=True, of=Staff))


async def staff_named(
    tx: AsyncSession, unit_code: str, numbers: Sequence[str], ids: Sequence[UUID], *, gone_too: bool = False
) -> Sequence[Staff]:
    """The active staff of the unit, of those above it and of those below it, who have one of `numbers` or of `ids`;
    `gone_too`: all who ever were of the company."""
    if not numbers:
        return ()
    above = await ancestors(tx, Unit, unit_code)
    its_line = or_(Staff.unit_code.in_(above), within(Unit, unit_code, Staff.unit_code))
    named = or_(Staff.staff_no.in_(numbers), Staff.id.in_(ids))
    if gone_too:
        return (await tx.scalars(select(Staff).where(named, within(Unit, above[-1], Staff.unit_code)))).all()
    return (await tx.scalars(select(Staff).where(named, Staff.active, its_line))).all()


async def staff_on_record(tx: AsyncSession, numbers: Sequence[str]) -> Sequence[Staff]:
    """The staff who have `numbers`, wherever they are now."""
    return (await tx.scalars(select(Staff).where(Staff.staff_no.in_(numbers)).order_by(Staff.staff_no))).all()
