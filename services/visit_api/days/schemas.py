"""A visitor's day at the edge; short, for it travels over bad lines."""

from datetime import date
from uuid import UUID

from chassis.web.schemas import Instant, View


class WhomView(View):
    """Whom a visit is to; the number is masked."""

    id: UUID
    name: str
    kind: str
    phone: str | None


class WantingView(View):
    """Something that a clause asks for before a visit, and that is not there."""

    clause: str
    what: str


class DayVisitView(View):
    """A visit as its visitor sees it in the morning: `place` is where it was agreed to meet, `wanting` what a clause
    asks for before it and is not there, `may_start` whether it can start without."""

    id: UUID
    customer: WhomView
    channel: str
    direction: str
    form: str
    state: str
    scheduled_at: Instant
    window_from: Instant | None
    window_to: Instant | None
    place: str | None
    visitor_ids: list[str]
    arrived_at: Instant | None
    started_at: Instant | None
    completed_at: Instant | None
    wanting: list[WantingView]
    may_start: bool
    version: int


class OwedView(View):
    """What you owe after a customer's call; null where nobody knows who called."""

    id: UUID
    customer_id: UUID | None
    kind: str
    clause: str
    called_at: Instant
    owed_from: Instant | None


class MyVisitsView(View):
    """What you have to do on a day: its visits in their order, those of days before that are not over (the 100
    earliest; `left_over` counts all), and the calls that you are still to return."""

    day: date
    visitor: str
    visits: list[DayVisitView]
    left: list[DayVisitView]
    left_over: int
    owed: list[OwedView]
