"""What is done online: accounts are registered with their cards, groups served, and questions answered (§6.3)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.moments import happened
from chassis.web.tokens import Principal
from visit_api import moments
from visit_api.base import add
from visit_api.civil import begins, day_of
from visit_api.customers.service import hold_customer
from visit_api.directory.errors import unknown_staff
from visit_api.directory.models import Staff
from visit_api.directory.staff import get_staff, hold_named
from visit_api.directory.units import get_unit, require_unit
from visit_api.online import repository
from visit_api.online.errors import (
    NOT_A_MEMBER,
    ONE_CUSTOMER,
    OTHER_PLATFORM,
    UNKNOWN_ACCOUNT,
    AccountClosed,
    AccountTaken,
    GroupTaken,
    before_its_beginning,
)
from visit_api.online.models import Account, Group, Membership
from visit_api.online.schemas import (
    AccountChange,
    AccountView,
    GroupChange,
    InquiryView,
    Joining,
    Leaving,
    NewAccount,
    NewGroup,
)
from visit_api.standard.asked import ONLINE, asked
from visit_api.texts import service as texts
from visit_api.visits.lifecycle import Unmet
from visit_api.visits.models import Visit


async def register(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewAccount) -> Account:
    """Registers an account of a member of staff. Raises `AccountTaken`, `Unprocessable`."""
    found = new.id and await repository.find(tx, caller.unit, Account, new.id)
    if not found:
        member = await _member(tx, caller, new.staff_no)
        name = await _card(tx, caller, member, new.post)
        its = {"unit_code": member.unit_code, "name": name, "active": True}
        account = await add(tx, Account, new, runtime.clock.now(), **its)
        if account is not None:
            return account
        found = new.id and await repository.find(tx, caller.unit, Account, new.id)
    if not found or not found.is_made_of(new):
        raise AccountTaken(platform=new.platform, handle=new.handle)
    return found


async def get_account(tx: AsyncSession, caller: Principal, id: UUID) -> Account:
    """The account `id`. Raises `NotFound`."""
    account = await repository.find(tx, caller.unit, Account, id)
    if account is None:
        raise NotFound
    return account


async def change_account(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: AccountChange, unchanged: Unchanged
) -> Account:
    """Changes an account, or takes it out of use for good; the card is made anew. Raises `NotFound`,
    `PreconditionFailed`, `AccountClosed`."""
    account = await repository.find(tx, caller.unit, Account, id, lock=True)
    if account is None:
        raise NotFound
    unchanged(account)
    if not account.active:
        raise AccountClosed
    member = await get_staff(tx, caller, account.staff_no)
    for field, value in change.items():
        setattr(account, field, value)
    account.name = await _card(tx, caller, member, account.post)
    account.touch(runtime.clock.now())
    return account


async def open_group(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewGroup) -> Group:
    """Makes a group known. Raises `GroupTaken`, `Unprocessable` for a unit or customer that is not the caller's."""
    found = new.id and await repository.find(tx, caller.unit, Group, new.id)
    if not found:
        await require_unit(tx, caller, new.unit_code)
        _check_line(new.kind, new.customer_ids)
        await _check_customers(tx, caller, new.customer_ids)
        group = await add(tx, Group, new, runtime.clock.now())
        if group is not None:
            return group
        found = new.id and await repository.find(tx, caller.unit, Group, new.id)
    if not found or not found.is_made_of(new):
        raise GroupTaken(id=new.id)
    return found


