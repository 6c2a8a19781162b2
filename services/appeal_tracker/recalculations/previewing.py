"""A dry run: looks at all that a job would look at, and writes nothing."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks.replanning import Plan, moves
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.directory import service as directory
from appeal_tracker.recalculations.looking import FIRST, MOST_UNDONE, Errand
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.starting import Starting
from appeal_tracker.recalculations.subjects import OnWhat, OpenClock
from chassis.outage import is_outage


class Change(msgspec.Struct, frozen=True):
    """A deadline that is another one now, or would be; one that begins has no old one, one that ends no new one."""

    subject_id: UUID
    appeal_no: str | None
    clock_id: UUID
    milestone: str
    old_due_at: datetime | None = None
    due_at: datetime | None = None
    old_provisional: bool | None = None
    provisional: bool | None = None
    old_policy: str | None = None
    policy: str | None = None
    old_calendar: str | None = None
    calendar: str | None = None
    breaches: bool = False


class Preview(msgspec.Struct, frozen=True):
    """What a recalculation would do: how many it is about, how many deadlines would move, how many of those be past at
    once, how many could not be done, as a job would find; and those that would, page by page, as far as the caller may
    see them. Only the first page counts."""

    total: int | None
    moved: int | None
    breaching: int | None
    undone: int | None
    items: list[Change]
    next: UUID | None


class _Found(msgspec.Struct, frozen=True):
    """A change, on what, and the place of what brought it about in the order in which a turn goes."""

    place: UUID
    on: OnWhat
    change: Change


async def preview(
    tx: AsyncSession, unit: str | None, errand: Errand, now: datetime, after: UUID | None, most: int
) -> Preview:
    """What an errand would do now; of its changes the next page that a caller of `unit` may see, `most` or a few more:
    what moves together is shown together."""
    units = None if unit is None else {*await directory.below(tx, unit)}
    known: set[UUID] = set()
    items: list[Change] = []
    total = moved = breaching = undone = 0
    at, following, last = after or FIRST, None, FIRST
    while following is None or after is None:
        ids = await errand.next(tx, at, errand.most)
        if not ids:
            break
        async for part, seen in _looked(tx, errand, ids, now):
            if isinstance(seen, Exception):
                total, undone = total + 1, undone + 1
                if undone > MOST_UNDONE:
                    raise seen
                continue
            known |= await _shown_before(tx, errand, seen, now, after) if after is not None else set()
            its = sorted(_found(errand, seen, part, now, known), key=lambda found: found.place)
            total, moved = total + seen.settled, moved + len(its)
            breaching += sum(found.change.breaches for found in its)
            for found in its if following is None else ():
                if len(items) >= most and found.place != last:
                    following = last
                    break
                if units is None or found.on.unit_code in units or found.on.handling_unit_code in units:
                    items.append(found.change)
                    last = found.place
        at = ids[-1]
    if after is not None:
        return Preview(None, None, None, None, items, following)
    return Preview(total, moved, breaching, undone, items, following)


async def _looked(
    tx: AsyncSession, errand: Errand, ids: Sequence[UUID], now: datetime
) -> AsyncIterator[tuple[Sequence[UUID], Seen | Exception]]:
    """What is to become of these; by halves where that cannot be said, down to what nothing can be said of, and why."""
    try:
        seen: Seen | Exception = await errand.look(tx, ids, now, lock=False)
    except Exception as error:
        if is_outage(error):
            raise
        seen = error
    if isinstance(seen, Seen) or len(ids) == 1:
        yield ids, seen
        return
    for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        async for each in _looked(tx, errand, half, now):
            yield each


async def _shown_before(tx: AsyncSession, errand: Errand, seen: Seen, now: datetime, after: UUID) -> set[UUID]:
    """The clocks that an earlier page has shown, for the first of those merged with them was met there: with that one,
    unless its milestone ended."""
    places = {place for clock, _ in seen.plans if (place := errand.place(clock)) <= after}
    met = [place for place in sorted(places) if await errand.next(tx, UUID(int=place.int - 1), 1) == [place]]
    if not met:
        return set()
    ended = {clock.id for clock in (await errand.look(tx, met, now, lock=False)).ending}
    before = (
        family
        for family in _families(seen)
        if any(errand.place(each) in met and each.id not in ended for each in family)
    )
    return ended | {clock.id for family in before for clock in family}


def _families(seen: Seen) -> list[list[OpenClock]]:
    found: dict[UUID, list[OpenClock]] = {}
    for clock, _ in seen.plans:
        found.setdefault(clock.follows or clock.id, []).append(clock)
    return [*found.values()]


def _found(errand: Errand, seen: Seen, ids: Sequence[UUID], now: datetime, known: set[UUID]) -> Iterable[_Found]:
    """`known` holds those that are merged and were found before: each of them brings all the others along."""
    wanted, families = {*ids}, _families(seen)
    its_family = {clock.id: family for family in families for clock in family}
    for clock, plan in seen.plans:
        if clock.id not in known and moves(clock, plan):
            places = (place for each in its_family[clock.id] if (place := errand.place(each)) in wanted)
            place = min(places, default=ids[-1])  # merged with what begins
            breaches = plan.state == ClockState.RUNNING and seen.is_past(clock.id, plan.due_at, now)
            yield _Found(place, clock.on, _moved(clock, plan, breaches=breaches))
    known.update(clock.id for family in families if len(family) > 1 for clock in family)
    for clock in seen.ending:
        if clock.id not in known:
            yield _Found(clock.subject_id, clock.on, _moved(clock, None))
            known.add(clock.id)
    for starting in seen.starting:
        breaches = starting.done_at is None and seen.is_past(starting.clock.id, starting.clock.due_at, now)
        yield _Found(starting.on.id, starting.on, _started(starting, breaches=breaches))


def _moved(clock: OpenClock, plan: Plan | None, *, breaches: bool = False) -> Change:
    return Change(
        subject_id=clock.on.id,
        appeal_no=clock.on.appeal_no,
        clock_id=clock.id,
        milestone=clock.milestone,
        old_due_at=clock.due_at,
        due_at=plan.due_at if plan else None,
        old_provisional=clock.provisional,
        provisional=plan.provisional if plan else None,
        old_policy=clock.policy,
        policy=plan.policy if plan else None,
        old_calendar=clock.calendar,
        calendar=plan.calendar if plan else None,
        breaches=breaches,
    )


def _started(starting: Starting, *, breaches: bool) -> Change:
    on, clock = starting.on, starting.clock
    return Change(
        subject_id=on.id,
        appeal_no=on.appeal_no,
        clock_id=clock.id,
        milestone=clock.milestone,
        due_at=clock.due_at,
        provisional=clock.provisional,
        policy=clock.policy,
        calendar=clock.calendar,
        breaches=breaches,
    )
