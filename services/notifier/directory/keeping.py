"""What people keep here themselves: groups, duty rosters, substitutes. Another unit's looks like a missing one."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.web.errors import FieldError, NotFound, Unprocessable, Words
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from notifier.directory import repository, service
from notifier.directory.models import Duty, Group, Substitute
from notifier.directory.repository import Kept
from notifier.directory.schemas import DutyBody, GroupBody, NewDuty, NewGroup, NewSubstitute, SubstituteBody

_MISSING = Words("不存在", "There is no such thing")
_NOT_HERE = Words("本公司没有此在职人员", "Nobody who works in this company")
_ONESELF = FieldError("/substitute", "oneself", Words("不能由本人代理", "Nobody stands in for themselves"))


async def listed(tx: AsyncSession, caller: Principal, window: Window, kept: type[Kept]) -> Listing[Kept]:
    """Those of the caller's unit and of the units below it."""
    return await repository.page(tx, caller.unit, window, kept)


async def one(tx: AsyncSession, caller: Principal, id: UUID, kept: type[Kept], *, lock: bool = False) -> Kept:
    """One of them. Raises `NotFound`."""
    found = await repository.one(tx, caller.unit, id, kept, lock=lock)
    if found is None:
        raise NotFound
    return found


async def add_group(tx: AsyncSession, caller: Principal, new: NewGroup, now: datetime) -> Group:
    """Makes a group. Raises `Unprocessable` where it names a unit or people that are not there."""
    await _seen(tx, caller, new.unit_code)
    await _known(tx, new.unit_code, new.members, "/members")
    return await _write(tx, Group(id=new_id(), unit_code=new.unit_code), new, caller, now)


async def add_duty(tx: AsyncSession, caller: Principal, new: NewDuty, now: datetime) -> Duty:
    """Puts somebody on duty. Raises `Unprocessable`."""
    await _seen(tx, caller, new.unit_code)
    await _known(tx, new.unit_code, [new.staff_no], "/staff_no")
    return await _write(tx, Duty(id=new_id(), unit_code=new.unit_code, role=new.role), new, caller, now)


async def add_substitute(tx: AsyncSession, caller: Principal, new: NewSubstitute, now: datetime) -> Substitute:
    """Has somebody stand in for another. Raises `Unprocessable`, also where the other is not the caller's to see."""
    unit = await repository.unit_of(tx, new.staff_no)
    if unit is None or await service.unseen(tx, caller.unit, [unit]):
        raise Unprocessable(FieldError("/staff_no", "unknown", _NOT_HERE))
    row = Substitute(id=new_id(), unit_code=unit, staff_no=new.staff_no)
    await _stands_in(tx, row, new)
    return await _write(tx, row, new, caller, now)


async def change(
    tx: AsyncSession,
    caller: Principal,
    id: UUID,
    kept: type[Kept],
    body: GroupBody | DutyBody | SubstituteBody,
    now: datetime,
    unchanged: Callable[[Kept], None],
) -> Kept:
    """Changes one of them. Raises `NotFound`, `Unprocessable`, and what `unchanged` raises."""
    row = await one(tx, caller, id, kept, lock=True)
    unchanged(row)
    match body:
        case GroupBody():
            await _known(tx, row.unit_code, body.members, "/members")
        case DutyBody():
            await _known(tx, row.unit_code, [body.staff_no], "/staff_no")
        case SubstituteBody():
            assert isinstance(row, Substitute), "a substitute's body is about a substitute"
            await _stands_in(tx, row, body)
    return await _write(tx, row, body, caller, now)


async def _stands_in(tx: AsyncSession, row: Substitute, body: SubstituteBody) -> None:
    if body.substitute == row.staff_no:
        raise Unprocessable(_ONESELF)
    await _known(tx, row.unit_code, [body.substitute], "/substitute")


async def _seen(tx: AsyncSession, caller: Principal, unit: str) -> None:
    if unit != caller.unit and await service.unseen(tx, caller.unit, [unit]):
        raise Unprocessable(FieldError("/unit_code", "unknown", _MISSING))
    await service.require_open(tx, unit)


async def _known(tx: AsyncSession, unit: str, people: Collection[str], pointer: str) -> None:
    # Whoever is named wrongly would be told into the void.
    if {*people} - await repository.colleagues(tx, unit, people):
        raise Unprocessable(FieldError(pointer, "unknown", _NOT_HERE))


async def _write(
    tx: AsyncSession, row: Kept, body: GroupBody | DutyBody | SubstituteBody, caller: Principal, now: datetime
) -> Kept:
    for name, value in body.model_dump(exclude={"unit_code", "role"}).items():
        setattr(row, name, value)
    row.revision = (row.revision or 0) + 1
    row.changed_by, row.updated_at = caller.sub, now
    tx.add(row)
    await tx.flush()
    return row
