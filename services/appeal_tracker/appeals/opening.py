"""Appeals as they are heard of: a batch is opened with its clocks in a number of round trips that does not grow.

Clocks run from `received_at`, when the customer spoke. An appeal heard of late is opened all the same; what of its
timers is past already is simply due, and the escalation fires it at once.
"""

import logging
from collections.abc import Sequence

import msgspec
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.appeals.repository import Entry, Opening
from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.planning import UNKNOWN_TYPE, NewClock, Planner, Subject, no_clock_reason
from appeal_tracker.policies import service as policies
from chassis.runtime import Runtime
from contracts.appeals import AppealOpened, AppealRaised, ClockStarted
from contracts.envelope import Message

log = logging.getLogger(__name__)

_opened = Counter("appeals_opened", "Appeals opened")
_unknown = Counter("appeals_of_unknown_type", "Appeals opened without clocks because their type is not known here")


class _Opening(msgspec.Struct, frozen=True):
    row: Opening
    clocks: list[NewClock]
    traceparent: str | None


async def appeals_raised(runtime: Runtime, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Opens the appeals that are not open yet, and tells of each. The same appeal may be raised by several events."""
    raised: dict[object, tuple[AppealRaised, str | None]] = {}
    for message in messages:
        assert isinstance(message.event, AppealRaised)
        raised.setdefault(message.event.appeal_id, (message.event, message.traceparent))
    shelf = await policies.shelf(tx, {event.unit_code for event, _ in raised.values()})
    planner = Planner(await calendars.newest(tx))
    openings = [_plan(event, trace, shelf, planner) for event, trace in raised.values()]
    now = runtime.clock.now()
    new = await repository.open_new(tx, [opening.row for opening in openings], now)
    fresh = [opening for opening in openings if opening.row.raised.appeal_id in new]
    if not fresh:
        return
    await clocks.start(tx, [clock for opening in fresh for clock in opening.clocks])
    await repository.note(tx, [_entry(opening) for opening in fresh], now)
    traces = [opening.traceparent for opening in fresh]
    await runtime.outbox.append(tx, [_event(opening) for opening in fresh], at=now, traces=traces)
    _count(fresh)


def _plan(raised: AppealRaised, trace: str | None, shelf: policies.Shelf, planner: Planner) -> _Opening:
    policy, _, _ = shelf.chosen(raised.unit_code, raised.received_at)
    subject = Subject(SUBJECT, raised.appeal_id, 1, raised.appeal_type)
    started = planner.clocks_started(subject, "received", raised.received_at, policy)
    reason = no_clock_reason(raised.appeal_type, policy)
    return _Opening(Opening(raised, policy.label, reason), started, trace)


def _entry(opening: _Opening) -> Entry:
    raised = opening.row.raised
    data: dict[str, object] = {"type": raised.appeal_type, "policy": opening.row.policy}
    data |= {clock.milestone: {"clock_id": clock.id, "due_at": clock.due_at} for clock in opening.clocks}
    if opening.row.no_clock_reason:
        data["no_clock_reason"] = opening.row.no_clock_reason
    return Entry(raised.appeal_id, "opened", raised.received_at, raised.raised_by, data)


def _event(opening: _Opening) -> AppealOpened:
    raised = opening.row.raised
    return AppealOpened(
        appeal_id=raised.appeal_id,
        appeal_no=raised.appeal_no,
        visit_id=raised.visit_id,
        unit_code=raised.unit_code,
        appeal_type=raised.appeal_type,
        received_at=raised.received_at,
        round=1,
        policy=opening.row.policy,
        clocks=[
            ClockStarted(
                clock_id=clock.id, milestone=clock.milestone, due_at=clock.due_at, provisional=clock.provisional
            )
            for clock in opening.clocks
        ],
    )


def _count(fresh: Sequence[_Opening]) -> None:
    _opened.inc(len(fresh))
    for opening in fresh:
        if opening.row.no_clock_reason == UNKNOWN_TYPE:
            _unknown.inc()
            # The type is somebody else's text, and is not repeated here.
            log.error("an appeal of unknown type runs without clocks", extra={"appeal": opening.row.raised.appeal_no})
