"""Every provider there is: of which channel, from which settings and secrets its adapter is made, and what its
callbacks say."""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from uuid import UUID

import msgspec

from notifier.channels import aliyun, gateway, mail, robots, tencent, webhook
from notifier.channels.limits import Bounds, shipped
from notifier.channels.outward import Outward
from notifier.channels.port import Adapter, Reach
from notifier.names import ChannelName

MAILBOX = "mailbox"


class Report(msgspec.Struct, frozen=True):
    """What a provider says later of something it took: by our id or by its own reference."""

    delivered: bool
    send_id: UUID | None = None
    reference: str | None = None
    reason: str | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider. `calls`: it speaks to a group, says there at once what is for several of it, and calls on them in
    this form; `read`: how its callbacks are read, `thanks`: what it wants to hear then; `coded`: it says texts that it
    has a code for, or goes into that of the account's settings."""

    channel: str
    settings: type[msgspec.Struct]
    secrets: type[msgspec.Struct]
    adapter: Callable[[Any, Any, Outward], Adapter]
    reaches: Reach | None = None
    calls: str = ""  # with `{}` for the person's name there
    coded: bool = False
    read: Callable[[Any], list[Report]]
    thanks: Mapping[str, Any] = {}

    def make(self, settings: Any, secrets: Any, outward: Outward) -> Adapter:
        """The adapter of an account. Raises `msgspec.ValidationError`."""
        return self.adapter(msgspec.convert(settings, self.settings), msgspec.convert(secrets, self.secrets), outward)


class _Own(msgspec.Struct, frozen=True):
    """A callback in our own words: what a gateway without a form of its own is set up to say."""

    state: Literal["delivered", "failed"]
    id: UUID | None = None
    reference: str | None = None
    reason: str | None = None


class _Aliyun(msgspec.Struct, frozen=True):
    success: bool
    biz_id: str
    out_id: str = ""
    err_code: str = ""


class _Tencent(msgspec.Struct, frozen=True):
    report_status: str
    sid: str
    description: str = ""


def _own(said: Any) -> list[Report]:
    reports = msgspec.convert(said if isinstance(said, list) else [said], list[_Own])
    return [Report(each.state == "delivered", each.id, each.reference, each.reason) for each in reports]


def _of_aliyun(said: Any) -> list[Report]:
    return [
        Report(each.success, _uuid(each.out_id), each.biz_id, each.err_code or None)
        for each in msgspec.convert(said, list[_Aliyun])
    ]


def _of_tencent(said: Any) -> list[Report]:
    return [
        Report(each.report_status == "SUCCESS", None, each.sid, each.description or None)
        for each in msgspec.convert(said, list[_Tencent])
    ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


PROVIDERS: Mapping[str, Provider] = {
    "aliyun": Provider(
        channel="sms",
        settings=aliyun.Settings,
        secrets=aliyun.Secrets,
        adapter=aliyun.Aliyun,
        reaches="phone",
        coded=True,
        read=_of_aliyun,
        thanks={"code": 0, "msg": "接收成功"},
    ),
    "tencent": Provider(
        channel="sms",
        settings=tencent.Settings,
        secrets=tencent.Secrets,
        adapter=tencent.Tencent,
        reaches="phone",
        coded=True,
        read=_of_tencent,
        thanks={"result": 0, "errmsg": "OK"},
    ),
    "gateway": Provider(
        channel="sms",
        settings=gateway.Settings,
        secrets=gateway.Secrets,
        adapter=gateway.Gateway,
        reaches="phone",
        read=_own,
    ),
    "mail": Provider(
        channel="email", settings=mail.Settings, secrets=mail.Secrets, adapter=mail.Mail, reaches="email", read=_own
    ),
    "wecom": Provider(
        channel="wecom",
        settings=robots.WeComSettings,
        secrets=robots.WeComSecrets,
        adapter=robots.WeCom,
        calls="<@{}>",
        read=_own,
    ),
    "dingtalk": Provider(
        channel="dingtalk",
        settings=robots.DingTalkSettings,
        secrets=robots.DingTalkSecrets,
        adapter=robots.DingTalk,
        calls="@{}",
        read=_own,
    ),
    "feishu": Provider(
        channel="feishu",
        settings=robots.FeishuSettings,
        secrets=robots.FeishuSecrets,
        adapter=robots.Feishu,
        calls="@{}",
        read=_own,
    ),
    "webhook": Provider(
        channel="webhook", settings=webhook.Settings, secrets=webhook.Secrets, adapter=webhook.Webhook, read=_own
    ),
}
BY_ACCOUNT: tuple[ChannelName, ...] = ("sms", "email", "wecom", "dingtalk", "feishu", "webhook")


def bounds(provider: str) -> Bounds:
    """What a provider bears, as shipped."""
    return shipped()[provider]


def reach(channel: str) -> Reach | None:
    """What the providers of a channel must know of a recipient."""
    return next(its.reaches for its in PROVIDERS.values() if its.channel == channel)
