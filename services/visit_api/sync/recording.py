"""What belongs in the archive of a visit: what devices brought, by which clock, and who decided where that
contradicted the record. What nobody decided keeps a visit from its archive, for what is archived is not corrected."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.appeals.confidence import confidence
from visit_api.sync import conflicts, repository, suspicions
from visit_api.sync.models import Conflict
from visit_api.visits.lifecycle import Unmet
from visit_api.visits.models import Visit

_ITEM = ("item_id", "kind", "device", "brought_by", "outcome", "device_at", "offset_ms", "at", "clock")
_DOUBLE = ("state", "reason", "decided_at", "decided_by")
_CONFLICT = ("id", "item_id", "kind", "problem", "keep", "made_id", "reason", "resolved_at", "resolved_by")


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived: each item by itself, what contradicted the record with what was decided. Words are not in it:
    those that were taken are where they belong, and the others stay sealed; but for those that came when nothing could
    be corrected any more, and are to be kept."""
    found = {
        each.brought_id: await _decided(tx, runtime, visit, each)
        for each in await repository.conflicts_of(tx, visit.id)
    }
    return [
        {**_shown(item, _ITEM), "conflict": found.get(item.id)} for item in await repository.brought_to(tx, visit.id)
    ]


async def doubles_on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of other records that may be of the same visit: whether somebody said that they are, and whether
    this one counts by that."""
    return [
        {
            "other_id": str(its.second_id if its.first_id == visit.id else its.first_id),
            "counts": its.kept in (None, visit.id),
            **_shown(its, _DOUBLE),
        }
        for its in await suspicions.decided_about(tx, visit)
    ]


async def known_to(
    tx: AsyncSession, caller: Principal, visit_id: UUID, lines: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Those of `lines`, as they are archived of a visit, that the caller may know of: not what tells strangers of a
    hidden appeal."""
    confided = await confidence(tx, caller)
    known = {
        (str(item), conflict and str(conflict)) for item, conflict in await repository.known_to(tx, visit_id, confided)
    }
    return [line for line in lines if (line["item_id"], line["conflict"] and line["conflict"]["id"]) in known]


async def hiding(tx: AsyncSession, caller: Principal, visit_ids: Collection[UUID]) -> set[UUID]:
    """Those of the visits to which devices brought what the caller may not know of."""
    return await repository.hiding(tx, visit_ids, await confidence(tx, caller))


def named_in(lines: Sequence[dict[str, Any]]) -> set[str]:
    """Who brought `lines`, as they are archived, or decided about them."""
    decided = {line["conflict"]["resolved_by"] for line in lines if line["conflict"]}
    return {line["brought_by"] for line in lines} | (decided - {None})


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """What contradicts the record, and nobody has decided (§7.2.6: complete); which it is, where everybody may know."""
    waiting = [each for each in await repository.conflicts_of(tx, visit.id) if each.keep is None]
    what = "conflict_resolved"
    return [Unmet("7.2.6", what if each.confidential else f"{what}:{each.id}") for each in waiting]


async def _decided(tx: AsyncSession, runtime: Runtime, visit: Visit, conflict: Conflict) -> dict[str, Any]:
    its = _shown(conflict, _CONFLICT)
    if conflict.keep == "device" and conflict.made_id is None and _came_after(conflict.resolved_at, visit.archived_at):
        its["device_version"] = await conflicts.device_version(tx, runtime, conflict)
        if conflict.kind == "arrival":  # where that was is opened for a reason only, and leaves a trail
            its["device_version"].get("body", {}).pop("place", None)
    return its


def _came_after(resolved_at: datetime | None, archived_at: datetime | None) -> bool:
    return resolved_at is not None and archived_at is not None and resolved_at >= archived_at


def _shown(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {
        name: value if value is None or isinstance(value, int | str) else _text(value) for name, value in values.items()
    }


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
