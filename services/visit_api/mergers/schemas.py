"""Mergers at the edge."""

from typing import Annotated
from uuid import UUID

from chassis.web.schemas import Code, Instant, Text, View
from visit_api.base import New


class NewUnitMerger(New):
    """Which unit another merges into, and why."""

    kept_otherwise = frozenset({"into"})

    into: Code
    reason: Annotated[str, Text(500)]


class UnitMergerView(View):
    """A unit that merged into another; `done_at`: since when all that it had open is the other's."""

    id: UUID
    unit_code: str
    into_code: str
    reason: str
    recorded_at: Instant
    recorded_by: str
    done_at: Instant | None
