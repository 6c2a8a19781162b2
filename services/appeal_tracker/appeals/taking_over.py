"""What somebody who left, or changed post, had open is handed to whoever took over their work."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import handing, repository
from appeal_tracker.appeals.errors import AppealIsClosed, MergedMeanwhile
from appeal_tracker.appeals.faults import HandlerLeft
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.directory import StaffHandedOver
from contracts.envelope import Message

REASON = "staff_handed_over"


async def staff_handed_over(runtime: Runtime, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Transfers the open appeals of each, in the name of whoever handed the work over; who heard an appeal first stays
    (000 §8.2.4), and no clock moves."""
    for message in messages:
        event = message.event
        assert isinstance(event, StaffHandedOver)
        caller = Principal(event.by, None, frozenset())
        for id_ in await repository.open_of(tx, event.staff_no):
            try:
                await handing.transfer(tx, runtime, caller, id_, handler=event.to, unit=None, reason=REASON)
            except (AppealIsClosed, MergedMeanwhile, HandlerLeft):
                continue  # it ended, another speaks for it by now, or who took over has left too
