"""What is done with staff, who stand in units; every change is told on `directory.changes` by its version."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.paging import Gone, Listing, Window
from chassis.web.tokens import Principal
from contracts.directory import StaffChanged
from visit_api.base import add, digest, keyed_digest
from visit_api.directory import repository, sealing
from visit_api.directory.errors import StaffTaken, unknown_staff
from visit_api.directory.models import Reach, Staff
from visit_api.directory.schemas import NewStaff, StaffChange
from visit_api.directory.units import require_unit, top_unit
from visit_api.settings import keeps_plain


async def add_staff(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewStaff) -> Staff:
    """Makes a member of staff. The same number with the same content is answered as the first time.

    Raises `StaffTaken`, `Unprocessable` for a unit that is not the caller's to name.
    """
    found = await repository.find_staff(tx, caller.unit, new.staff_no)
    if found is None:
        await require_unit(tx, caller, new.unit_code)
        member = await _make_staff(tx, runtime, new)
        if member is not None:
            await _tell_staff(tx, runtime, member)
            return member
        found = await repository.find_staff(tx, caller.unit, new.staff_no)
    if found is None or not await _is_made_of(tx, runtime, found, new):
        raise StaffTaken(staff_no=new.staff_no)
    await sealing.show(tx, runtime, [found])
    return found


async def get_staff(tx: AsyncSession, caller: Principal, staff_no: str, *, lock: bool = False) -> Staff:
    """The member of staff `staff_no`, held for a change if `lock` says so. Raises `NotFound`."""
    member = await repository.find_staff(tx, caller.unit, staff_no, lock=lock)
    if member is None:
        raise NotFound
    return member


async def show_staff(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str) -> Staff:
    """The same, and how they are reached."""
    member = await get_staff(tx, caller, staff_no)
    await sealing.show(tx, runtime, [member])
    return member


async def list_staff(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, unit_code: str | None, active: bool | None
) -> Listing[Staff | Gone]:
    """The staff that the caller sees, by number, and how they are reached."""
    found = await repository.list_staff(tx, caller.unit, window, unit_code, active)
    await sealing.show(tx, runtime, [each for each in found.items if not isinstance(each, Gone)])
    return found


async def change_staff(
    tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, change: StaffChange, unchanged: Unchanged
) -> Staff:
    """Changes what is known of a member of staff. Raises `NotFound`, `PreconditionFailed`, `Unprocessable`."""
    member = await get_staff(tx, caller, staff_no, lock=True)
    await sealing.show(tx, runtime, [member])
    unchanged(member)
    if "unit_code" in change:
        await require_unit(tx, caller, change["unit_code"])
    owner = await top_unit(tx, change.get("unit_code", member.unit_code))
    await sealing.change(tx, runtime, owner, member, change)
    for field, value in change.items():
        if field not in Reach._fields:
            setattr(member, field, value)
    member.roles = sorted(set(member.roles))
    member.touch(runtime.clock.now())
    await _tell_staff(tx, runtime, member)
    return member


async def let_go(tx: AsyncSession, runtime: Runtime, member: Staff) -> None:
    """Somebody who is held for it leaves."""
    if member.active:
        member.active = False
        member.touch(runtime.clock.now())
        await _tell_staff(tx, runtime, member)


async def visitors(
    tx: AsyncSession,
    unit_code: str,
    names: Sequence[str],
    pointer: str,
    already: Collection[str] = (),
    *,
    gone_too: bool = False,
) -> list[str]:
    """The staff numbers of those whom `names` (numbers or ids) name, in their order, each once. Nobody hands over what
    they have until the transaction ends; with what is held and has them `already`, whoever does waits for that.

    Raises `Unprocessable`, pointing to each name that is not of an active member of staff of the unit, of one above it
    or of one below it: a unit's customers are visited by its own people, and by those who answer for it. `gone_too`:
    also whoever left since, or is of another unit of the company by now, for what was done before.
    """
    named = await _named(tx, unit_code, names, already, gone_too=gone_too)
    unknown = [unknown_staff(f"{pointer}/{place}") for place, number in enumerate(named) if number is None]
    if unknown:
        raise Unprocessable(*unknown)
    return list(dict.fromkeys(number for number in named if number is not None))


async def colleague(tx: AsyncSession, unit_code: str, name: str, pointer: str, already: Collection[str] = ()) -> str:
    """The same of one."""
    (number,) = await _named(tx, unit_code, [name], already)
    if number is None:
        raise Unprocessable(unknown_staff(pointer))
    return number


async def known_as_staff(tx: AsyncSession, unit_code: str, staff_no: str) -> bool:
    """Whether somebody is of the unit, of one above it or of one below it, or of another of the company by now, or left
    since; if so, nobody hands over what they have until the transaction ends."""
    return await _named(tx, unit_code, [staff_no], gone_too=True) == [staff_no]


async def hold_named(tx: AsyncSession, *names: str) -> None:
    """Has nobody hand over what some people have until the transaction ends, whoever sees them."""
    await repository.hold_staff(tx, names, _ids(names))


async def staff_on_record(tx: AsyncSession, numbers: Sequence[str]) -> Sequence[Staff]:
    """The staff whom a record names, wherever they are now."""
    return await repository.staff_on_record(tx, numbers)


def staff_changed(member: Staff) -> StaffChanged:
    """What is told of a member of staff."""
    return StaffChanged(
        id=member.id,
        staff_no=member.staff_no,
        unit_code=member.unit_code,
        roles=member.roles,
        active=member.active,
        version=member.version,
    )


async def _make_staff(tx: AsyncSession, runtime: Runtime, new: NewStaff) -> Staff | None:
    id, reach = new.id or new_id(), Reach(new.phone, new.email)  # noqa: A001
    columns: dict[str, Any] = {"content_digest": await keyed_digest(tx, runtime, new)}
    if keeps_plain(runtime):
        columns |= {"plain_phone": new.phone, "plain_email": new.email}
    else:
        columns["reach_sealed"] = await sealing.sealed(tx, runtime, await top_unit(tx, new.unit_code), id, reach)
    roles = sorted(set(new.roles))
    member = await add(tx, Staff, new, runtime.clock.now(), id=id, roles=roles, active=True, **columns)
    if member is not None:
        member.show(reach)
    return member


async def _is_made_of(tx: AsyncSession, runtime: Runtime, found: Staff, new: NewStaff) -> bool:
    # An earlier version stored the plain digest.
    known = {digest(new), await keyed_digest(tx, runtime, new)}
    return found.content_digest in known and new.id in (None, found.id)


async def _named(
    tx: AsyncSession, unit_code: str, names: Sequence[str], already: Collection[str] = (), *, gone_too: bool = False
) -> list[str | None]:
    ids = _ids(names)
    if new := [name for name in names if name not in already]:
        await repository.hold_staff(tx, new, _ids(new))
    found = await repository.staff_named(tx, unit_code, names, ids, gone_too=gone_too)
    numbers = {str(member.id): member.staff_no for member in found} | {m.staff_no: m.staff_no for m in found}
    return [numbers.get(name) or numbers.get(name.lower()) for name in names]


def _ids(names: Sequence[str]) -> list[UUID]:
    return [as_id for name in names if (as_id := _as_id(name)) is not None]


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


async def _tell_staff(tx: AsyncSession, runtime: Runtime, member: Staff) -> None:
    await runtime.outbox.append(tx, [staff_changed(member)], at=member.updated_at)
