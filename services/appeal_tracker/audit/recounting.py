"""Deadlines counted anew from the versions they name: they must be where they are."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit import repository
from appeal_tracker.audit.invariants import Finding, Invariant
from appeal_tracker.clocks import recalculation
from appeal_tracker.clocks.models import Clock

AT_ONCE = 500  # clocks that are read in one go: what is made of the rows holds up whoever else works in this process


async def wrong_deadlines(tx: AsyncSession, kind: str, subjects: Sequence[UUID]) -> list[Finding]:
    """The clocks of `subjects` that are not due when their policy, calendar, holds and promises say: those that are
    open, and those that were breached, perhaps for nothing, and that somebody still has to stop.

    They are read without being held, so that an open one that is just being changed may look wrong; what does is held
    then, all at once, and counted once more.
    """
    its, breached = await repository.deadlines(tx, kind, subjects)
    wrong = {clock.id for some in _parts(its) for clock in await recalculation.astray(tx, some)}
    here = {*its}
    again = await recalculation.astray(tx, wrong, lock=True) if wrong else []
    found = [clock for clock in again if clock.id in here]
    found += [clock for some in _parts(breached) for clock in await recalculation.breached_astray(tx, some)]
    return [_finding(clock) for clock in found]


def _parts(clocks: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (clocks[at : at + AT_ONCE] for at in range(0, len(clocks), AT_ONCE))


def _finding(clock: Clock) -> Finding:
    place = f"{clock.milestone}#{clock.round}"
    return Finding(Invariant.DEADLINE_WRONG, clock.subject_kind, clock.subject_id, place, clock.id, clock.milestone)
