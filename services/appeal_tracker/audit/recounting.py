"""Deadlines counted anew from the versions they name: they must be where they are."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit import repository
from appeal_tracker.audit.invariants import Finding, Invariant
from appeal_tracker.clocks import recalculation
from appeal_tracker.clocks.models import Clock


async def wrong_deadlines(tx: AsyncSession, kind: str, subjects: Sequence[UUID]) -> list[Finding]:
    """The clocks of `subjects` that are not due when their policy, calendar, holds and promises say: those that are
    open, and those that were breached, perhaps for nothing, and that somebody still has to stop.

    They are read without being held, so that an open one that is just being changed may look wrong; what does is held
    then, and counted once more.
    """
    its, breached = await repository.deadlines(tx, kind, subjects)
    wrong = await recalculation.astray(tx, its) if its else []
    if wrong:
        wrong = await recalculation.astray(tx, [clock.id for clock in wrong], lock=True)
    here = {*its}
    found = [clock for clock in wrong if clock.id in here]
    found += await recalculation.breached_astray(tx, breached) if breached else []
    return [_finding(clock) for clock in found]


def _finding(clock: Clock) -> Finding:
    place = f"{clock.milestone}#{clock.round}"
    return Finding(Invariant.DEADLINE_WRONG, clock.subject_kind, clock.subject_id, place, clock.id, clock.milestone)
