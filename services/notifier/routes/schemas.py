"""Routes at the edge."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from notifier.directory.audience import AUDIENCES
from notifier.names import ChannelName
from notifier.routes.events import TELLABLE

EventType = Literal[TELLABLE]  # type: ignore[valid-type]
Passes = Literal["always", "on_duty"]
Step = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9A-Za-z.+\-]{1,16}$")]
Round = Annotated[int, Field(ge=1, le=1000)]


def _no_repetition(names: list[Any]) -> list[Any]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("repeated", "Names one twice", {"zh": "有重复项"})
    return names


def _audience(name: str) -> str:
    if name not in AUDIENCES and not name.startswith("group:"):
        known = {"known": ", ".join(AUDIENCES), "zh": f"应为 {'、'.join(AUDIENCES)} 或 group:<编号>"}
        raise PydanticCustomError("audience", "Not an audience; it is one of {known}, or group:<id>", known)
    return name


Channels = Annotated[list[ChannelName], Field(min_length=1, max_length=8), AfterValidator(_no_repetition)]
Others = Annotated[list[ChannelName], Field(max_length=8), AfterValidator(_no_repetition)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=100), AfterValidator(_no_repetition)]
Steps = Annotated[list[Step], Field(min_length=1, max_length=100), AfterValidator(_no_repetition)]
Audience = Annotated[Code, AfterValidator(_audience)]


class ConditionBody(Body):
    """When a route counts: all that is given must hold, and of each list one."""

    units: Codes | None = None
    appeal_types: Codes | None = None
    milestones: Codes | None = None
    steps: Steps | None = None
    policies: Codes | None = None
    sources: Codes | None = None
    late: bool | None = None
    from_round: Round | None = None


class RouteBody(Body):
    """By which channels people are told: all of `channels` at once; those of `fallback` in turn, where nothing arrived
    in `fallback_after` seconds: it failed, nobody knows, or the account has receipts and none came. One that tells
    nobody is refused: silence is never configured. Whoever lets messages pass quiet hours says the reason."""

    channels: Channels
    condition: ConditionBody = ConditionBody()
    fallback: Others = []
    fallback_after: Annotated[int, Field(ge=0, le=86_400)] = 600
    passes: Passes | None = None
    reason: Annotated[str, Text(200)] | None = None
    working_days: bool = False
    active: bool = True

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if {*self.channels} & {*self.fallback}:
            raise PydanticCustomError("repeated", "A channel is its own fallback", {"zh": "备用渠道与首选渠道重复"})
        if (self.passes is None) != (self.reason is None):
            raise PydanticCustomError(
                "reason",
                "Passing quiet hours and its reason go together",
                {"zh": "越过免打扰时段须说明理由，且仅此时填写理由"},
            )
        return self


class NewRoute(RouteBody):
    """A route of a unit, for itself and those below it; a common one where no unit is named."""

    unit_code: Code | None = None
    event_type: EventType
    audience: Audience


class RouteView(View):
    """A route as it is."""

    id: str
    unit_code: str | None
    event_type: str
    audience: str
    condition: dict[str, Any]
    channels: list[str]
    fallback: list[str]
    fallback_after: int
    passes: str | None
    reason: str | None
    working_days: bool
    active: bool
    version: int
    changed_by: str | None
    updated_at: Instant


class RouteVersionView(View):
    """A route as it was from `at` on."""

    version: int
    body: dict[str, Any]
    by: str | None
    at: Instant


class Imagined(Body):
    """An event that might be, to ask who would be told of it. A ladder names its audience (where none is given here,
    any that it may); of other events the routes do."""

    event_type: EventType
    unit_code: Code
    handling_unit_code: Code | None = None
    audience: Annotated[list[Audience], Field(max_length=8)] | None = None
    appeal_type: Code | None = None
    milestone: Code | None = None
    step: Step | None = None
    policy: Code | None = None
    source: Code | None = None
    late: bool = False
    round: Round = 1
    owner: Code | None = None
    first_contact: Code | None = None
    person: Annotated[Code | None, Field(description="who is to call the customer back")] = None
    asked_unit_code: Annotated[
        Code | None, Field(description="whose people are asked, where not those of the handling unit")
    ] = None
    by: Annotated[Code | None, Field(description="whose act it is")] = None
    customer_id: Id | None = None
    confidential: bool = False
    anonymous: bool = False


class ToldView(View):
    """Who would be told, by which channel, when, and why: them (`because`), this way (`route`), then (`why`). Who
    is in several `audiences` is told once, as of the first."""

    recipient: str
    recipient_kind: str
    audience: str
    audiences: list[str]
    audience_unit: str | None
    because: str
    channel: str
    fallback: list[str]
    route: str | None
    not_before: Instant
    why: str | None


class NotToldView(View):
    """Who is meant, and would not be told, because of `why`: it is their own act, or nobody may know who they are."""

    recipient: str | None
    recipient_kind: str
    audiences: list[str]
    channel: str
    why: str


class PreviewView(View):
    """Who would be told, were it said now, and who would not; `nobody` names every audience for which there would be
    nobody: an alert."""

    told: list[ToldView]
    not_told: list[NotToldView]
    nobody: list[str]
