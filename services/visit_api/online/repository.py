"""Queries of online service; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, extract, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import part_of, within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.online.models import Account, Group, Inquiry, Membership

Thing = TypeVar("Thing", Account, Group, Inquiry)


async def find(
    tx: AsyncSession, unit: str | None, entity: type[Thing], id: UUID, *, lock: bool = False
) -> Thing | None:
    """The account, group or inquiry `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(entity).where(entity.id == id, within(Unit, unit, entity.unit_code))
    found: Thing | None = await tx.scalar(query.with_for_update(of=entity) if lock else query)
    return found


async def find_accounts(
    tx: AsyncSession, unit: str | None, window: Window, unit_code: str | None, active: bool | None
) -> Listing[Account]:
    """The accounts that the caller sees."""
    query = _in_scope(Account, unit, unit_code)
    if active is not None:
        query = query.where(Account.active == active)
    return await window.fetch(tx, query, Account)


async def find_groups(
    tx: AsyncSession, unit: str | None, window: Window, unit_code: str | None, customer_id: UUID | None
) -> Listing[Group]:
    """The groups that the caller sees, all or those of a customer."""
    query = _in_scope(Group, unit, unit_code)
    if customer_id is not None:
        query = query.where(Group.customer_ids.bool_op("@>")([customer_id]))
    return await window.fetch(tx, query, Group)


async def find_inquiries(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    unit_code: str | None,
    group_id: UUID | None,
    answered: bool | None,
) -> Listing[Inquiry]:
    """What was asked in the groups that the caller sees."""
    query = _in_scope(Inquiry, unit, unit_code)
    if group_id is not None:
        query = query.where(Inquiry.group_id == group_id)
    if answered is not None:
        query = query.where(Inquiry.answered_at.is_not(None) == answered)
    return await window.fetch(tx, query, Inquiry)


async def membership(tx: AsyncSession, group_id: UUID, account_id: UUID) -> Membership | None:
    """The time of an account in a group that has not ended."""
    query = select(Membership).where(
        Membership.group_id == group_id, Membership.account_id == account_id, Membership.left_at.is_(None)
    )
    found: Membership | None = await tx.scalar(query)
    return found


async def find_members(tx: AsyncSession, window: Window, group_id: UUID) -> Listing[Membership]:
    """Who is and was in a group."""
    return await window.fetch(tx, select(Membership).where(Membership.group_id == group_id), Membership)


async def accounts_of(tx: AsyncSession, staff: Collection[str], at: datetime) -> Sequence[Account]:
    """The accounts of some members of staff that were in use at `at`, or are by now: nothing changes one out of use."""
    used = or_(Account.active, Account.updated_at >= at)
    query = select(Account).where(Account.staff_no.in_(staff), used).order_by(Account.id)
    return (await tx.scalars(query)).all()


async def hold_accounts_of(tx: AsyncSession, unit: str | None, staff_no: str) -> Sequence[Account]:
    """The accounts in use of somebody, where the caller sees them, held for a change."""
    query = select(Account).where(Account.staff_no == staff_no, Account.active, within(Unit, unit, Account.unit_code))
    return (await tx.scalars(query.order_by(Account.id).with_for_update(of=Account))).all()


async def hold_memberships(tx: AsyncSession, accounts: Collection[UUID]) -> Sequence[Membership]:
    """The times of accounts in groups that have not ended, held for a change."""
    query = select(Membership).where(Membership.account_id.in_(accounts), Membership.left_at.is_(None))
    return (await tx.scalars(query.order_by(Membership.id).with_for_update())).all()


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[Inquiry]:
    """What was asked online on a visit."""
    query = select(Inquiry).where(Inquiry.visit_id == visit_id).order_by(Inquiry.received_at, Inquiry.id)
    return (await tx.scalars(query)).all()


async def figures(
    tx: AsyncSession,
    unit: str | None,
    unit_code: str | None,
    kind: str | None,
    begin: datetime,
    end: datetime,
    now: datetime,
) -> Sequence[Row[Any]]:
    """How the questions from `begin` on and before `end` were answered, a row for each unit; all of them, or those in
    groups of a kind."""
    took = extract("epoch", Inquiry.answered_at - Inquiry.received_at)
    waits = extract("epoch", now - Inquiry.received_at)
    query = select(
        Inquiry.unit_code,
        func.count().label("received"),
        func.count(Inquiry.answered_at).label("answered"),
        func.percentile_cont(0.5).within_group(took).label("median_seconds"),
        func.percentile_cont(0.9).within_group(took).label("p90_seconds"),
        func.max(waits).filter(Inquiry.answered_at.is_(None)).label("longest_open_seconds"),
    ).where(within(Unit, unit, Inquiry.unit_code), part_of(Unit, unit_code, Inquiry.unit_code))
    query = query.where(Inquiry.received_at >= begin, Inquiry.received_at < end)
    if kind is not None:
        query = query.where(Inquiry.group_id.in_(select(Group.id).where(Group.kind == kind)))
    return (await tx.execute(query.group_by(Inquiry.unit_code).order_by(Inquiry.unit_code))).all()


def _in_scope(entity: type[Thing], unit: str | None, unit_code: str | None) -> Select[Any]:
    query = select(entity).where(within(Unit, unit, entity.unit_code))
    return query if unit_code is None else query.where(entity.unit_code == unit_code)
