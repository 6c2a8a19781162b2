"""Handing over at the edge."""

from typing import Annotated
from uuid import UUID

from chassis.web.schemas import Code, Instant, Text, View
from visit_api.base import New


class NewHandOver(New):
    """Who takes the open work of a member of staff, and why; whoever only changes post does not leave."""

    to_staff_no: Code
    reason: Annotated[str, Text(500)]
    leaves: bool = True


class StaffHandOverView(View):
    """An act by which somebody's open work went to somebody else, and how much of it there was; and how many accounts
    on the web, and memberships of groups by them, ended because they left."""

    id: UUID
    staff_no: str
    to_staff_no: str
    unit_code: str
    reason: str
    leaves: bool
    visits: int
    obligations: int
    measures: int
    strategies: int
    accounts: int
    memberships: int
    recorded_at: Instant
    recorded_by: str
