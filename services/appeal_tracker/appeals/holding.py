"""An appeal is held, where its policy lets a milestone wait, and resumed: what is merged stands still together."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import showing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.errors import HeldAfterBreach, NothingToHold
from appeal_tracker.appeals.faults import BeforeTheHold, NotHoldable
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks import holding
from appeal_tracker.clocks.calculation import is_met
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.states import ClockState
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealHeld


async def hold(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    reason: str,
    milestones: Collection[str] | None,
    at: datetime | None,
    note: str | None,
) -> Appeal:
    """Has milestones wait from `at` on, all that the policy lets wait where none is named; steps that fired stay fired.
    What was reached already waits for nothing any more, and is not recorded as held.

    One that starts while the appeal is held waits too. Raises `NotHoldable`, `NothingToHold`, `HeldAfterBreach`.
    """
    deed = await begin(tx, runtime, caller, id, at)
    since = at or deed.now
    held = deed.concerned(Act.HOLD, deed.now)
    await deed.move(Act.HOLD, since, held)
    limits = deed.case.policy.limits(deed.appeal.type)
    holdable = [limit.milestone for limit in limits if limit.holdable]
    wanted = sorted({*(milestones or holdable or [limit.milestone for limit in limits])})
    seen = await showing.sight(tx, caller, (case.appeal.id for case in held))
    for case in held:
        _check(case, wanted, since, every=case is deed.case, named=case.appeal.id in seen)
    if not any(_may_stand_still(clock, since) for clock in deed.case.clocks if clock.milestone in wanted):
        raise NothingToHold(policy=deed.case.policy.label)
    said: dict[str, Any] = {"note": note} if note else {}
    for case in held:
        begins = max(since, case.appeal.since)
        waiting = [each for each in wanted if _waits(case.clock(each))]
        its = await holding.begin(tx, case.subject, waiting, begins, by=caller.sub, now=deed.now)
        deed.write(case, its.id, {"reason": reason, "note": note})
        event = AppealHeld(**deed.facts(case, begins), milestones=waiting)
        deed.say(case, "held", begins, event, hold_id=its.id, milestones=waiting, reason=reason, **said)
    await deed.replan([clock for case in held for clock in case.clocks], "hold")
    return await deed.done()


def _check(case: Case, wanted: Collection[str], since: datetime, *, every: bool, named: bool) -> None:
    """Refuses what the policy of a case does not let wait: of what is to wait `every` milestone, or what runs on it."""
    limits = {limit.milestone: limit for limit in case.policy.limits(case.appeal.type)}
    running = {clock.milestone for clock in case.clocks if _may_stand_still(clock, since)}
    for milestone in wanted:
        limit = limits.get(milestone)
        if (every or milestone in running) and not (limit and limit.holdable):
            stated = {"clause": limit.clause, "stated_by": limit.stated_by} if limit else {"clause": "-"}
            stated |= {"appeal_no": case.appeal.appeal_no} if named else {}
            raise NotHoldable(milestone=milestone, policy=case.policy.label, **stated)
        clock = case.clock(milestone)
        if clock is not None and clock.state == ClockState.BREACHED and is_met(since, clock.due_at):
            raise HeldAfterBreach(milestone=milestone, due_at=clock.due_at.isoformat())


def _may_stand_still(clock: Clock, since: datetime) -> bool:
    return clock.state == ClockState.RUNNING and is_met(since, clock.due_at)


def _waits(clock: Clock | None) -> bool:
    return clock is None or clock.state in (ClockState.RUNNING, ClockState.HELD)


async def resume(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime | None, note: str | None
) -> Appeal:
    """Has what is held go on from `at` on: each deadline moves by what was held of its own unit.

    Raises `BeforeTheHold`.
    """
    deed = await begin(tx, runtime, caller, id, at)
    until = at or deed.now
    if deed.appeal.standing.held:
        since = (await holding.open_hold(tx, id)).since
        if until < since:
            raise BeforeTheHold(since)
    said: dict[str, Any] = {"note": note} if note else {}
    await deed.move(Act.RESUME, until, **said)
    return await deed.done()
