"""An appeal is merged into another of the same customer (子单, 主单), and taken out of it again.

Its clocks follow those of the leader, milestone by milestone, and all keep the earliest promise. It stays open, takes
part in whatever is done about the leader, and ends with it. Whom its deadlines tell `clocks.replanning` says.

A promise binds the others while its clock runs, and is its own clock's fact when that stops:
- What was met or past before the merge binds nobody, and stays what it is, be its breach recorded or not.
- One that is stopped in time while the others still wait has kept its promise: they go by the earliest of theirs.
- One that is breached has broken it for all that kept it: they are as due as it was, whoever records that, and when.
- What was recorded stays with its own appeal when that is taken out again: a stop, a breach, and by when it was due.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository, showing
from appeal_tracker.appeals.acting import begin, deed_of
from appeal_tracker.appeals.cases import cases
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import (
    AnotherCustomer,
    AppealIsMerged,
    AppealNotFound,
    ConfidentialNotMerged,
    LeaderNotOpen,
    LeadsOthers,
    MergedIntoItself,
)
from appeal_tracker.appeals.faults import UnknownAppeal
from appeal_tracker.appeals.lifecycle import Act, Rule, State
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import silencing
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealMerged, AppealUnmerged


async def merge(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, into: UUID, note: str | None
) -> Appeal:
    """Merges the appeal into another one that the caller may see too.

    Raises `AppealNotFound`, `UnknownAppeal`, one of `NotMergeable`, and what the state machine refuses by.
    """
    if id == into:
        raise MergedIntoItself
    seen = await repository.seen(tx, [id, into], caller.unit)
    if id not in seen:
        raise AppealNotFound
    if into not in seen:
        raise UnknownAppeal
    pair = await _lock_pair(tx, caller, id, into)
    merged = await repository.lock_merged(tx, [id, into])
    known = await cases(tx, [pair[into], *merged, pair[id]])
    deed = deed_of(tx, runtime, caller, known, id)
    child, leader = deed.case, deed.leader
    await deed.move(Act.MERGE, deed.now)
    _check(child.appeal, leader.appeal)
    if any(each.merged_into == id for each in merged):
        raise LeadsOthers
    child.appeal.merged_into = into
    deed.follow(child)
    said: dict[str, Any] = {"note": note} if note else {}
    event = AppealMerged(**deed.facts(child, deed.now), into=into)
    deed.say(child, "merged", deed.now, event, into=into, **said)
    deed.say(leader, "joined", deed.now, appeal_id=id, **said)
    await deed.replan(child.clocks, "merge")
    return await deed.done()


async def _lock_pair(tx: AsyncSession, caller: Principal, id: UUID, into: UUID) -> dict[UUID, Appeal]:
    """Locks two appeals that speak for themselves. One that is merged itself is refused before the other is waited for:
    its leader would have had to be locked first."""
    pair = {}
    for each in sorted((id, into)):
        pair[each] = await repository.lock(tx, each)
        if pair[each].is_merged and each == id:
            named = await showing.named(tx, caller, into=pair[each].merged_into)
            raise AppealIsMerged(rule=Rule.MERGED, **named)
        if pair[each].is_merged:
            raise LeaderNotOpen(state=pair[each].state, merged=True)
    return pair


def _check(child: Appeal, leader: Appeal) -> None:
    if leader.state in (State.CLOSED, State.HELD):
        raise LeaderNotOpen(state=leader.state, merged=False)
    if child.hidden or leader.hidden:
        raise ConfidentialNotMerged
    if child.customer_id is None or child.customer_id != leader.customer_id:
        raise AnotherCustomer


async def unmerge(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, note: str | None) -> Appeal:
    """Takes the appeal out again: what was done stays done, and its clocks run by what they themselves promise.

    A clock that was breached meanwhile stays so, and goes up its own ladder from then on; so does one of which nobody
    has recorded that yet.
    """
    deed = await begin(tx, runtime, caller, id)
    child, leader = deed.case, deed.leader
    await deed.move(Act.UNMERGE, deed.now)
    await _breach_together(deed, runtime)
    child.appeal.merged_into = None
    for clock in child.clocks:
        clock.follows = None
    said: dict[str, Any] = {"note": note} if note else {}
    event = AppealUnmerged(**deed.facts(child, deed.now), out_of=leader.appeal.id)
    deed.say(child, "unmerged", deed.now, event, out_of=leader.appeal.id, **said)
    deed.say(leader, "left", deed.now, appeal_id=id, **said)
    await deed.replan([clock for case in deed.group for clock in case.clocks], "unmerge")
    await clocks.speak_up(tx, child.clocks, deed.now)
    await silencing.part(tx, [clock for case in deed.group for clock in case.clocks])
    return await deed.done()


async def _breach_together(deed: Deed, runtime: Runtime) -> None:
    """Records what is past of the promise that all kept until now: it was broken for each of them."""
    leading = {clock.follows for case in deed.group for clock in case.clocks}
    for case in deed.group:
        merged = [clock for clock in case.clocks if clock.follows or clock.id in leading]
        deed.judged(case, await clocks.breach(deed.tx, merged, runtime.clock))
    await deed.tx.flush()
