"""What somebody who left, or changed post, had open when they did goes to whoever took over, appeal by appeal.

When it is heard of it is only written down. A loop does it, each appeal under its own lock and in a transaction of its
own; one that is heard of later is met by the upkeep. A leaver may be given an appeal, or asked to call, before it is
heard that they left: that is looked for now and then. Done twice it is done once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals import taking_over
from appeal_tracker.leaving import repository
from appeal_tracker.leaving.models import HandOver
from appeal_tracker.leaving.repository import Heard as Heard
from appeal_tracker.tasks import service as tasks
from chassis.runtime import Runtime
from contracts.directory import StaffHandedOver
from contracts.envelope import Message

AT_ONCE = 50  # appeals that are looked at before the place is kept


class Following(NamedTuple):
    """Some open appeals of somebody whose work was handed over, and of which they are to call the customer; none where
    all were looked at."""

    hand_over: UUID
    appeals: Sequence[UUID]


async def staff_handed_over(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Writes down that work was handed over."""
    for message in messages:
        event = message.event
        assert isinstance(event, StaffHandedOver)
        its = HandOver(id=event.hand_over_id, unit_code=event.unit_code, staff_no=event.staff_no, at=message.time)
        its.to_staff_no, its.by = event.to, event.by
        await repository.keep(tx, its)


async def following(tx: AsyncSession) -> Following | None:
    """What is to be handed over next; None where nothing is."""
    its = await repository.undone(tx)
    if its is None:
        return None
    asked = (tx, its.staff_no, its.at, its.after, AT_ONCE)
    found = {*await appeals.open_of(*asked), *await tasks.to_do_by(*asked)}
    return Following(its.id, sorted(found)[:AT_ONCE])


async def hand(tx: AsyncSession, runtime: Runtime, hand_over: UUID, appeal: UUID) -> None:
    """Hands an appeal over, and whom to call about it, if it is still theirs who gave up their work. Raises
    `MergedMeanwhile`."""
    its = await repository.find(tx, hand_over)
    to = await _taker(tx, its)
    await taking_over.take_over(tx, runtime, appeal, leaver=its.staff_no, unit=its.unit_code, to=to, by=its.by)


async def came_to(tx: AsyncSession, hand_over: UUID, after: UUID | None, *, done: bool = False) -> None:
    """Keeps how far a hand-over has come."""
    await repository.came_to(tx, hand_over, after, done=done)


async def left_behind(tx: AsyncSession, after: UUID) -> Sequence[tuple[UUID, UUID]]:
    """Some appeals after one that somebody who is gone was given, or about which they are to call, each with the
    hand-over of their work."""
    return await repository.left_behind(tx, after, AT_ONCE)


async def owed(tx: AsyncSession, heard: Mapping[UUID, Heard]) -> Sequence[tuple[UUID, UUID]]:
    """Those of some appeals that should have gone along with a hand-over, and with which."""
    return await repository.owed(tx, heard) if heard else ()


async def _taker(tx: AsyncSession, its: HandOver) -> str:
    """Whoever took it over may have handed on what they had since."""
    while (later := await repository.next_of(tx, its.to_staff_no, its.at)) is not None:
        its = later
    return its.to_staff_no
