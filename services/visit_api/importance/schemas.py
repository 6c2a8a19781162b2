"""Importance at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Day, Id, Instant, Text, View
from visit_api.base import New
from visit_api.customers.schemas import Number
from visit_api.importance.models import Level

Name = Annotated[str, Text(200)]


class Determined(Body):
    """What the document says of one customer, named by id or by number."""

    customer_id: Id | None = None
    customer_no: Number | None = None
    level: Level


class NewDocument(New):
    """A document by which a local government determined who is important (§3.2), and all that is taken from it."""

    government_body: Name
    document_no: Name
    determined_on: Day
    items: Annotated[list[Determined], Field(min_length=1, max_length=500)]


class DeterminationView(View):
    """That a customer was determined to be important, by whom, where it is written, and who brought it here."""

    id: UUID
    document_id: UUID
    customer_id: UUID
    level: str
    government_body: str
    document_no: str
    determined_on: Day
    imported_by: str
    recorded_at: Instant


class DocumentView(View):
    """A document as it was imported, with what it says of customers that the caller sees."""

    id: UUID
    unit_code: str
    government_body: str
    document_no: str
    determined_on: Day
    imported_by: str
    recorded_at: Instant
    items: list[DeterminationView]
