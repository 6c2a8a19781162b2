"""Appeals as they are heard of: a batch is opened with its clocks in a number of round trips that does not grow.

Clocks run from `received_at`, when the customer spoke. An appeal heard of late is opened all the same; what of its
timers is past already is simply due, and the escalation fires it at once. Where the units above the raising one are not
all known and nobody nearer chose, the policy is assumed; `recalculations` sees to it when they are heard of.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.appeals.repository import Opening
from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.planning import UNKNOWN_TYPE, NewClock, Planner, Subject, no_clock_reason
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from appeal_tracker.visits import service as visits
from chassis.db import after_commit
from chassis.runtime import Runtime
from contracts.appeals import AppealOpened, AppealRaised, ClockStarted
from contracts.envelope import Message

log = logging.getLogger(__name__)

_opened = Counter("appeals_opened", "Appeals opened")
_unknown = Counter("appeals_of_unknown_type", "Appeals opened without clocks because their type is not known here")


class _Planned(msgspec.Struct, frozen=True):
    opening: Opening
    clocks: list[NewClock]


async def appeals_raised(runtime: Runtime, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Opens the appeals that are not open yet, and tells of each. The same appeal may be raised by several events."""
    raised: dict[object, tuple[AppealRaised, str | None]] = {}
    for message in messages:
        assert isinstance(message.event, AppealRaised)
        raised.setdefault(message.event.appeal_id, (message.event, message.traceparent))
    units = {event.unit_code for event, _ in raised.values()}
    shelf = await policies.shelf(tx, units)
    if any(shelf.assumes(event.unit_code, event.received_at) for event, _ in raised.values()):
        # Either we see the units that are being heard of now, or whoever hears of them sees our appeals.
        await directory.hold_tree(tx)
        shelf = await policies.shelf(tx, units)
    planner, now = Planner(await calendars.newest(tx)), runtime.clock.now()
    planned = [_plan(runtime, event, trace, shelf, planner, now) for event, trace in raised.values()]
    new = await repository.open_new(tx, [each.opening for each in planned], now)
    fresh = [each for each in planned if each.opening.raised.appeal_id in new]
    await clocks.start(tx, [clock for each in fresh for clock in each.clocks])
    await visits.appeals_raised(tx, runtime, {its for each in fresh if (its := each.opening.raised.visit_id)})
    after_commit(tx, runtime.outbox.wake)
    _count([each.opening for each in fresh])


def _plan(
    runtime: Runtime, raised: AppealRaised, trace: str | None, shelf: policies.Shelf, planner: Planner, now: datetime
) -> _Planned:
    policy, _, _ = shelf.chosen(raised.unit_code, raised.received_at)
    subject = Subject(SUBJECT, raised.appeal_id, 1, raised.appeal_type)
    started = planner.clocks_started(subject, "received", raised.received_at, policy, heard_at=now)
    reason = no_clock_reason(raised.appeal_type, policy)
    told = runtime.outbox.row(_event(raised, policy.label, started), now, trace)
    assumed = shelf.assumes(raised.unit_code, raised.received_at)
    entry = _entry(raised, policy.label, started, reason)
    return _Planned(Opening(raised, policy.label, policy.calendar, assumed, reason, entry, told), started)


def _entry(raised: AppealRaised, policy: str, started: Sequence[NewClock], reason: str | None) -> dict[str, object]:
    data: dict[str, object] = {"type": raised.appeal_type, "policy": policy}
    data |= {clock.milestone: {"clock_id": clock.id, "due_at": clock.due_at} for clock in started}
    return data if reason is None else data | {"no_clock_reason": reason}


def _event(raised: AppealRaised, policy: str, started: Sequence[NewClock]) -> AppealOpened:
    return AppealOpened(
        appeal_id=raised.appeal_id,
        appeal_no=raised.appeal_no,
        visit_id=raised.visit_id,
        unit_code=raised.unit_code,
        appeal_type=raised.appeal_type,
        received_at=raised.received_at,
        round=1,
        policy=policy,
        clocks=[
            ClockStarted(
                clock_id=clock.id, milestone=clock.milestone, due_at=clock.due_at, provisional=clock.provisional
            )
            for clock in started
        ],
    )


def _count(fresh: Sequence[Opening]) -> None:
    _opened.inc(len(fresh))
    for opening in fresh:
        if opening.no_clock_reason == UNKNOWN_TYPE:
            _unknown.inc()
            # The type is somebody else's text, and is not repeated here.
            log.error("an appeal of unknown type runs without clocks", extra={"appeal": opening.raised.appeal_no})
