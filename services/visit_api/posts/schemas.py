"""Policy posts at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Code, Day, Id, Instant, Text, View
from visit_api.base import New
from visit_api.posts.lifecycle import PostState


class NewPost(New):
    """A post for some groups, or for all channels where none is named; `material_id` is the policy it tells of."""

    unit_code: Code
    title: Annotated[str, Text(200)]
    text: Annotated[str, Text(10_000, lines=True)]
    material_id: Id | None = None
    group_ids: Annotated[list[Id], Field(max_length=100)] = []


class Return(Body):
    """Why it is not approved."""

    reason: Annotated[str, Text(500, lines=True)]


class PublishingView(View):
    """What a unit's groups were told in a period of policies; a post that names no group is for those of its unit and
    of the units below it."""

    unit_code: str
    published: Annotated[int, Field(description="posts that reached any of them")]
    groups: Annotated[int, Field(description="how many there are")]
    quiet: Annotated[list[UUID], Field(description="the groups that no post reached")]


class PublishingList(View):
    """The same of each unit that has groups, from the first day to the last."""

    first_day: Day
    last_day: Day
    items: list[PublishingView]


class PostView(View):
    """A post, and who wrote, submitted, approved or returned, and published it."""

    id: UUID
    unit_code: str
    title: str
    text: str
    material_id: UUID | None
    group_ids: list[UUID]
    state: PostState
    drafted_by: str
    submitted_by: str | None
    submitted_at: Instant | None
    decided_by: str | None
    decided_at: Instant | None
    reason: str | None
    published_by: str | None
    published_at: Instant | None
    updated_at: Instant
