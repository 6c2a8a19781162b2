"""A fact that was recorded wrongly is put right by a supervisor: the old value stays in the timeline, and nothing of
the record goes away (002 §6.4.5.6).

Clocks that are open run from when the customer spoke in truth. A breach that was recorded stays: if it should never
have been, an act recorded at its true time says so.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repeating, repository
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import AfterWhatWasDone, ReopenedSince
from appeal_tracker.appeals.faults import NotCategorised, NothingToCorrect
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.moments import received
from appeal_tracker.clocks.planning import limit_of
from appeal_tracker.clocks.recalculation import Target
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealCorrected

COMPLAINT = "complaint"


async def correct(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, facts: dict[str, Any], *, reason: str
) -> Appeal:
    """Puts the `facts` given in the place of those recorded. Raises `NothingToCorrect`, `ReopenedSince`,
    `AfterWhatWasDone`, `NotCategorised`."""
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.CORRECT, deed.now)
    appeal = deed.appeal
    old = {name: getattr(appeal, name) for name, value in facts.items() if getattr(appeal, name) != value}
    if not old:
        raise NothingToCorrect
    new = {name: facts[name] for name in old}
    if "received_at" in new:
        await _check(deed, received(new["received_at"], deed.now))
    if "category" in new and appeal.type != COMPLAINT:
        raise NotCategorised(appeal_type=appeal.type)
    for name, value in new.items():
        setattr(appeal, name, value)
    event = AppealCorrected(**deed.facts(deed.case, deed.now), facts=sorted(new), received_at=appeal.received_at)
    deed.say(deed.case, "corrected", deed.now, event, old=old, new=new, reason=reason)
    await repeating.look(deed)
    if "received_at" in new:
        await _run_from(deed, appeal.received_at)
    return await deed.done()


async def _check(deed: Deed, received_at: datetime) -> None:
    if deed.appeal.reopened_at is not None:
        raise ReopenedSince
    done = await repository.first_done(deed.tx, deed.appeal.id)
    if done is not None and done < received_at:
        raise AfterWhatWasDone(done_at=done.isoformat())


async def _run_from(deed: Deed, at: datetime) -> None:
    """Has the clocks that run since the appeal was received run since then."""
    limits = [(clock, limit_of(deed.case.policy, clock)) for clock in deed.case.clocks]
    its = [clock for clock, limit in limits if limit is not None and limit.starts == "received"]
    await deed.replan(its, "correction", {clock.id: Target(started_at=at) for clock in its})
