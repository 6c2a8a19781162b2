"""Accounts at the edge. Secrets come in, and never go out."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from notifier.channels.providers import PROVIDERS
from notifier.channels.secret import Secret

ProviderName = Literal["aliyun", "tencent", "gateway", "mail", "wecom", "dingtalk", "feishu", "webhook"]
assert set(ProviderName.__args__) == set(PROVIDERS)  # type: ignore[attr-defined]
Settings = Annotated[dict[str, JsonValue], Field(max_length=20)]
Secrets = Annotated[dict[str, Annotated[str, Text(500)]], Field(max_length=5)]


class LimitBody(Body):
    """So many sends in so many seconds, of the account or of each recipient."""

    times: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Annotated[int, Field(ge=1, le=31 * 86_400)]
    per: Literal["account", "recipient"]


Limits = Annotated[list[LimitBody], Field(max_length=6)]


class NewAccount(Body):
    """What a unit, and those below it, send by. What `settings` and `secrets` hold is the provider's:
    `GET /v1/channels` names it. `callback_secret`: by which receipts are signed."""

    id: Id | None = None
    provider: ProviderName
    unit_code: Code
    name: Annotated[str, Text(64)]
    settings: Settings
    secrets: Secrets
    callback_secret: Secret | None = None
    limits: Limits | None = None
    active: bool = True


class AccountChange(Body):
    """What is to be otherwise; `settings` and `secrets` are replaced as a whole. Whoever names another place to send to
    brings the secrets again: those of one place are not for another."""

    name: Annotated[str, Text(64)] = "-"
    settings: Settings = {}
    secrets: Secrets = {}
    callback_secret: Secret | None = None
    limits: Limits | None = None
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
