"""Preparing a visit (T/SDPEA §7.2.1): its documents, its kit, and whether the devices work."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import FieldError, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from visit_api.texts import service as texts
from visit_api.visits import errors, showing
from visit_api.visits.kit import KIT
from visit_api.visits.lifecycle import Act
from visit_api.visits.schemas import KitAnswer, Preparation
from visit_api.visits.service import get_visit, lock_visit, require_possible


async def get_preparation(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> dict[str, Any]:
    """What was prepared for a visit so far. Raises `NotFound`."""
    visit = await get_visit(tx, caller, id)
    await texts.show(tx, runtime, [visit], "preparation_sealed")
    return showing.preparation(visit)


async def prepare_visit(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, preparation: Preparation, unchanged: Unchanged
) -> dict[str, Any]:
    """Records what was prepared for a visit. Raises `NotFound`, `PreconditionFailed`, `ActRefused`, `Unprocessable`."""
    visit = await lock_visit(tx, caller, id)
    await texts.show(tx, runtime, [visit], "preparation_sealed")
    unchanged(showing.preparation(visit))
    require_possible(Act.PREPARE, visit)
    if faults := [*_faults(visit.channel, preparation.kit)]:
        raise Unprocessable(*faults)
    visit.touch(runtime.clock.now())
    visit.prepared_at, visit.prepared_by = visit.updated_at, caller.sub
    await texts.put(tx, runtime, visit, preparation=kept_as(preparation))
    return showing.preparation(visit)


def kept_as(preparation: Preparation) -> dict[str, Any]:
    """What was prepared, as a visit keeps it."""
    documents = preparation.model_dump(exclude_none=True, exclude={"kit"})
    answers = {answer.item: answer.model_dump(exclude={"item"}) for answer in preparation.kit}
    return {**documents, **({"kit": answers} if answers else {})}


def _faults(channel: str, answers: Sequence[KitAnswer]) -> Iterator[FieldError]:
    asked = {item.name for item in KIT[channel]}
    for place, answer in enumerate(answers):
        if answer.item not in asked:
            yield errors.unknown_item(f"/kit/{place}/item")
        asked.discard(answer.item)  # of what was answered already, nothing more is asked
        if answer.ready == "no" and answer.note is None:
            yield errors.why_not(f"/kit/{place}/note")
