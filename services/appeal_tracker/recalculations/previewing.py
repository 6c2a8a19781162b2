"""A dry run: looks at all that a job would look at, and writes nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks.replanning import Plan, moves
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.recalculations import repository
from appeal_tracker.recalculations.concerned import OnWhat, OpenClock
from appeal_tracker.recalculations.looking import FIRST, Errand
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.starting import Starting


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
    once; and those that would, page by page, as far as the caller may see them. Only the first page counts."""

    total: int | None
    moved: int | None
    breaching: int | None
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
    units = None if unit is None else {*await repository.units_below(tx, unit)}
    known: set[UUID] = set()
    items: list[Change] = []
    total = moved = breaching = 0
    at, following, last = after or FIRST, None, FIRST
    while following is None or after is None:
        ids = await errand.next(tx, at, errand.most)
        if not ids:
            break
        seen = await errand.look(tx, ids, lock=False)
        its = sorted(_found(seen, ids, now, known), key=lambda found: found.place)
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
        return Preview(None, None, None, items, following)
    return Preview(total, moved, breaching, items, following)


def _found(seen: Seen, ids: Sequence[UUID], now: datetime, known: set[UUID]) -> Iterable[_Found]:
    """`known` holds those that are merged and were found before: each of them brings all the others along."""
    wanted = {*ids}
    families: dict[UUID, list[OpenClock]] = {}
    for clock, _ in seen.plans:
        families.setdefault(clock.follows or clock.id, []).append(clock)
    for clock, plan in seen.plans:
        family = families[clock.follows or clock.id]
        if clock.id not in known and moves(clock, plan):
            places = (place for each in family for place in (each.id, each.subject_id) if place in wanted)
            place = min(places, default=ids[-1])  # merged with what begins
            yield _Found(place, clock.on, _moved(clock, plan, now))
    known.update(clock.id for family in families.values() if len(family) > 1 for clock in family)
    for clock in seen.ending:
        yield _Found(clock.subject_id, clock.on, _moved(clock, None, now))
    for starting in seen.starting:
        yield _Found(starting.on.id, starting.on, _started(starting, now))


def _moved(clock: OpenClock, plan: Plan | None, now: datetime) -> Change:
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
        breaches=plan is not None and plan.state == ClockState.RUNNING and plan.due_at < now,
    )


def _started(starting: Starting, now: datetime) -> Change:
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
        breaches=starting.done_at is None and clock.due_at < now,
    )
