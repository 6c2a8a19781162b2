"""Progress at the edge."""

from uuid import UUID

from chassis.web.schemas import Day, View


class Counts(View):
    """How many visits a plan wants; how many of them were made, were not made in their days, or may still be made."""

    planned: int
    made: int
    missed: int
    open: int


class Line(Counts):
    """The same of customers of one kind, by one channel."""

    kind: str
    channel: str


class ProgressView(View):
    """How far a plan has come by a day."""

    plan_id: UUID
    unit_code: str
    period: str
    as_of: Day
    total: Counts
    lines: list[Line]
