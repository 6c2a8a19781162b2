"""A matter that comes back: the same customer, type and category within the days of the policy, on another visit or
from another system. The two are linked, both timelines say so, and on the second return supervisors hear of it once.

Nobody looks for the customer of a confidential or anonymous appeal. What a complaint is about is often known only once
it is accepted: then it is looked at again. What was void never was; one that a customer took back may come back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.clocks import timeline
from appeal_tracker.clocks.timeline import Entry
from chassis.runtime import Runtime
from contracts.appeals import AppealRepeated, AppealRepeatedAgain
from contracts.envelope import Event

ESCALATED = 2  # returns; on the first it is linked, on later ones everybody knows


class Returned(NamedTuple):
    """An appeal that repeats an earlier one, for the n-th time."""

    id: UUID
    visit_id: UUID | None
    unit_code: str
    round: int
    received_at: datetime
    earlier: UUID
    times: int


async def opened(tx: AsyncSession, runtime: Runtime, days: Mapping[UUID, int]) -> None:
    """Looks at appeals that were just opened, or that older code opened, each within so many days."""
    found = [Returned(*row) for row in await repository.returned(tx, days)]
    if not found:
        return
    now, counted, entries, events = runtime.clock.now(), dict[UUID, int](), list[Entry](), list[Event]()
    for each in found:  # in the order in which they were received
        its = each._replace(times=counted.get(each.earlier, each.times - 1) + 1)
        counted[its.id] = its.times
        entries += _entries(its, now, None)
        events += _events(its, now, None)
        await repository.repeats(tx, its.id, its.earlier, its.times, now)
    await timeline.note(tx, entries, now)
    await runtime.outbox.append(tx, events, at=now)


async def look(deed: Deed) -> None:
    """Looks at an appeal whose category became known, or another one."""
    appeal = deed.appeal
    await deed.tx.flush()
    for row in await repository.returned(deed.tx, {appeal.id: deed.case.policy.repeat_days}):
        its = Returned(*row)
        appeal.repeat_of, appeal.repeats = its.earlier, its.times
        (own, theirs), (told, *more) = _entries(its, deed.now, deed.by), _events(its, deed.now, deed.by)
        deed.tell(own, told)
        for event in more:
            deed.announce(event)
        await timeline.note(deed.tx, [theirs], deed.now)


def _entries(its: Returned, now: datetime, by: str | None) -> list[Entry]:
    return [
        Entry(its.id, "repeated", now, by, {"repeat_of": its.earlier, "times": its.times}),
        Entry(its.earlier, "came_back", now, by, {"appeal_id": its.id, "times": its.times}),
    ]


def _events(its: Returned, now: datetime, by: str | None) -> list[Event]:
    said: dict[str, Any] = {"appeal_id": its.id, "visit_id": its.visit_id, "unit_code": its.unit_code}
    said |= {"round": its.round, "at": now, "by": by, "repeats": its.earlier, "times": its.times}
    kinds = (AppealRepeated, AppealRepeatedAgain) if its.times == ESCALATED else (AppealRepeated,)
    return [kind(**said) for kind in kinds]
