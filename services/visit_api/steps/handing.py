"""Handing the strategies of somebody over (§7.2.4): what is on record never changes, so that each goes over by a step
that supersedes it."""

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.directory.staff import colleague
from visit_api.steps import repository
from visit_api.steps.contents import Strategy
from visit_api.steps.errors import StepSuperseded, not_their_strategy
from visit_api.steps.models import Step
from visit_api.steps.schemas import NewStep
from visit_api.texts import service as texts


async def take_over(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, to: str) -> int:
    """Has `to` own every strategy of `staff_no` that has no outcome yet, on visits that the caller sees and that are
    not archived, whose record is closed; how many there were. The visits are held by then: `hold_visits`.

    Raises `Unprocessable` for a strategy that `to` may not own, `StepSuperseded`.
    """
    now, found = runtime.clock.now(), await repository.strategies_of(tx, caller.unit, staff_no)
    await texts.show(tx, runtime, found)
    for old in found:
        id, owner = new_id(), await _owner(tx, old, to)  # noqa: A001
        said: dict[str, Any] = {**old.content, "owner": owner}
        content = Strategy.model_validate_json(json.dumps(said))
        new = NewStep.model_construct(id=id, content=content, at=now, supersedes=old.id)
        its = {"visit_id": old.visit_id, "unit_code": old.unit_code, "kind": old.kind, "appeal_id": old.appeal_id}
        kept = await texts.kept(tx, runtime, Step, id, old.unit_code, {"content": said})
        its |= {"recorded_at": now, "recorded_by": caller.sub, **kept}
        digest = await texts.digest(tx, runtime, new)
        if await add(tx, Step, new, now, **its, content_digest=digest) is None:
            # A process of the version before records strategies without holding who owns them.
            raise StepSuperseded(superseded_by=await repository.superseding(tx, old.id))
        old.superseded_by, old.updated_at = id, now
    await tx.flush()
    return len(found)


async def _owner(tx: AsyncSession, strategy: Step, to: str) -> str:
    try:
        return await colleague(tx, strategy.unit_code, to, "/to_staff_no")
    except Unprocessable as fault:
        raise Unprocessable(not_their_strategy("/to_staff_no", strategy.visit_id)) from fault
