"""The directory at the edge."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, with_config
from typing_extensions import TypedDict

from chassis.web.schemas import Code, Instant, Text, View
from visit_api.base import New

Name = Annotated[str, Text(100)]
Phone = Annotated[str, Text(32)]
Post = Annotated[str, Text(64)]
_SIGNS = r"[^@\s\x00-\x1f\x7f-\x9f]+"
Email = Annotated[str, StringConstraints(strict=True, max_length=254, pattern=f"^{_SIGNS}@{_SIGNS}$")]
Role = Literal["visitor", "handler", "callback", "supervisor", "admin", "integration", "auditor"]
Roles = Annotated[list[Role], Field(max_length=7)]


class NewUnit(New):
    """A unit; without `parent_code` it stands at the top."""

    code: Code
    name: Name
    parent_code: Code | None = None


@with_config(extra="forbid", strict=True)
class UnitChange(TypedDict, total=False):
    """What of a unit is to change; `parent_code: null` puts it at the top."""

    name: Name
    parent_code: Code | None


class UnitView(View):
    """A unit as its own people, and those above it, see it; one that was `merged_into` another is closed."""

    id: UUID
    code: str
    name: str
    parent_code: str | None
    merged_into: str | None
    version: int
    updated_at: Instant


class NewStaff(New):
    """A member of staff; `post` is the one they hold in the company, as a service record names it (004 §3.4)."""

    kept_otherwise = frozenset({"phone", "email"})

    staff_no: Code
    name: Name
    unit_code: Code
    roles: Roles
    phone: Phone | None = None
    email: Email | None = None
    post: Post | None = None


@with_config(extra="forbid", strict=True)
class StaffChange(TypedDict, total=False):
    """What of a member of staff is to change; whoever left is `active: false`, and never removed."""

    name: Name
    unit_code: Code
    roles: Roles
    phone: Phone | None
    email: Email | None
    post: Post | None
    active: bool


class StaffView(View):
    """A member of staff as their own unit, and those above it, see them."""

    id: UUID
    staff_no: str
    name: str
    unit_code: str
    roles: list[str]
    phone: str | None
    email: str | None
    post: str | None
    active: bool
    version: int
    updated_at: Instant


class Contact(View):
    """Where to reach a member of staff; asked by services at the moment of sending, and not kept by them."""

    staff_no: str
    name: str
    phone: str | None
    email: str | None
    active: bool
