"""Appeals as they are heard of: a batch is opened with its clocks in a number of round trips that does not grow.

Clocks run from `received_at`, when the customer spoke. An appeal heard of late is opened all the same; what of its
timers is past already is simply due, and the escalation fires it at once. Where the units above the raising one are not
all known and nobody nearer chose, the policy is assumed; `recalculations` sees to it when they are heard of.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repeating, repository
from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.appeals.repository import Opening, Origin
from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.planning import ANONYMOUS, UNKNOWN_TYPE, NewClock, Planner, Subject, no_clock_reason
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


class Received(msgspec.Struct, frozen=True):
    """An appeal as it was raised, and where."""

    raised: AppealRaised
    traceparent: str | None = None
    origin: Origin = Origin()


class _Planned(msgspec.Struct, frozen=True):
    opening: Opening
    clocks: list[NewClock]
    repeat_days: int


async def appeals_raised(runtime: Runtime, tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Opens the appeals that are not open yet, and tells of each. The same appeal may be raised by several events."""
    raised: dict[object, Received] = {}
    for message in messages:
        assert isinstance(message.event, AppealRaised)
        raised.setdefault(message.event.appeal_id, Received(message.event, message.traceparent))
    await open_all(runtime, tx, [*raised.values()])


async def open_all(runtime: Runtime, tx: AsyncSession, received: Sequence[Received]) -> set[UUID]:
    """Opens those appeals that are not open yet, and tells of each; returns their ids."""
    received = [_as_kept(each) for each in received]
    units = {each.raised.unit_code for each in received}
    shelf = await policies.shelf(tx, units)
    if any(shelf.assumes(each.raised.unit_code, each.raised.received_at) for each in received):
        # Either we see the units that are being heard of now, or whoever hears of them sees our appeals.
        await directory.hold_tree(tx)
        shelf = await policies.shelf(tx, units)
    planner, now = Planner(await calendars.newest(tx)), runtime.clock.now()
    planned = [_plan(runtime, each, shelf, planner, now) for each in received]
    new = await repository.open_new(tx, [each.opening for each in planned], now)
    fresh = [each for each in planned if each.opening.raised.appeal_id in new]
    await clocks.start(tx, [clock for each in fresh for clock in each.clocks], now)
    customers = {each.opening.raised.appeal_id: each.repeat_days for each in fresh if each.opening.raised.customer_id}
    if customers:
        await repeating.link(tx, runtime, customers)
    await visits.appeals_raised(tx, runtime, {its for each in fresh if (its := each.opening.raised.visit_id)})
    after_commit(tx, runtime.outbox.wake)
    _count([each.opening for each in fresh])
    return new


def _as_kept(received: Received) -> Received:
    """Without visit and customer where it hides them: older code told those of anonymous appeals, and other systems
    may."""
    if not received.raised.hidden:
        return received
    return replace(received, raised=replace(received.raised, visit_id=None, customer_id=None))


def _plan(runtime: Runtime, received: Received, shelf: policies.Shelf, planner: Planner, now: datetime) -> _Planned:
    raised, origin = received.raised, received.origin
    policy = shelf.chosen(raised.unit_code, raised.received_at).policy
    subject = Subject(SUBJECT, raised.appeal_id, 1, raised.appeal_type, raised.anonymous)
    started = planner.clocks_started(subject, "received", raised.received_at, policy, heard_at=now)
    reason = no_clock_reason(raised.appeal_type, policy)
    told = runtime.outbox.row(_event(received, policy.label, started), now, received.traceparent)
    assumed = shelf.assumes(raised.unit_code, raised.received_at)
    entry = _entry(received, policy.label, started, reason)
    opening = Opening(raised, origin, policy.label, policy.calendar, assumed, reason, entry, told)
    return _Planned(opening, started, policy.repeat_days)


def _entry(received: Received, policy: str, started: Sequence[NewClock], reason: str | None) -> dict[str, object]:
    raised, origin = received.raised, received.origin
    data: dict[str, object] = {"type": raised.appeal_type, "policy": policy}
    data |= {"source": origin.source, "source_no": origin.source_no} if origin.source_no else {}
    data |= {"category": origin.category} if origin.category else {}
    data |= {"no_contact_reason": ANONYMOUS, "no_callback_reason": ANONYMOUS} if raised.anonymous else {}
    data |= {clock.milestone: {"clock_id": clock.id, "due_at": clock.due_at} for clock in started}
    return data if reason is None else data | {"no_clock_reason": reason}


def _event(received: Received, policy: str, started: Sequence[NewClock]) -> AppealOpened:
    raised = received.raised
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
        source=received.origin.source,
        category=received.origin.category,
        confidential=raised.confidential,
        anonymous=raised.anonymous,
        customer_id=raised.customer_id,
        first_contact=received.origin.first_contact(raised),
    )


def _count(fresh: Sequence[Opening]) -> None:
    _opened.inc(len(fresh))
    for opening in fresh:
        if opening.no_clock_reason == UNKNOWN_TYPE:
            _unknown.inc()
            # The type is somebody else's text, and is not repeated here.
            log.error("an appeal of unknown type runs without clocks", extra={"appeal": opening.raised.appeal_no})
