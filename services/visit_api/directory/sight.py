"""What was somebody's to see when they did something, and may be another unit's of their company by now."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.tokens import Principal
from visit_api.directory import repository
from visit_api.directory.units import successor, top_unit


async def of_company(tx: AsyncSession, caller: Principal) -> Principal:
    """The caller, seeing the whole of their company."""
    return caller if caller.unit is None else seeing(caller, await top_unit(tx, caller.unit))


async def unit_in_sight(tx: AsyncSession, caller: Principal, code: str) -> str:
    """The unit `code`, where the caller sees it; their own, where they do not any more."""
    if caller.unit is None or await repository.is_below(tx, code, caller.unit):
        return code
    return await successor(tx, caller.unit)


def seeing(caller: Principal, code: str) -> Principal:
    """The caller, as one of the unit `code`, whose they were when they did something."""
    return Principal(caller.sub, code, caller.roles)
