"""Online service at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, with_config
from typing_extensions import TypedDict

from chassis.web.schemas import Body, Code, Day, Id, Instant, Text, View
from visit_api.base import New
from visit_api.online.models import GroupKind, Platform

Handle = Annotated[str, Text(128)]
Post = Annotated[str, Text(64)]
Name = Annotated[str, Text(128)]
Customers = Annotated[list[Id], Field(max_length=200)]
Words = Annotated[str, Text(2000, lines=True)]


class NewAccount(New):
    """An account to be registered for a member of staff, with the post that the name card shows."""

    staff_no: Annotated[str, Text(64)]
    platform: Platform
    handle: Handle
    post: Post


@with_config(extra="forbid", strict=True)
class AccountChange(TypedDict, total=False):
    """What of an account is to change; one that is not `active` serves nobody any more. Another handle is another
    account."""

    post: Post
    active: bool


class AccountView(View):
    """A registered account; `name` and what it is made of are its card, the same wherever it is shown."""

    id: UUID
    unit_code: str
    staff_no: str
    platform: str
    handle: str
    post: str
    name: str
    active: bool
    version: int
    updated_at: Instant


class NewGroup(New):
    """A group, and whose it is; `direct` is the line to one customer, important enough to have one (§6.3.2.2)."""

    unit_code: Code
    platform: Platform
    name: Name
    kind: GroupKind = "group"
    customer_ids: Customers = []


@with_config(extra="forbid", strict=True)
class GroupChange(TypedDict, total=False):
    """What of a group is to change."""

    name: Name
    customer_ids: Customers


class GroupView(View):
    """A group and the customers in it."""

    id: UUID
    unit_code: str
    platform: str
    kind: str
    name: str
    customer_ids: list[UUID]
    version: int
    updated_at: Instant


class Joining(Body):
    """Which account joined, when, and whether they introduced themselves; that may be said later, by joining again."""

    account_id: Id
    at: Instant | None = None
    introduced: bool = False


class Leaving(Body):
    """Which account left, and when."""

    account_id: Id
    at: Instant | None = None


class MembershipView(View):
    """An account's time in a group."""

    id: UUID
    group_id: UUID
    account_id: UUID
    joined_at: Instant
    introduced_at: Instant | None
    left_at: Instant | None
    updated_at: Instant


class NewInquiry(New):
    """What a customer asked in a group, and when; `visit_id` where it was on a visit."""

    question: Words
    received_at: Instant
    customer_id: Id | None = None
    visit_id: Id | None = None


class Reply(Body):
    """What was answered, and when; now, where nothing is said."""

    answer: Words
    at: Instant | None = None


class InquiryView(View):
    """A question in a group, and its answer."""

    id: UUID
    group_id: UUID
    unit_code: str
    customer_id: UUID | None
    visit_id: UUID | None
    question: str
    received_at: Instant
    recorded_at: Instant
    recorded_by: str
    answer: str | None
    answered_at: Instant | None
    answered_by: str | None
    updated_at: Instant


class FiguresView(View):
    """How a unit served customers online in a period, by the days in China on which they asked."""

    unit_code: str
    received: Annotated[int, Field(description="what was asked in groups")]
    answered: int
    median_seconds: Annotated[float | None, Field(description="from the question to its answer")]
    p90_seconds: float | None
    longest_open_seconds: Annotated[float | None, Field(description="how long the oldest open question has waited")]


class FiguresList(View):
    """The figures of each unit in which anything was asked from the first day to the last."""

    first_day: Day
    last_day: Day
    items: list[FiguresView]
