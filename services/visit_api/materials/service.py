"""What is done with policy materials: drafted, published for the units below, replaced, withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.web.errors import FieldError, NotFound, Unprocessable
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.civil import begins, day_of
from visit_api.directory.models import Unit
from visit_api.directory.units import require_unit
from visit_api.materials import repository
from visit_api.materials.errors import (
    ENDS_BEFORE_IT_BEGINS,
    KEPT_BY_ANOTHER,
    MaterialActRefused,
    MaterialExpired,
    MaterialTaken,
    not_in_force,
    unknown_material,
)
from visit_api.materials.models import Material
from visit_api.materials.schemas import NewMaterial
from visit_api.materials.validity import in_force


async def draft(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewMaterial) -> Material:
    """Makes an edition, still to be published. Raises `MaterialTaken`, `Unprocessable`."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        if new.valid_to is not None and new.valid_to < new.valid_from:
            raise Unprocessable(ENDS_BEFORE_IT_BEGINS)
        await require_unit(tx, caller, new.unit_code)
        fields = new.model_copy(update={"id": new.id or new_id()})
        series_id, version = await _place(tx, caller, new) if new.replaces else (fields.id, 1)
        its = {"series_id": series_id, "version": version, "state": "draft", "drafted_by": caller.sub}
        material = await add(tx, Material, fields, runtime.clock.now(), **its)
        if material is not None:
            return material
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or not found.is_made_of(new):
        raise MaterialTaken(id=new.id)
    return found


async def get_material(tx: AsyncSession, caller: Principal, id: UUID) -> Material:
    """The edition `id`, of the caller's unit, one below, or published by one above. Raises `NotFound`."""
    material = await repository.find_readable(tx, caller.unit, id)
    if material is None:
        raise NotFound
    return material


async def publish(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Material:
    """Lets an edition be publicised; the one before it gives way on its first day, or now.

    Raises `NotFound`, `MaterialActRefused`, `MaterialExpired`.
    """
    material, now = await _held(tx, caller, id), runtime.clock.now()
    if material.state != "draft":
        raise MaterialActRefused(act="publish", state=material.state, clause="7.2.2")
    if material.valid_to is not None and material.valid_to < day_of(now):
        raise MaterialExpired(valid_to=material.valid_to.isoformat(), clause="7.2.2")
    takes_over = max(now, begins(material.valid_from))
    for older in await repository.hold_series(tx, material.series_id):
        if older.state == "published" and (older.replaced_at is None or takes_over < older.replaced_at):
            older.replaced_at, older.updated_at = takes_over, now
    material.state, material.published_at, material.published_by = "published", now, caller.sub
    material.updated_at = now
    return material


async def withdraw(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str) -> Material:
    """Ends that an edition is publicised, or that it ever will be. Raises `NotFound`, `MaterialActRefused`."""
    material, now = await _held(tx, caller, id), runtime.clock.now()
    if material.state == "withdrawn":
        raise MaterialActRefused(act="withdraw", state=material.state, clause="7.2.2")
    material.state, material.reason = "withdrawn", reason
    material.withdrawn_at, material.withdrawn_by, material.updated_at = now, caller.sub, now
    return material


async def publicised(
    tx: AsyncSession, unit_code: str, ids: Sequence[UUID], at: datetime, pointer: str
) -> list[Material]:
    """The editions `ids`, as people of a unit publicised them at `at`, in their order.

    Raises `Unprocessable`, pointing to each that there is not, or that was not in force then (§7.2.2).
    """
    found = {each.id: each for each in await repository.among(tx, await ancestors(tx, Unit, unit_code), ids)}
    faults: list[FieldError] = []
    for place, each in enumerate(ids):
        if each not in found:
            faults.append(unknown_material(f"{pointer}/{place}"))
        elif not in_force(found[each], at):
            faults.append(not_in_force(f"{pointer}/{place}"))
    if faults:
        raise Unprocessable(*faults, clause="7.2.2")
    return [found[each] for each in ids]


async def is_in_force(tx: AsyncSession, id: UUID, at: datetime) -> bool:
    """Whether the edition `id`, whoever keeps it, may be publicised at `at`."""
    material = await repository.find(tx, None, id)
    return material is not None and in_force(material, at)


async def _place(tx: AsyncSession, caller: Principal, new: NewMaterial) -> tuple[UUID, int]:
    assert new.replaces is not None
    replaced = await repository.find(tx, caller.unit, new.replaces)
    if replaced is None:
        raise Unprocessable(unknown_material("/replaces"))
    if replaced.unit_code != new.unit_code:
        raise Unprocessable(KEPT_BY_ANOTHER)
    return replaced.series_id, (await repository.hold_series(tx, replaced.series_id))[-1].version + 1


async def _held(tx: AsyncSession, caller: Principal, id: UUID) -> Material:
    material = await repository.find(tx, caller.unit, id)
    if material is None:
        raise NotFound
    # All of the series in one order, so that two who publish its editions never wait for each other.
    return next(each for each in await repository.hold_series(tx, material.series_id) if each.id == id)
