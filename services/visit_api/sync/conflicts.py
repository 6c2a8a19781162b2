"""What devices brought and the record says otherwise: noted with both versions, and decided by a person."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound, Problem
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.appeals.confidence import confidence, decides
from visit_api.directory.units import top_unit
from visit_api.sync import repository, versions
from visit_api.sync.errors import ConflictResolved, PreparedOtherwise
from visit_api.sync.models import Conflict
from visit_api.sync.schemas import BothVersions, ConflictView
from visit_api.sync.versions import Thing
from visit_api.texts import service as texts
from visit_api.visits.errors import ActRefused, AlreadyArrived
from visit_api.visits.models import Visit
from visit_api.visits.preparing import kept_as

_DONE_AT = {
    "arrival": Visit.arrived_at,
    "start": Visit.started_at,
    "completion": Visit.completed_at,
    "cancellation": Visit.cancelled_at,
    "miss": Visit.missed_at,
}


async def is_said_already(
    tx: AsyncSession, runtime: Runtime, item: Any, visit_id: UUID, at: datetime, problem: Problem
) -> bool:
    """Whether an item was refused because the very same is on record: two devices that say one thing agree."""
    kind = item.kind
    if isinstance(problem, PreparedOtherwise):
        visit = await tx.scalar(select(Visit).where(Visit.id == visit_id))
        assert visit is not None, "what was prepared otherwise is there"
        await texts.show(tx, runtime, [visit], "preparation_sealed")
        return visit.preparation == kept_as(item.body)
    if not isinstance(problem, ActRefused | AlreadyArrived) or kind not in _DONE_AT:
        return False
    return await tx.scalar(select(_DONE_AT[kind]).where(Visit.id == visit_id)) == at


async def note(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    brought: UUID,
    item: Any,
    line: dict[str, Any],
    problem: Problem,
) -> UUID | None:
    """Keeps what contradicts the record, for a person to decide; None where it contradicts nothing that the caller may
    see: then it is refused."""
    thing = versions.contradicted(problem, item.id, line["visit_id"])
    found = thing and await versions.server_version(tx, runtime, caller, thing)
    if thing is None or found is None:
        return None
    conflict_id = new_id()
    words = item.model_dump_json(exclude_defaults=True)
    owner = await top_unit(tx, line["unit_code"])
    kept = ("item_id", "kind", "visit_id", "unit_code", "device", "brought_by", "at", "clock", "recorded_at")
    tx.add(
        Conflict(
            id=conflict_id,
            brought_id=brought,
            problem=problem.slug,
            thing=thing.kind,
            thing_id=thing.id,
            confidential=found[1] or getattr(item.body, "hidden", False),
            weighed=True,
            device_sealed=await runtime.vault.seal(
                tx, owner, Place("sync_conflicts", "device_sealed", conflict_id), words
            ),
            updated_at=line["recorded_at"],
            **{name: line[name] for name in kept},
        )
    )
    await tx.flush()
    return conflict_id


async def list_conflicts(
    tx: AsyncSession, caller: Principal, window: Window, *, state: str | None, visit_id: UUID | None
) -> Listing[Conflict]:
    """What devices brought and the record says otherwise, as far as the caller may know of it."""
    known, deciding = await confidence(tx, caller), await decides(tx, caller)
    return await repository.find_conflicts(
        tx, caller.unit, window, known=known, deciding=deciding, state=state, visit_id=visit_id
    )


async def get_conflict(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Conflict:
    """The conflict `id`, held for a change if `lock` says so. Raises `NotFound`."""
    known, deciding = await confidence(tx, caller), await decides(tx, caller)
    found = await repository.find_conflict(tx, caller.unit, id, known=known, deciding=deciding, lock=lock)
    if found is None:
        raise NotFound
    return found


async def show(tx: AsyncSession, runtime: Runtime, caller: Principal, conflict: Conflict) -> BothVersions:
    """Both versions; of one that was resolved, the record as it was then. Where somebody arrived is not in it: that is
    opened for a reason, and leaves a trail."""
    if conflict.confidential and (caller.sub != conflict.brought_by or conflict.thing == "appeal"):
        its, unit = conflict.id, conflict.unit_code
        await trail.note(tx, runtime, caller, act="appeal.read", thing="sync_conflict", thing_id=its, unit_code=unit)
    device = await device_version(tx, runtime, conflict)
    if conflict.server_sealed is not None:
        place = Place("sync_conflicts", "server_sealed", conflict.id)
        server = json.loads(await runtime.vault.open(tx, place, conflict.server_sealed))
    else:
        server = await _server_version(tx, runtime, caller, conflict)
    if conflict.kind == "arrival":
        device.get("body", {}).pop("place", None)
        server.pop("place", None)
    fields = ConflictView.model_validate(conflict).model_dump()
    return BothVersions(**fields, device_version=device, server_version=server)


async def device_version(tx: AsyncSession, runtime: Runtime, conflict: Conflict) -> dict[str, Any]:
    """What the device brought, as it said it."""
    place = Place("sync_conflicts", "device_sealed", conflict.id)
    its: dict[str, Any] = json.loads(await runtime.vault.open(tx, place, conflict.device_sealed))
    return its


async def close(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    conflict: Conflict,
    keep: str,
    reason: str | None,
    before: dict[str, Any],
    made_id: UUID | None,
) -> None:
    """Puts down who decided, how, and what the record said `before`."""
    now, owner = runtime.clock.now(), await top_unit(tx, conflict.unit_code)
    place, words = Place("sync_conflicts", "server_sealed", conflict.id), json.dumps(before, ensure_ascii=False)
    conflict.server_sealed = await runtime.vault.seal(tx, owner, place, words)
    conflict.keep, conflict.reason, conflict.made_id = keep, reason, made_id
    conflict.resolved_at, conflict.resolved_by, conflict.updated_at = now, caller.sub, now
    await trail.note(
        tx,
        runtime,
        caller,
        act=f"sync.kept_{keep}",
        thing="sync_conflict",
        thing_id=conflict.id,
        unit_code=conflict.unit_code,
        reason=None if conflict.confidential else reason,  # whoever reads the trail may be whom it is about
    )


async def held_open(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, keep: str
) -> tuple[Conflict, Callable[[], Any] | None]:
    """The conflict `id`, held, and how to see the record as it is; nothing to see where it was so decided before.

    Raises `NotFound`, `ConflictResolved`.
    """
    conflict = await get_conflict(tx, caller, id, lock=True)
    if conflict.keep == keep:
        return conflict, None
    if conflict.keep is not None:
        raise ConflictResolved(keep=conflict.keep, resolved_at=conflict.resolved_at)
    return conflict, lambda: _server_version(tx, runtime, caller, conflict)


async def _server_version(tx: AsyncSession, runtime: Runtime, caller: Principal, conflict: Conflict) -> dict[str, Any]:
    thing, deciding = Thing(conflict.thing, conflict.thing_id), conflict.keep is None and await decides(tx, caller)
    found = await versions.server_version(tx, runtime, caller, thing, deciding=deciding)
    if found is None:
        raise NotFound
    return found[0]
