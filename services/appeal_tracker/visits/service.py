"""Visits are followed by what is told of them, and their clocks brought to where the facts put them.

Nothing is counted up or down: after each piece of news the facts are looked at anew, so that repeated and belated news
end in the same place. A visit's row is held first and its clocks after it; whoever acts on an appeal holds that before.
Where the units above a visit's are not all known, `recalculations` sees to it when they are heard of.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.service import Deadline
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.service import Shelf
from appeal_tracker.visits import repository
from appeal_tracker.visits.course import Standing
from appeal_tracker.visits.errors import VisitNotFound
from appeal_tracker.visits.following import Following
from appeal_tracker.visits.hearing import News, news
from appeal_tracker.visits.models import SUBJECT, Visit
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.envelope import Message

# How the appeals raised on visits stand, those with any; asked of the floor above.
Appeals = Callable[[AsyncSession, Collection[UUID]], Awaitable[Mapping[UUID, Standing]]]


async def heard(runtime: Runtime, appeals: Appeals, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns what became of visits; a batch costs a number of round trips that does not grow."""
    its = news(messages)
    shelf = await _shelf(tx, {each.unit_code for each in its})
    await repository.keep(tx, its, runtime.clock.now())
    visits = await repository.hold(tx, [each.visit_id for each in its])
    over = [visit.id for visit in visits if visit.completed_at]
    await _follow(tx, runtime, shelf, visits, await appeals(tx, over) if over else {}, its)


async def appeals_raised(tx: AsyncSession, runtime: Runtime, visits: Collection[UUID]) -> None:
    """Has the records of `visits`, on each of which an appeal was just opened, wait for it.

    Only a visit that is over has anything that could wait; and that it is over comes in the order of its appeals.
    """
    if visits and (over := await repository.over(tx, visits)):
        held = await repository.hold(tx, over)
        shelf = await _shelf(tx, {visit.unit_code for visit in held})
        await _follow(tx, runtime, shelf, held, dict.fromkeys(over, Standing(open=True)))


async def appeals_changed(tx: AsyncSession, runtime: Runtime, visits: Mapping[UUID, str], appeals: Appeals) -> None:
    """Looks anew at visits, by their units, on each of which an appeal was closed or reopened in this transaction."""
    if visits:
        taken = await repository.take(tx, visits, runtime.clock.now())
        shelf = await _shelf(tx, {visit.unit_code for visit in taken})  # who makes it, not who heard the appeal
        await _follow(tx, runtime, shelf, taken, await appeals(tx, [*visits]))


async def find(tx: AsyncSession, caller: Principal, id: UUID) -> Visit | None:
    """A visit that was heard of, and that the caller may see."""
    return await repository.find(tx, id, caller.unit)


async def deadlines(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Deadline]:
    """The clocks of a visit, with their ladders. Raises `VisitNotFound`, also for another unit's."""
    if await find(tx, caller, id) is None:
        raise VisitNotFound
    return await clocks.deadlines(tx, SUBJECT, id, window)


async def ended_on_purpose(tx: AsyncSession, its: Mapping[UUID, Sequence[Clock]]) -> set[UUID]:
    """Those of the clocks of some visits that a recalculation ended: no news starts them again."""
    cancelled = [visit for visit, theirs in its.items() if any(each.state == ClockState.CANCELLED for each in theirs)]
    return await repository.ended_by_recalculations(tx, cancelled) if cancelled else set()


async def _shelf(tx: AsyncSession, units: Collection[str]) -> Shelf:
    """What the units picked. Where not all above them are known, either we see those that are being heard of now, or
    whoever hears of them sees our visits."""
    shelf = await policies.shelf(tx, units)
    if not shelf.may_assume(units):
        return shelf
    await directory.hold_tree(tx)
    return await policies.shelf(tx, units)


async def _follow(
    tx: AsyncSession,
    runtime: Runtime,
    shelf: Shelf,
    visits: Sequence[Visit],
    standing: Mapping[UUID, Standing],
    told: Sequence[News] = (),
) -> None:
    its = await clocks.of_subjects(tx, SUBJECT, [visit.id for visit in visits], lock=True)
    following, ended = Following(tx, runtime, shelf, told), await ended_on_purpose(tx, its)
    for visit in visits:
        await following.look(visit, its[visit.id], standing.get(visit.id, Standing()), ended)
    if await following.start():
        # What is started may have come to its end already: one batch can hold the whole life of a visit.
        its = await clocks.of_subjects(tx, SUBJECT, [visit.id for visit in visits], lock=True)
    for visit in visits:
        await following.stop(visit, its[visit.id])
    await following.settle()
