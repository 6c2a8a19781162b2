"""What is done with units; every change is told on `directory.changes` by its version."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from contracts.directory import UnitChanged
from visit_api.base import add
from visit_api.directory import repository, sealing
from visit_api.directory.errors import UnitCycle, UnitMerged, UnitTaken, merged_unit, unknown_unit
from visit_api.directory.models import Unit
from visit_api.directory.schemas import NewUnit, UnitChange


async def add_unit(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewUnit) -> Unit:
    """Makes a unit below one the caller sees, the caller's own unit, or one at the top.

    The same code with the same content is answered as the first time. Raises `UnitTaken`.
    """
    found = await repository.find_unit(tx, caller.unit, new.code)
    if found is None:
        if new.parent_code is not None:
            await _check_parent(tx, caller, new.code, new.parent_code)
        unit = await add(tx, Unit, new, runtime.clock.now())
        if unit is not None:
            await tell_unit(tx, runtime, unit)
            return unit
        found = await repository.find_unit(tx, caller.unit, new.code)
    if found is None or not found.is_made_of(new):
        raise UnitTaken(code=new.code)
    return found


async def get_unit(tx: AsyncSession, caller: Principal, code: str) -> Unit:
    """The unit `code`. Raises `NotFound`."""
    unit = await repository.find_unit(tx, caller.unit, code)
    if unit is None:
        raise NotFound
    return unit


async def open_unit(tx: AsyncSession, caller: Principal, code: str, lock: repository.Lock = "open") -> Unit:
    """The same of one that was not merged into another, held. Raises `NotFound`, `UnitMerged`."""
    unit = await repository.find_unit(tx, caller.unit, code, lock=lock)
    if unit is None:
        raise NotFound
    if unit.merged_into is not None:
        raise UnitMerged(code=code, into=unit.merged_into)
    return unit


async def change_unit(
    tx: AsyncSession, runtime: Runtime, caller: Principal, code: str, change: UnitChange, unchanged: Unchanged
) -> Unit:
    """Renames or moves a unit. Raises `NotFound`, `PreconditionFailed`, `UnitMerged`, `UnitCycle`."""
    await repository.hold_units(tx)
    unit = await open_unit(tx, caller, code, "change")
    unchanged(unit)
    unit.name = change.get("name", unit.name)
    if "parent_code" in change and change["parent_code"] != unit.parent_code:
        await _check_move(tx, caller, unit, change["parent_code"])
        unit.parent_code = change["parent_code"]
    unit.touch(runtime.clock.now())
    await tell_unit(tx, runtime, unit)
    return unit


async def require_unit(tx: AsyncSession, caller: Principal, code: str, pointer: str = "/unit_code") -> None:
    """Raises `Unprocessable`, pointing to the field, unless `code` names a unit that the caller sees and that takes
    something new; it does until the transaction ends."""
    _require_open(await repository.find_unit(tx, caller.unit, code, lock="open"), pointer)


async def top_unit(tx: AsyncSession, code: str) -> str:
    """The unit at the top of the tree that `code` is in: whose keys its personal text is sealed under."""
    return await sealing.owner(tx, code)


async def successor(tx: AsyncSession, code: str) -> str:
    """The unit that a closed one is part of; itself, where it is not closed."""
    return await scope.successor(tx, Unit, code)


async def are_in_line(tx: AsyncSession, one: str, other: str) -> bool:
    """Whether two units are the same, or one of them is below the other."""
    return await repository.is_below(tx, one, other) or await repository.is_below(tx, other, one)


async def tell_unit(tx: AsyncSession, runtime: Runtime, unit: Unit) -> None:
    """Tells of a unit as it is now."""
    event = UnitChanged(
        id=unit.id,
        unit_code=unit.code,
        parent_code=unit.parent_code,
        version=unit.version,
        merged_into=unit.merged_into,
    )
    await runtime.outbox.append(tx, [event], at=unit.updated_at)


def _require_open(unit: Unit | None, pointer: str) -> None:
    if unit is None:
        raise Unprocessable(unknown_unit(pointer))
    if unit.merged_into is not None:
        raise Unprocessable(merged_unit(pointer, unit.merged_into))


async def _check_parent(tx: AsyncSession, caller: Principal, code: str, parent_code: str) -> None:
    # An own unit may be put below any there is; it gives itself to be seen, and sees nothing more.
    sight = None if code == caller.unit else caller.unit
    _require_open(await repository.find_unit(tx, sight, parent_code), "/parent_code")


async def _check_move(tx: AsyncSession, caller: Principal, unit: Unit, parent_code: str | None) -> None:
    # Whoever moves a unit must see both ends: nobody takes their own unit from under those above it.
    if unit.parent_code is not None and await repository.find_unit(tx, caller.unit, unit.parent_code) is None:
        raise Unprocessable(unknown_unit("/parent_code"))
    if parent_code is not None:
        await _check_parent(tx, caller, unit.code, parent_code)
        if await repository.is_below(tx, parent_code, unit.code):
            raise UnitCycle(code=unit.code, parent_code=parent_code)
