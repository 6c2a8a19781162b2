"""Whose appeals these are: what somebody has to do today, and how much everybody has.

An appeal is its handler's, else its first-contact person's, else the supervisors' of its unit, or of the nearest above
that has any. While they are away, who stands in for them is found at the moment it is asked. Somebody who left keeps no
appeal from being seen: their supervisors see it by name, and have it in their day.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences import service as absences
from appeal_tracker.appeals import owned, showing
from appeal_tracker.appeals.owned import Hands, Load
from appeal_tracker.appeals.responsible import SUPERVISOR
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from chassis.runtime import Runtime
from chassis.web.paging import MOST, Listing, Window
from chassis.web.tokens import Principal

CALLBACK, ANYONE = "callback", "anyone"
SOON = timedelta(hours=24)


class Day(NamedTuple):
    """What somebody has to do, the most urgent first; of each kind so many and no more."""

    as_of: datetime
    stands_in_for: list[str]
    overdue: Sequence[Any]
    due_next: Sequence[Any]
    to_call_back: Sequence[Any]
    to_accept: Sequence[Any]
    to_conclude: Sequence[Any]


class Share(NamedTuple):
    """What one person has open in a unit; `active` if the directory has them, `present` who is there for them now."""

    load: Load
    active: bool | None
    present: str | None


async def my_day(tx: AsyncSession, runtime: Runtime, caller: Principal) -> Day:
    """What the caller has to do, also for those they stand in for."""
    now = runtime.clock.now()
    others = await absences.covered_by(tx, caller.sub, now)
    hands = await _hands(tx, caller, others)
    below = await directory.next_below(tx, hands.units) if hands.units else ()
    mine = owned.of(caller.unit, hands)
    shelf = await policies.shelf(tx)
    kinds = [each for each in await owned.answered_under(tx, mine) if _is_the_owners_to_call(shelf, *each)]
    parts = [
        await owned.overdue(tx, mine, now),
        await owned.due_next(tx, mine, now),
        await owned.to_call_back(tx, caller.unit, hands, mine, kinds),
        await owned.unaccepted(tx, mine),
        (await tx.scalars(owned.to_conclude(caller.unit, below, hands.units))).all() if below else (),
    ]
    return Day(now, sorted(others), *[await showing.appeals(tx, caller, part) for part in parts])


async def _hands(tx: AsyncSession, caller: Principal, others: Collection[str]) -> Hands:
    """Whose work is the caller's: as a supervisor also what would be in nobody's day, and that of those who left."""
    unit = (await directory.today(tx, caller)).unit
    units = await directory.answered_for(tx, unit, SUPERVISOR) if unit and SUPERVISOR in caller.roles else ()
    left = await directory.left(tx, units) if units else set()
    return Hands(caller.sub, {caller.sub, *others, *left}, units, unit if CALLBACK in caller.roles else None)


def _is_the_owners_to_call(shelf: policies.Shelf, policy: str, appeal_type: str) -> bool:
    """Whether whoever has an appeal by now may call about it, whoever was asked to."""
    rule = shelf.labelled(policy).callback
    return rule.by == ANYONE and rule.is_required(appeal_type)


async def workload(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, unit: str | None
) -> Listing[Share]:
    """What everybody has open of the appeals handled in a unit the caller sees, and below it, by unit and person."""
    within = unit or caller.unit
    assert within is not None, "every person has a unit"
    if unit is not None and not await directory.may_see_unit(tx, unit, caller.unit):
        return Listing([], None)
    units = await (directory.under if unit else directory.below)(tx, within)
    now, most = runtime.clock.now(), window.limit or MOST
    loads = await owned.loads(tx, units, window.place(str, str), most + 1, now, now + SOON)
    shown = loads[:most]
    people = [load.owner for load in shown if load.owner is not None]
    there = await absences.present(tx, people, now)
    active = await directory.active(tx, people)
    shares = [
        Share(load, active.get(load.owner), there[load.owner]) if load.owner else Share(load, None, None)
        for load in shown
    ]
    following = window.after_key(shown[-1].unit_code, shown[-1].owner or "") if len(loads) > most else None
    return Listing(shares, following)
