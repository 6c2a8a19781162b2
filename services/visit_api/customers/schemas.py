"""Customers at the edge."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from chassis.web.paging import Gone
from chassis.web.schemas import Code, Instant, Text, View
from visit_api.base import New
from visit_api.customers.models import ImportanceBy, Kind, Mark
from visit_api.customers.particulars import Particulars

Name = Annotated[str, Text(200)]
Number = Annotated[str, Text(64)]
Accounts = Annotated[list[Number], Field(max_length=1000)]
Phone = Annotated[str, Text(32)]
Address = Annotated[str, Text(500)]
Importance = Annotated[str, Text(64)]
Reason = Annotated[str, Text(200), Query(description="why what is personal has to be read")]


class NewCustomer(New):
    """A customer. A government or an institute may have no number, or many account numbers (户号, leading zeros
    count); `importance` is what whoever brings the customer says of it, until a document of the local government
    determines it (§3.2); `particulars` are those of its kind (§4.1–4.4)."""

    kept_otherwise = frozenset({"name", "phone", "address"})

    name: Name
    kind: Kind
    unit_code: Code
    customer_no: Number | None = None
    accounts: Accounts = []
    phone: Phone | None = None
    address: Address | None = None
    importance: Importance | None = None
    particulars: Particulars | None = None


def _not_by_hand(value: Any) -> Any:
    zh = "重要性由当地政府确定，只能随文件导入（§3.2）"
    said = "Importance is determined by local government and imported with its document (§3.2)"
    raise PydanticCustomError("importance_is_determined", said, {"zh": zh})


ByGovernment = Annotated[Any, BeforeValidator(_not_by_hand), WithJsonSchema({"not": {}})]


@with_config(extra="forbid", strict=True)
class CustomerChange(TypedDict, total=False):
    """What of a customer is to change. Its importance is not: that is the local government's to determine (§3.2).
    With another kind come its particulars, if the kind before had some. Its marks a supervisor changes, and `reason`
    says why."""

    name: Name
    kind: Kind
    unit_code: Code
    customer_no: Number | None
    accounts: Accounts
    phone: Phone | None
    address: Address | None
    particulars: Particulars
    marks: Annotated[list[Mark], Field(max_length=10)]
    reason: Annotated[str, Text(500, lines=True)]
    importance: ByGovernment


class CustomerView(View):
    """A customer as its unit, and those above it, see it: number and address masked, and nothing of what makes
    somebody one of a special group. `importance_by`: a `document` of the local government determined how important it
    is (§3.2), or a marketing `system` says so, or else it was `stated` by whoever made the customer. `source` is the
    marketing system that sent it, `supply` what that says of how it is supplied."""

    id: UUID
    name: str
    kind: str
    unit_code: str
    customer_no: str | None
    accounts: list[str]
    phone: str | None
    address: str | None
    importance: str | None
    importance_by: ImportanceBy | None
    particulars: dict[str, Any]
    marks: list[str]
    source: str | None
    supply: dict[str, str]
    version: int
    updated_at: Instant


class CustomerInFull(View):
    """What is personal of a customer, opened for a reason that the trail keeps."""

    id: UUID
    phone: str | None
    address: str | None
    particulars: dict[str, Any]


class RemovedCustomer(View):
    """What a feed says of a customer that is out of use."""

    id: UUID
    removed_at: Instant
    version: int
    updated_at: Instant


def _tag(row: Any) -> str:
    if isinstance(row, Gone):
        return "gone"
    return "removed" if getattr(row, "removed_at", None) else "present"


CustomerItem = Annotated[
    Annotated[CustomerView, Tag("present")] | Annotated[RemovedCustomer, Tag("removed")] | Annotated[Gone, Tag("gone")],
    Discriminator(_tag),
]
