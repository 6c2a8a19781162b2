"""Clocks of one round that go on in the next, with what was left of their periods."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks import holding, ladders
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Subject
from appeal_tracker.clocks.recalculation import recalculate
from appeal_tracker.clocks.states import ClockState
from chassis.ids import new_id


async def go_on(
    tx: AsyncSession, subject: Subject, last: Collection[Clock], closed_at: datetime, at: datetime, by: str
) -> list[Clock]:
    """Has clocks of the round before go on at `at`: each has run since it began, but for the time from its stop, or
    else the closing, until now. What was breached stays breached, and what its ladder told is not told again:
    what it would have told meanwhile comes late, and what was past at the closing, though nobody had recorded that, is
    breached in both rounds. Of either people hear by the later one.
    """
    heirs = [(clock, _heir(clock, subject)) for clock in last]
    tx.add_all([heir for _, heir in heirs])
    await tx.flush()
    await ladders.inherit(tx, [(clock.id, heir.id) for clock, heir in heirs], at)
    await ladders.hush(tx, [clock.id for clock, _ in heirs])
    stopped: dict[datetime, list[str]] = {}
    for clock, heir in heirs:
        if heir.state == ClockState.RUNNING:
            stopped.setdefault(clock.stopped_at or closed_at, []).append(clock.milestone)
    for since, milestones in stopped.items():
        await holding.begin(tx, subject, milestones, since, at, reason=holding.CLOSED, by=by, now=at)
    await recalculate(tx, [heir for _, heir in heirs], at)
    return [heir for _, heir in heirs]


def _heir(clock: Clock, subject: Subject) -> Clock:
    breached = clock.state == ClockState.BREACHED
    return Clock(
        id=new_id(),
        subject_kind=subject.kind,
        subject_id=subject.id,
        round=subject.round,
        milestone=clock.milestone,
        appeal_type=clock.appeal_type,
        started_at=clock.started_at,
        due_at=clock.due_at,
        policy=clock.policy,
        calendar=clock.calendar,
        provisional=clock.provisional,
        state=clock.state if breached else ClockState.RUNNING,
        breached_at=clock.breached_at if breached else None,
        late_arrival=clock.late_arrival,
    )
