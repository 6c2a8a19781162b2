"""Groups, duties and substitutes at the edge."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Code, Instant, Text, View

LONGEST = timedelta(days=366)
Role = Literal["supervisor", "callback", "handler", "visitor"]


def _once(names: list[str]) -> list[str]:
    if len({*names}) < len(names):
        raise PydanticCustomError("repeated", "Names one twice", {"zh": "有重复项"})
    return names


class GroupBody(Body):
    """People by a name of their own, in the order in which they are told."""

    name: Annotated[str, Text(100)]
    members: Annotated[list[Code], Field(min_length=1, max_length=200), AfterValidator(_once)]
    active: bool = True


class NewGroup(GroupBody):
    """A group of a unit."""

    unit_code: Code


class GroupView(View):
    """A group as it is."""

    id: UUID
    unit_code: str
    name: str
    members: list[str]
    active: bool
    revision: int
    changed_by: str
    updated_at: Instant


class _Dated(Body):
    starts_at: Instant
    ends_at: Instant
    active: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not timedelta() < self.ends_at - self.starts_at <= LONGEST:
            words = "It ends after it starts, within 366 days"
            raise PydanticCustomError("period", words, {"zh": "结束须晚于开始，且不超过 366 天"})
        return self


class DutyBody(_Dated):
    """Somebody's turn of duty; where several overlap, those of the lower `rank` come first."""

    staff_no: Code
    rank: Annotated[int, Field(ge=1, le=100)] = 1


class NewDuty(DutyBody):
    """A turn of duty in a unit, in a role: while somebody is on duty, they are told what its holders are told."""

    unit_code: Code
    role: Role


class DutyView(View):
    """A turn of duty as it is."""

    id: UUID
    unit_code: str
    role: str
    staff_no: str
    rank: int
    starts_at: Instant
    ends_at: Instant
    active: bool
    revision: int
    changed_by: str
    updated_at: Instant


class SubstituteBody(_Dated):
    """Who stands in for somebody who is away."""

    substitute: Code


class NewSubstitute(SubstituteBody):
    """Somebody is away: what they are told goes to who stands in for them."""

    staff_no: Code


class SubstituteView(View):
    """An absence as it is."""

    id: UUID
    unit_code: str
    staff_no: str
    substitute: str
    starts_at: Instant
    ends_at: Instant
    active: bool
    revision: int
    changed_by: str
    updated_at: Instant
