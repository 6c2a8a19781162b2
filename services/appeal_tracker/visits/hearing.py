"""From what is told of visits to what is kept of them. Pure."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from contracts.envelope import Event, Message
from contracts.visits import (
    VisitAppointed,
    VisitArchived,
    VisitArrived,
    VisitCancelled,
    VisitCompleted,
    VisitMissed,
    VisitMoment,
    VisitPlan,
    VisitPlanned,
    VisitReplanned,
    VisitStarted,
    VisitUnappointed,
)

_KEPT: dict[type[VisitMoment], str] = {
    VisitArrived: "arrived_at",
    VisitStarted: "started_at",
    VisitCompleted: "completed_at",
    VisitCancelled: "cancelled_at",
    VisitMissed: "missed_at",
    VisitArchived: "archived_at",
}
HEARD: tuple[type[Event], ...] = (VisitPlanned, VisitReplanned, VisitAppointed, VisitUnappointed, *_KEPT)


class News(msgspec.Struct):
    """What some events say of one visit; None where they say nothing. `unappointed`: what was agreed before does not
    hold any more, whether or not there is another window. `traces` are theirs, by when it happened, and
    `trace` is that of the last."""

    visit_id: UUID
    unit_code: str
    visitors: list[str] | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    appointed_at: datetime | None = None
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    missed_at: datetime | None = None
    archived_at: datetime | None = None
    unappointed: bool = False
    trace: str | None = None
    traces: dict[datetime, str | None] = {}

    def trace_of(self, at: datetime) -> str | None:
        """The trace of what happened `at`; where that was heard before, of what brought it up now."""
        return self.traces.get(at, self.trace)


def news(messages: Iterable[Message]) -> list[News]:
    """What `messages` say of each visit, the later ones last; in the order of the visits' ids."""
    found: dict[UUID, News] = {}
    for message in messages:
        event = message.event
        assert isinstance(event, VisitPlan | VisitAppointed | VisitMoment), "the table of handlers gives no other"
        its = found.setdefault(event.visit_id, News(event.visit_id, event.unit_code))
        its.trace, its.unit_code = message.traceparent, event.unit_code
        if isinstance(event, VisitPlan):
            its.visitors = event.visitors
        elif isinstance(event, VisitAppointed):
            its.window_from, its.window_to, its.appointed_at = event.window_from, event.window_to, message.time
        elif isinstance(event, VisitUnappointed):
            its.window_from, its.window_to, its.appointed_at, its.unappointed = None, None, event.at, True
            its.traces[event.at] = message.traceparent
        else:
            setattr(its, _KEPT[type(event)], event.at)
            its.traces[event.at] = message.traceparent
    return [found[visit] for visit in sorted(found)]
