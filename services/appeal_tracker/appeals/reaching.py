"""Milestones of a pack's own, such as a survey on site: what reaches them is recorded, and stops their clock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.faults import NoSuchMilestone
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

# What reaches these is recorded in full by an act of its own.
_OF_OTHER_ACTS = ("contact", "answer", "callback")


async def reach(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, milestone: str, at: datetime, note: str | None
) -> Appeal:
    """Records that a milestone was reached at its true time. Raises `NoSuchMilestone`, and what every act may."""
    deed = await begin(tx, runtime, caller, id, at)
    if milestone in _OF_OTHER_ACTS or deed.case.clock(milestone) is None:
        raise NoSuchMilestone(milestone)
    concerned = deed.concerned(Act.REACH, at)
    for case in concerned:
        deed.say(case, "milestone_reached", at, milestone=milestone, note=note)
    await deed.move(Act.REACH, at, concerned)
    await deed.stop(milestone, at, concerned)
    return await deed.done()
