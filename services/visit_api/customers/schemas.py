"""Customers at the edge."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from chassis.web.schemas import Code, Instant, Text, View
from visit_api.base import New
from visit_api.customers.models import Kind

Name = Annotated[str, Text(200)]
Number = Annotated[str, Text(64)]
Accounts = Annotated[list[Number], Field(max_length=1000)]
Phone = Annotated[str, Text(32)]
Importance = Annotated[str, Text(64)]


class NewCustomer(New):
    """A customer. A government or an institute may have no number, or many account numbers (户号, leading zeros
    count); `importance` is what the local government determined (§3.2)."""

    name: Name
    kind: Kind
    unit_code: Code
    customer_no: Number | None = None
    accounts: Accounts = []
    phone: Phone | None = None
    importance: Importance | None = None


@with_config(extra="forbid", strict=True)
class CustomerChange(TypedDict, total=False):
    """What of a customer is to change. Its importance is not: that is the local government's to determine (§3.2)."""

    name: Name
    kind: Kind
    unit_code: Code
    customer_no: Number | None
    accounts: Accounts
    phone: Phone | None


class CustomerView(View):
    """A customer as its unit, and those above it, see it."""

    id: UUID
    name: str
    kind: str
    unit_code: str
    customer_no: str | None
    accounts: list[str]
    phone: str | None
    importance: str | None
    version: int
    updated_at: Instant


class RemovedCustomer(View):
    """What a feed says of a customer that is gone."""

    id: UUID
    removed_at: Instant
    version: int
    updated_at: Instant


def _tag(row: Any) -> str:
    return "removed" if getattr(row, "removed_at", None) else "present"


CustomerItem = Annotated[
    Annotated[CustomerView, Tag("present")] | Annotated[RemovedCustomer, Tag("removed")], Discriminator(_tag)
]
