"""Lines of staff: those of whom a file says something are what it says, and keep what it does not say."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from visit_api.directory.bulk import hold_staff, put_staff
from visit_api.imports import repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.outcome import Found, Outcome
from visit_api.imports.reading import MANY, Fault, Said
from visit_api.imports.sifting import in_sight, named_once

_MAY_BE_EMPTY = ("phone", "email", "post")


async def take(
    tx: AsyncSession,
    runtime: Runtime,
    its: Import,
    source: Source,
    found: Found,
    prepared: object,
    go_on: object,
    now: datetime,
) -> Outcome:
    """Stores staff, and tells of each that is new or changed."""
    found, _, faults = await in_sight(tx, its, source, found)
    found, numbers, twice = await named_once(tx, its, source, found)
    there = await hold_staff(tx, runtime, numbers)
    theirs = {member.unit_code for member in there.values()}
    seen = await repository.seen(tx, its.unit_code, theirs)
    hidden = {number for number, member in there.items() if member.unit_code not in seen}
    faults |= {number: Fault(source.number, "taken") for number, said in found if said["staff_no"] in hidden}
    told = [_fields(its, said, said["staff_no"] in there) for number, said in found if number not in faults]
    stored = await put_staff(tx, runtime, there, told, now)
    return Outcome(stored, len(told) - stored, faults | twice)


def _fields(its: Import, said: Said, known: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {field: said[field] for field in ("staff_no", "name", "unit_code")}
    fields |= {field: said[field] or None for field in _MAY_BE_EMPTY if field in said}
    if said.get(MANY) or not known:
        fields["roles"] = sorted({*said.get(MANY, "").split()} or {*its.roles})
    if said.get("active"):
        fields["active"] = said["active"] == "yes"
    return fields
