"""The trail as its readers see it."""

from uuid import UUID

from chassis.web.schemas import Instant, View


class TrailLineView(View):
    """Who did what with which thing of which unit, when and why."""

    id: UUID
    at: Instant
    by: str
    unit_code: str | None
    act: str
    thing: str
    thing_id: str
    reason: str | None
