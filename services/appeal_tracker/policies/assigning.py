"""Which pack a unit goes by: it is picked from a civil day on, and must be as strict there as what it extends.

What counted on days gone by stays what it was, but that a stop of work is a fact, and known late: a unit may still pick
a calendar that lies over the one that counted, for the same pack, and have what is open recalculated by that.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, date_of, day_number, instant_of, number_of
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import relaxing, repository
from appeal_tracker.policies.errors import AssignmentInThePast, PolicyIsWithdrawn, UnitHasMerged
from appeal_tracker.policies.models import Assignment
from appeal_tracker.policies.policy import reigns
from appeal_tracker.policies.relaxing import Question, Relaxed
from appeal_tracker.policies.repository import Choice
from appeal_tracker.policies.service import Shelf, shelf
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal

FURTHEST = timedelta(days=366)


class Assigned(msgspec.Struct, frozen=True):
    """Which policy counts for a unit today, why, and what the unit itself picked, also for later."""

    unit_code: str
    policy: str
    version: int
    calendar: str
    origin: str  # own, inherited or default
    assigned_to: str | None  # the unit whose choice it is
    effective_from: date | None
    own: Sequence[Assignment]
    laxer: Sequence[Relaxed]


async def assigned(tx: AsyncSession, caller: Principal, unit: str, at: datetime) -> Assigned:
    """Which policy counts for a unit at an instant. Raises `NotFound` for a unit the caller does not see."""
    if not await directory.may_see_unit(tx, unit, caller.unit):
        raise NotFound
    its = await shelf(tx, [unit])
    policy, assigned_to, since, _ = its.chosen(unit, at)
    origin = "default" if assigned_to is None else "own" if assigned_to == unit else "inherited"
    calendar = (await calendars.newest(tx))[policy.calendar]
    today = date_of(day_number(at))
    laxer = await relaxing.found([Question(policy, its.extended(policy, today, today), calendar)])
    own = await repository.own_assignments(tx, unit)
    return Assigned(unit, policy.id, policy.version, policy.calendar, origin, assigned_to, since, own, laxer)


async def assign(
    tx: AsyncSession,
    caller: Principal,
    unit: str,
    policy: str,
    calendar: str | None,
    since: date | None,
    at: datetime,
    unchanged: Callable[[object], None],
) -> Assigned:
    """Has a unit pick a pack from a civil day on, today where none is named, and a calendar to count on, the pack's own
    where none is named; appeals that are open keep theirs.

    Raises `NotFound`, `UnitHasMerged`, `PreconditionFailed`, `UnknownPolicy`, `PolicyNotInForce`, `PolicyIsWithdrawn`,
    `AssignmentInThePast`, `UnknownCalendar`, `CalendarElsewhere`, `LaxerPolicy`.
    """
    # First this: whoever withdraws a pack holds it and waits for acts, these for the tree, and that for a unit's row.
    await repository.lock(tx)
    if not await directory.lock_unit(tx, unit, caller.unit):
        raise NotFound
    if (into := await directory.successor(tx, unit)) != unit:
        raise UnitHasMerged(code=unit, into=into)
    unchanged(await assigned(tx, caller, unit, at))
    today = date_of(day_number(at))
    begins = since or today
    its, newest = await shelf(tx, [unit]), await calendars.newest(tx)
    pick = Choice(unit, policy, begins, calendar)
    if begins < today and not _lies_over_what_counted(pick, its, newest, today):
        raise AssignmentInThePast(today=today)
    its.named(policy, _beginning(begins))
    if policy in its.withdrawn:
        raise PolicyIsWithdrawn(policy, "/policy")
    versions = reigns(its.versions(policy), begins)
    for version, _, _ in versions:
        relaxing.demand_over(calendar or version.calendar, version.calendar, newest)
    await relaxing.demand_strict(
        [Question(each.policy, its.extended(*each), newest[calendar or each.policy.calendar]) for each in versions],
        "/calendar" if calendar else "/policy",
    )
    await repository.assign(tx, pick, caller.sub, at)
    return await assigned(tx, caller, unit, at)


def _lies_over_what_counted(pick: Choice, its: Shelf, newest: Mapping[str, Calendar], today: date) -> bool:
    """Whether a choice for days gone by leaves the pack that counted on each of them, and all days of its calendar that
    it does not name itself; up to the unit's next own choice. One that was made for its first day stays on record."""
    calendar = newest.get(pick.calendar or "")
    if calendar is None or pick.since < today - FURTHEST:
        return False
    for number in range((today - pick.since).days):
        counted = its.chosen(pick.unit, _beginning(pick.since + timedelta(days=number)))
        if counted.assigned_to == pick.unit and counted.since is not None and counted.since >= pick.since:
            return number > 0
        if counted.policy.id != pick.policy or not calendar.lies_over(counted.policy.calendar):
            return False
    return True


def _beginning(day: date) -> datetime:
    return instant_of(number_of(day) * DAY)