async def get_group(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Group:
    """The group `id`, held for a change if `lock` says so. Raises `NotFound`."""
    group = await repository.find(tx, caller.unit, Group, id, lock=lock)
    if group is None:
        raise NotFound
    return group


async def change_group(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: GroupChange, unchanged: Unchanged
) -> Group:
    """Changes a group. Raises `NotFound`, `PreconditionFailed`, `Unprocessable`."""
    group = await get_group(tx, caller, id, lock=True)
    unchanged(group)
    if "customer_ids" in change:
        _check_line(group.kind, change["customer_ids"])
        await _check_customers(tx, caller, change["customer_ids"])
    for field, value in change.items():
        setattr(group, field, value)
    group.touch(runtime.clock.now())
    return group


async def join(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, joining: Joining) -> Membership:
    """Records that an account joined a group, or that its bearer introduced themselves since. Raises `NotFound`,
    `Unprocessable`."""
    group, now = await get_group(tx, caller, id, lock=True), runtime.clock.now()
    account = await repository.find(tx, caller.unit, Account, joining.account_id, lock=True)  # it is not closed beside
    if account is None or not account.active:
        raise Unprocessable(UNKNOWN_ACCOUNT)
    if account.platform != group.platform:
        raise Unprocessable(OTHER_PLATFORM)
    at = happened(joining.at or now, now)
    its = await repository.membership(tx, group.id, account.id)
    if its is None:
        its = Membership(id=new_id(), group_id=group.id, account_id=account.id, joined_at=at, updated_at=now)
        tx.add(its)
    if joining.introduced and its.introduced_at is None:
        its.introduced_at, its.updated_at = at, now
    await tx.flush()
    return its


async def leave(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, leaving: Leaving) -> Membership:
    """Records that an account left a group. Raises `NotFound`, `Unprocessable`."""
    group, now = await get_group(tx, caller, id, lock=True), runtime.clock.now()
    account = await repository.find(tx, caller.unit, Account, leaving.account_id)
    if account is None:
        raise Unprocessable(UNKNOWN_ACCOUNT)
    its = await repository.membership(tx, group.id, account.id)
    if its is None:
        raise Unprocessable(NOT_A_MEMBER)
    at = happened(leaving.at or max(now, its.joined_at), now)
    if at < its.joined_at:
        raise Unprocessable(before_its_beginning("/at"))
    its.left_at, its.updated_at = at, now
    return its


async def retire(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str) -> tuple[int, int]:
    """Takes the accounts of somebody who leaves out of use, where the caller sees them, and has them leave their
    groups; how many there were of both."""
    now, accounts = runtime.clock.now(), await repository.hold_accounts_of(tx, caller.unit, staff_no)
    ending = await repository.hold_memberships(tx, [account.id for account in accounts])
    for account in accounts:
        account.active = False
        account.touch(now)
    for its in ending:
        its.left_at, its.updated_at = max(now, its.joined_at), now
    await tx.flush()
    return len(accounts), len(ending)


async def figures(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    first: date | None,
    last: date | None,
    unit_code: str | None,
    kind: str | None,
) -> dict[str, Any]:
    """How fast questions were answered, by unit, everywhere or in groups of a kind; of this month, where no days are
    given."""
    now = runtime.clock.now()
    last = last or day_of(now)
    first = first or last.replace(day=1)
    # Nothing is asked outside of these, and a calendar has an end.
    begin = begins(max(first, day_of(moments.EARLIEST_RECEIPT)))
    end = begins(min(last, day_of(now)) + timedelta(days=1))
    rows = await repository.figures(tx, caller.unit, unit_code, kind, begin, end, now)
    return {"first_day": first, "last_day": last, "items": rows}


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> dict[str, Any]:
    """The cards of an online visit's visitors, and what was asked online, for the archive."""
    accounts = await _accounts(tx, visit) if visit.channel == "online" else []
    inquiries = await repository.of_visit(tx, visit.id)
    await texts.show(tx, runtime, inquiries)
    shown = {
        "accounts": [AccountView.model_validate(each).model_dump(mode="json") for each in accounts],
        "inquiries": [InquiryView.model_validate(each).model_dump(mode="json") for each in inquiries],
    }
    return {name: each for name, each in shown.items() if each}


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """What is asked of an online visit: a registered account of who visits, and an answer to every question."""
    there = {
        "name_card": bool(await _accounts(tx, visit)),
        "inquiries_answered": all(each.answered_at for each in await repository.of_visit(tx, visit.id)),
    }
    rows = asked(ONLINE, visit.channel, visit.direction, visit.form)
    return [Unmet(row.clause, row.what) for row in rows if not there[row.what]]


async def _accounts(tx: AsyncSession, visit: Visit) -> Sequence[Account]:
    """Whoever left since had their account when they visited."""
    return await repository.accounts_of(tx, visit.visitor_ids, visit.started_at or visit.scheduled_at)


async def _member(tx: AsyncSession, caller: Principal, staff_no: str) -> Staff:
    await hold_named(tx, staff_no)  # so that whoever leaves leaves no account behind
    try:
        member = await get_staff(tx, caller, staff_no)
    except NotFound:
        raise Unprocessable(unknown_staff("/staff_no")) from None
    if not member.active:
        raise Unprocessable(unknown_staff("/staff_no"))
    return member


async def _card(tx: AsyncSession, caller: Principal, member: Staff, post: str) -> str:
    unit = await get_unit(tx, caller, member.unit_code)
    return f"{unit.name} {post} {member.name}"


def _check_line(kind: str, ids: Sequence[UUID]) -> None:
    if kind == "direct" and len({*ids}) != 1:
        raise Unprocessable(ONE_CUSTOMER)


async def _check_customers(tx: AsyncSession, caller: Principal, ids: Sequence[UUID]) -> None:
    for place, each in sorted(enumerate(ids), key=lambda its: its[1]):  # in one order, as whoever changes several
        await hold_customer(tx, caller, each, f"/customer_ids/{place}")
