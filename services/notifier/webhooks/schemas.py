"""Webhooks at the edge. A secret is brought by whoever listens, and never shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from notifier.channels.secret import Secret
from notifier.webhooks.envelope import EVERYTHING, TYPES

MessageState = Literal["queued", "sending", "delivered", "dead", "skipped"]
Again = Literal["delivered", "dead", "skipped"]


def _type(name: str) -> str:
    if name not in TYPES and name != EVERYTHING:
        raise PydanticCustomError("event_type", "There is no such type of event", {"zh": "没有这个事件类型"})
    return name


def _types(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("repeated", "Names a type twice", {"zh": "类型重复"})
    return names


EventType = Annotated[
    str, Field(strict=True), AfterValidator(_type), WithJsonSchema({"type": "string", "enum": [EVERYTHING, *TYPES]})
]
EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=len(TYPES), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_types),
]
Url = Annotated[str, Text(2000)]


class NewEndpoint(Body):
    """Where somebody listens: to which events (`*`: all), of which unit and those below it. `ordered`: one at a time,
    in the order in which they were heard; one that does not arrive holds up those after it."""

    id: Id | None = None
    unit_code: Code
    url: Url
    event_types: EventTypes
    secret: Secret
    ordered: bool = False
    description: Annotated[str, Text(200)] | None = None


class EndpointChange(Body):
    """What is to be otherwise; `active` again after it was disabled, or not. With another `url` comes a `secret`: that
    of one place is not for another."""

    url: Url = ""
    secret: Secret | None = None
    event_types: EventTypes = []
    ordered: bool = False
    description: Annotated[str, Text(200)] | None = None
    active: bool = True


class Rotation(Body):
    """A new secret; for some hours messages are signed by the old one too."""

    secret: Secret
    both_for_hours: Annotated[int, Field(ge=0, le=720)] = 24


class Span(Body):
    """Messages heard in a time, from `since` on and before `until`, that are in one of `states`."""

    since: Instant
    until: Instant
    states: Annotated[list[Again], Field(min_length=1, max_length=3)] = ["dead", "skipped"]
    dry_run: bool = False


class EndpointView(View):
    """Where somebody listens. `failing_since`: nothing has arrived there since; `old_secret_until`: signed twice."""

    id: UUID
    unit_code: str
    url: str
    description: str | None
    event_types: list[str]
    ordered: bool
    state: str
    why: str | None
    old_secret_until: Instant | None
    failing_since: Instant | None
    added_by: str
    added_at: Instant
    updated_at: Instant


class MessageItem(View):
    """An event for one endpoint; `id` is the `webhook-id`."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    state: str
    attempts: int
    due_at: Instant
    heard_at: Instant
    error: str | None
    updated_at: Instant


class AttemptView(View):
    """A request and its answer: both heads, and how an answer began."""

    at: Instant
    milliseconds: int
    status: int | None
    error: str | None
    request_head: str
    response_head: str | None
    response_body: str | None


class MessageView(MessageItem):
    """The same with what is sent, and every attempt."""

    payload: str
    log: list[AttemptView]


class Replayed(View):
    """How many messages are sent again, or would be."""

    count: int
