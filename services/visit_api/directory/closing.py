"""A unit merges into another: it is closed for good, and stands below that one, with what stood below it beside it."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.directory import repository
from visit_api.directory.errors import UnitCycle
from visit_api.directory.models import Unit
from visit_api.directory.units import open_unit, require_unit, tell_unit


async def close(tx: AsyncSession, runtime: Runtime, caller: Principal, code: str, into: str) -> Unit:
    """Closes the unit `code`, for it merges `into` another. Whoever sees that one sees all that the closed one ever
    had, for it stands below; whoever is of the closed one is of that one (`chassis.scope`). The caller sees both, so
    both are of one company, by whose unit at the top things are sealed and chained.

    Raises `NotFound`, `UnitMerged`, `UnitCycle`, `Unprocessable`.
    """
    await repository.hold_units(tx)
    unit = await open_unit(tx, caller, code, "close")
    await require_unit(tx, caller, into, "/into")
    if await repository.is_below(tx, into, code):
        raise UnitCycle(code=code, parent_code=into)
    now = runtime.clock.now()
    for each in await repository.around(tx, code):
        each.parent_code = into
        if each.merged_into is not None:
            each.merged_into = into  # so that where a closed unit's things are is asked once
        each.touch(now)
        await tell_unit(tx, runtime, each)
    unit.parent_code = unit.merged_into = into
    unit.touch(now)
    await tell_unit(tx, runtime, unit)
    return unit
