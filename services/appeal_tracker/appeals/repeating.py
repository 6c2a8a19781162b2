"""A matter that comes back: the same customer, type and category within the days of the policy, on another visit or
from another system. The two are linked, both timelines say so, and on the second return supervisors hear of it once,
unless it only asks or proposes something: that is another matter each time, as a rule.

Nobody looks for the customer of a confidential or anonymous appeal. What a complaint is about is often known only once
it is accepted: then it is looked at again. What was void never was; one that a customer took back may come back.

An open appeal repeats the newest of those before it, and counts one return more than that one. Where that changes, for
one between the two is heard of late, or turns out to be about something else, the upkeep links it anew, and after it
those that follow.
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
ASKS = ("consultation", "suggestion")


class Returned(NamedTuple):
    """An appeal that repeats an earlier one, for the n-th time, or none; and what it was said to repeat before."""

    id: UUID
    visit_id: UUID | None
    unit_code: str
    round: int
    type: str
    earlier: UUID | None
    times: int
    earlier_before: UUID | None
    times_before: int
    followed: bool  # another one repeats it already
    overtaken: bool  # a later one was said to repeat the earlier one, as often, before this one was heard of

    @property
    def is_news(self) -> bool:
        """Whether those above have not heard of the matter yet: neither of this one, nor of the one after it, which was
        the second return until now."""
        heard = self.overtaken or (self.followed and self.times_before > 0)
        return self.times == ESCALATED > self.times_before and not heard


async def link(tx: AsyncSession, runtime: Runtime, days: Mapping[UUID, int]) -> None:
    """Looks at appeals that were just opened, or that somebody locked, each within so many days."""
    found = [Returned(*row) for row in await repository.returned(tx, days)]
    if not found:
        return
    now, counted, entries, events = runtime.clock.now(), dict[UUID, int](), list[Entry](), list[Event]()
    for each in found:  # in the order in which they were received
        times = min(counted[each.earlier] + 1, repository.RETURNS) if each.earlier in counted else each.times
        its = each._replace(times=times)
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
        (own, *theirs), told = _entries(its, deed.now, deed.by), _events(its, deed.now, deed.by)
        deed.say(deed.case, own.kind, deed.now, None, **own.data)
        for event in told:
            deed.announce(event)
        await timeline.note(deed.tx, theirs, deed.now)


def _entries(its: Returned, now: datetime, by: str | None) -> list[Entry]:
    if its.earlier is None:
        before: dict[str, object] = {"repeat_of": its.earlier_before} if its.earlier_before else {}
        return [Entry(its.id, "repeats_nothing", now, by, before)]
    return [
        Entry(its.id, "repeated", now, by, {"repeat_of": its.earlier, "times": its.times}),
        Entry(its.earlier, "came_back", now, by, {"appeal_id": its.id, "times": its.times}),
    ]


def _events(its: Returned, now: datetime, by: str | None) -> list[Event]:
    if its.earlier is None:
        return []
    said: dict[str, Any] = {"appeal_id": its.id, "visit_id": its.visit_id, "unit_code": its.unit_code}
    said |= {"round": its.round, "at": now, "by": by, "repeats": its.earlier, "times": its.times}
    kinds = (AppealRepeated, AppealRepeatedAgain) if its.is_news and its.type not in ASKS else (AppealRepeated,)
    return [kind(**said) for kind in kinds]
