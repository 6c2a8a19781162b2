"""Which pack a unit goes by: it is picked from a civil day on, and must be as strict there as what it extends."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.civil import DAY, date_of, day_number, instant_of, number_of
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import relaxing, repository
from appeal_tracker.policies.errors import AssignmentInThePast, PolicyIsWithdrawn, UnitHasMerged
from appeal_tracker.policies.models import Assignment
from appeal_tracker.policies.policy import reigns
from appeal_tracker.policies.relaxing import Question, Relaxed
from appeal_tracker.policies.repository import Choice
from appeal_tracker.policies.service import shelf
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal


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
    if begins < today:
        raise AssignmentInThePast(today=today)
    its = await shelf(tx)
    its.named(policy, instant_of(number_of(begins) * DAY))
    if policy in its.withdrawn:
        raise PolicyIsWithdrawn(policy, "/policy")
    newest = await calendars.newest(tx)
    versions = reigns(its.versions(policy), begins)
    for version, _, _ in versions:
        relaxing.demand_over(calendar or version.calendar, version.calendar, newest)
    await relaxing.demand_strict(
        [Question(each.policy, its.extended(*each), newest[calendar or each.policy.calendar]) for each in versions],
        "/calendar" if calendar else "/policy",
    )
    await repository.assign(tx, Choice(unit, policy, begins, calendar), caller.sub, at)
    return await assigned(tx, caller, unit, at)
