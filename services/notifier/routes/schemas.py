"""Routes at the edge."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Instant, View
from notifier.names import ChannelName


def _no_repetition(names: list[ChannelName]) -> list[ChannelName]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("repeated", "Names a channel twice", {"zh": "渠道重复"})
    return names


class RouteBody(Body):
    """A route as an admin wants it. One that tells nobody is refused: silence is never configured."""

    channels: Annotated[list[ChannelName], Field(min_length=1, max_length=8), AfterValidator(_no_repetition)]


class RouteView(View):
    """A route as it is."""

    id: str
    event_type: str
    audience: str
    channels: list[str]
    version: int
    changed_by: str | None
    updated_at: Instant
