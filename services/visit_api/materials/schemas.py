"""Policy materials at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Code, Day, Id, Instant, OneOf, Text, View
from visit_api.base import New
from visit_api.standard.contents import INDUSTRIES, NEEDS, POLICIES, TRAITS

Topic = Annotated[str, OneOf(POLICIES)]
Needs = Annotated[list[Annotated[str, OneOf(NEEDS)]], Field(max_length=len(NEEDS))]
Traits = Annotated[list[Annotated[str, OneOf(TRAITS)]], Field(max_length=len(TRAITS))]
Industry = Annotated[str, OneOf(INDUSTRIES)]
Industries = Annotated[list[Industry], Field(max_length=len(INDUSTRIES))]


class NewMaterial(New):
    """An edition to be published: whom it is meant for, by need, trait of use and industry (nobody named: everybody),
    and its days, the last one included. `replaces` names an edition that it follows; `source` is the paper it rests
    on."""

    unit_code: Code
    title: Annotated[str, Text(200)]
    topic: Topic
    summary: Annotated[str, Text(4000, lines=True)]
    valid_from: Day
    valid_to: Day | None = None
    source: Annotated[str, Text(200)] | None = None
    needs: Needs = []
    traits: Traits = []
    industries: Industries = []
    replaces: Id | None = None


class Withdrawal(Body):
    """Why it is no longer to be publicised."""

    reason: Annotated[str, Text(500, lines=True)]


class MaterialView(View):
    """An edition of a policy material; from `replaced_at` on a newer one takes its place."""

    id: UUID
    unit_code: str
    series_id: UUID
    replaces: UUID | None
    version: int
    title: str
    topic: str
    summary: str
    source: str | None
    needs: list[str]
    traits: list[str]
    industries: list[str]
    valid_from: Day
    valid_to: Day | None
    state: str
    drafted_by: str
    published_at: Instant | None
    published_by: str | None
    replaced_at: Instant | None
    withdrawn_at: Instant | None
    withdrawn_by: str | None
    reason: str | None
    updated_at: Instant
