"""Whom is told by what is left of the ladders of clocks, when a pack is withdrawn or an appeal taken out of its group.

A withdrawn pack takes its own steps away and no others: what is merged with its clocks goes on to warn by the ladders
of the other packs, and no deadline moves. What was breached is not planned anew: its steps keep their moments.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import repository, silenced
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import limit_of
from appeal_tracker.clocks.recalculation import Replanner, Target, write
from appeal_tracker.clocks.replanning import audiences, moves
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.ladder import Step

_OPEN = (ClockState.RUNNING, ClockState.HELD)
_DUE = "due"


async def silence(tx: AsyncSession, pack: str, now: datetime) -> int:
    """Has the clocks of a withdrawn pack, any version of it, tell nobody any more: no warning and no escalation of its
    ladders is left, a breach is recorded all the same. Returns how many appeals they run on.

    However many those are, only what is merged is written: whoever fires or shows a timer asks whether its pack is
    withdrawn (`repository.SILENT`), which for a clock that speaks for no other pack says all.
    """
    if merged := await silenced.merged_with(tx, pack):
        its = await repository.held(tx, merged)
        planned = await _replan(tx, [clock for clock in its if clock.state in _OPEN], now)
        await _retell(tx, its, planned)
    return await silenced.running_by(tx, pack)


async def _replan(tx: AsyncSession, clocks: Sequence[Clock], now: datetime) -> set[UUID]:
    """Writes the steps that are left of open clocks, as they are planned on the calendars that they name; returns those
    clocks. What would move by that is for whoever moves deadlines, and tells of it."""
    to = {clock.id: Target(calendar=await calendars.by_label(tx, clock.calendar)) for clock in clocks}
    plans = await Replanner(await policies.shelf(tx), {}).plan(tx, clocks, to)
    still = [(clock, plans[clock.id]) for clock in clocks if clock.id in plans and not moves(clock, plans[clock.id])]
    await write(tx, still, now)
    return {clock.id for clock, _ in still}


async def part(tx: AsyncSession, clocks: Sequence[Clock]) -> None:
    """Has locked clocks that were breached together, and are not merged any more as they were, go up the ladders of
    those only that are left; those that are open were planned anew."""
    telling = [clock for clock in clocks if clock.state in _OPEN or _escalates(clock)]
    await _retell(tx, telling, but={clock.id for clock in telling if clock.state in _OPEN})


def _escalates(clock: Clock) -> bool:
    return clock.state == ClockState.BREACHED and clock.stopped_at is None


async def _retell(tx: AsyncSession, clocks: Iterable[Clock], but: Collection[UUID]) -> None:
    """Has what is left of the ladders of locked clocks, all that are merged together, tell whom these packs tell now;
    `but` for some of them. A leader tells for all."""
    shelf, ladders = await policies.shelf(tx), dict[UUID, dict[UUID, Sequence[Step]]]()
    for clock in clocks:
        limit = limit_of(shelf.labelled(clock.policy), clock)
        assert limit is not None, "it was set by it"
        ladders.setdefault(clock.follows or clock.id, {})[clock.id] = limit.ladder
    whom = {
        clock: audiences(group.values()) if clock == leader else {**audiences([ladder]), _DUE: ()}
        for leader, group in ladders.items()
        for clock, ladder in group.items()
        if clock not in but
    }
    if whom:
        await silenced.retell(tx, whom)
