"""Whether what is brought to a version on purpose is timed by it as strictly as by all that it extends.

Where a pack is published or picked, it is measured on the calendars that count for what begins from then on. A job puts
an older version, or a newer, on what began before, and on the calendars that counted for it then.
"""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.civil import DAY, instant_of, number_of
from appeal_tracker.policies import relaxing
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Policy
from appeal_tracker.policies.relaxing import Question
from appeal_tracker.recalculations import repository
from appeal_tracker.recalculations.errors import TargetWithdrawn
from appeal_tracker.recalculations.looking import scope_of
from appeal_tracker.recalculations.models import Recalculation


async def demand_strict(tx: AsyncSession, job: Recalculation, pointer: str = "") -> None:
    """Raises `LaxerPolicy` where a job would bring anything to a version that is laxer, on the calendar that counts
    there, than what it extends, and `TargetWithdrawn` where nobody would hear of it any more; `pointer` is what named
    the version, or the unit.

    A job that names neither follows from a fact: what units of which nobody had heard begin by, or a calendar.
    """
    if job.target is not None:
        await relaxing.demand_strict(await _by_version(tx, job, job.target, pointer), pointer)
    elif job.unit_code is not None:
        await relaxing.demand_strict(await _by_choice(tx, job), pointer)


async def _by_version(tx: AsyncSession, job: Recalculation, version: str, pointer: str) -> list[Question]:
    """Asks about the version that a job brings to, on each calendar that counts for what it would bring."""
    shelf = await policies.shelf(tx)
    target = shelf.written(version)
    if target.id in shelf.withdrawn:
        raise TargetWithdrawn(target.id, pointer)
    if len(target.lineage) == 1:
        return []
    scope = await scope_of(tx, job, shelf)
    began = await repository.began(tx, scope.policies or [], scope.units)
    if target.visits:
        began += await repository.visited(tx, scope.units)
    shelf = await policies.shelf(tx, {unit for unit, _ in began})
    newest, counted = await calendars.newest(tx), dict[str, list[date]]()
    for unit, day in began:
        choice = shelf.chosen(unit, instant_of(number_of(day) * DAY), anew=True)
        counted.setdefault(choice.calls_for(target, newest).calendar, []).append(day)
    return [
        Question(target, shelf.extended(target, min(days), max(days)), newest[calendar])
        for calendar, days in counted.items()
    ]


async def _by_choice(tx: AsyncSession, job: Recalculation) -> list[Question]:
    """Asks about what units picked, which was measured when they did, and on calendars that may have newer versions
    now; what runs by it there already is not brought to it."""
    runs = await repository.runs_by(tx, (await scope_of(tx, job, await policies.shelf(tx))).units)
    shelf = await policies.shelf(tx, {each.unit for each in runs})
    newest, brought = await calendars.newest(tx), dict[tuple[str, str], tuple[Policy, list[date]]]()
    for each in runs:
        policy = shelf.chosen(each.unit, instant_of(number_of(each.day) * DAY), anew=True).policy
        if each.fact is not None and all(limit.starts != each.fact for limit in policy.visits):
            continue
        if (each.policy, each.calendar or policy.calendar) != (policy.label, policy.calendar):
            brought.setdefault((policy.label, policy.calendar), (policy, []))[1].append(each.day)
    return [
        Question(policy, shelf.extended(policy, min(days), max(days)), newest[policy.calendar])
        for policy, days in brought.values()
    ]
