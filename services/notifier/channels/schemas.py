"""Accounts at the edge. Secrets come in, and never go out."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from notifier.channels.providers import PROVIDERS
from notifier.channels.secret import Secret
from notifier.templates.schemas import EventName, ProviderCode
from notifier.templates.wording import variables

ProviderName = Literal["aliyun", "tencent", "gateway", "mail", "wecom", "dingtalk", "feishu", "webhook"]
assert set(ProviderName.__args__) == set(PROVIDERS)  # type: ignore[attr-defined]
Settings = Annotated[dict[str, JsonValue], Field(max_length=20)]
Secrets = Annotated[dict[str, Annotated[str, Text(500)]], Field(max_length=5)]


class LimitBody(Body):
    """So many sends in so many seconds, of the account, of each recipient, or of each recipient and template: the code
    under which the provider has a text; what has none is of one template."""

    times: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Annotated[int, Field(ge=1, le=31 * 86_400)]
    per: Literal["account", "recipient", "template"]


class CodeBody(Body):
    """Under which code the provider has the text of an event (`*`: of any that has none of its own; `digest`: of
    several at once), and which variables are filled into it, in its order: all, where that is not said."""

    event_type: EventName
    code: ProviderCode
    params: Annotated[list[Annotated[str, Text(32)]], Field(max_length=10)] | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = variables(self.event_type)
        if missing := [name for name in self.params or () if name not in known]:
            words = {
                "missing": missing[0],
                "known": ", ".join(sorted(known)),
                "zh": "没有变量 {missing}，可用的是 {known}",
            }
            raise PydanticCustomError("variable", "There is no {missing}; there are {known}", words)
        return self


def _once(*names: str) -> AfterValidator:
    """Of a list, that no two are alike in what is called `names`."""

    def check(parts: list[Any]) -> list[Any]:
        if len({tuple(getattr(part, name) for name in names) for part in parts}) < len(parts):
            raise PydanticCustomError("repeated", "Names one twice", {"zh": "有重复项"})
        return parts

    return AfterValidator(check)


Codes = Annotated[list[CodeBody], Field(max_length=200), _once("event_type")]
# A count is called by whose it is and how long: two of these would count each message twice.
Limits = Annotated[list[LimitBody], Field(max_length=6), _once("seconds", "per")]


class NewAccount(Body):
    """What a unit, and those below it, send by. What `settings` and `secrets` hold is the provider's:
    `GET /v1/channels` names it, docs/providers.md says what it means. `callback_secret`: by which receipts are signed;
    with it, what has no receipt in the time that its route gives goes by the next channel."""

    id: Id | None = None
    provider: ProviderName
    unit_code: Code
    name: Annotated[str, Text(64)]
    settings: Settings
    secrets: Secrets
    callback_secret: Secret | None = None
    limits: Limits | None = None
    codes: Codes = []
    active: bool = True


class AccountChange(Body):
    """What is to be otherwise; `settings` and `secrets` are replaced as a whole. Whoever names another place to send to
    brings the secrets again: those of one place are not for another."""

    name: Annotated[str, Text(64)] = "-"
    settings: Settings = {}
    secrets: Secrets = {}
    callback_secret: Secret | None = None
    limits: Limits | None = None
    codes: Codes = []
    active: bool = True


class AccountView(View):
    """An account without its secrets. `receives_at`: where its provider calls with receipts; `problem`: why
    nothing can be sent by it."""

    id: UUID
    channel: str
    provider: str
    unit_code: str
    name: str
    settings: dict[str, Any]
    limits: list[Any] | None
    codes: list[Any]
    active: bool
    receives_at: str
    paused_until: Instant | None
    problem: str | None
    version: int
    added_by: str
    added_at: Instant
    updated_at: Instant


class ProviderView(View):
    """What an account of a provider holds, and what is borne where it is not given limits of its own."""

    id: str
    channel: str
    settings: list[str]
    secrets: list[str]
    bytes: int
    limits: list[dict[str, Any]]
