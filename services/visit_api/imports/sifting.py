"""Which lines of a file are taken at all: each thing once, and into units that the sender sees and that are open."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from visit_api.imports import repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.outcome import Found, once
from visit_api.imports.reading import Fault


class InSight(NamedTuple):
    """Lines of units that the sender sees, each unit with the one at the top of its tree; the others are faults."""

    found: Found
    owners: dict[str, str]
    faults: dict[int, Fault]


async def in_sight(tx: AsyncSession, its: Import, source: Source, found: Found) -> InSight:
    """Those of `found` whose unit takes something new."""
    units, column = {said["unit_code"] for _, said in found}, source.columns["unit_code"]
    owners = await repository.owners(tx, its.unit_code, units)
    why = dict.fromkeys(units - owners.keys(), "unknown_code") | dict.fromkeys(
        await repository.closed(tx, owners), "merged_unit"
    )
    if not why:
        return InSight(found, owners, {})
    faults = {number: Fault(column, why[said["unit_code"]]) for number, said in found if said["unit_code"] in why}
    return InSight([each for each in found if each[0] not in faults], owners, faults)


async def named_once(
    tx: AsyncSession, its: Import, source: Source, found: Found
) -> tuple[Found, list[str], dict[int, Fault]]:
    """Those of `found` whose thing the file has not named before, and what they name, which it now has; the others are
    faults."""
    number_is = source.shape.required[0]
    first, twice = once(source, found, await repository.named(tx, its.id, [said[number_is] for _, said in found]))
    numbers = [said[number_is] for _, said in first]
    await repository.name(tx, its.id, numbers)
    return first, numbers, twice
