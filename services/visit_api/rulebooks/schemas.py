"""Rulebooks at the edge."""

from typing import Any
from uuid import UUID

from chassis.web.schemas import Instant, View


class EditionView(View):
    """One edition of what a unit decided."""

    id: UUID
    unit_code: str
    subject: str
    edition: int
    content: dict[str, Any]
    set_by: str
    updated_at: Instant
