"""Suggestions at the edge."""

from typing import Annotated
from uuid import UUID

from chassis.web.schemas import Body, Instant, Text, View

Note = Annotated[str, Text(500, lines=True)]


class Confirmation(Body):
    """That the customer is one at risk."""

    note: Note | None = None


class Dismissal(Body):
    """That it is not, and why."""

    reason: Note


class RiskReasonView(View):
    """A sign, how often it was there and from how often on it counts, and the appeals it was counted from."""

    signal: str
    count: int
    threshold: int
    window_days: int
    appeals: list[UUID]


class SuggestionView(View):
    """That a customer may be one at risk, why, and what a person decided."""

    id: UUID
    customer_id: UUID
    state: str
    reasons: list[RiskReasonView]
    suggested_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    note: str | None
    updated_at: Instant
