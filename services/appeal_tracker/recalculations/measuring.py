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
from appeal_tracker.policies.relaxing import Question
from appeal_tracker.recalculations import repository
from appeal_tracker.recalculations.errors import TargetWithdrawn
from appeal_tracker.recalculations.looking import scope_of
from appeal_tracker.recalculations.models import Recalculation


async def demand_strict(tx: AsyncSession, job: Recalculation, pointer: str = "") -> None:
    """Raises `LaxerPolicy` where a job would bring anything to a version that is laxer, on the calendar that counts
    there, than what it extends, and `TargetWithdrawn` where nobody would hear of it any more; `pointer` is what named
    the version.

    A job that names none brings to each unit what it picked, and that was measured when it did.
    """
    if job.target is None:
        return
    shelf = await policies.shelf(tx)
    target = shelf.written(job.target)
    if target.id in shelf.withdrawn:
        raise TargetWithdrawn(target.id, pointer)
    if len(target.lineage) == 1:
        return
    scope = await scope_of(tx, job, shelf)
    began = await repository.began(tx, scope.policies or [], scope.units)
    if target.visits:
        began += await repository.visited(tx, scope.units)
    shelf = await policies.shelf(tx, {unit for unit, _ in began})
    newest, counted = await calendars.newest(tx), dict[str, list[date]]()
    for unit, day in began:
        choice = shelf.chosen(unit, instant_of(number_of(day) * DAY), anew=True)
        counted.setdefault(choice.calls_for(target, newest).calendar, []).append(day)
    questions = [
        Question(target, shelf.extended(target, min(days), max(days)), newest[calendar])
        for calendar, days in counted.items()
    ]
    await relaxing.demand_strict(questions, pointer)
