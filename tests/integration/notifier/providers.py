"""Every channel beside a provider that can be told to misbehave, each in the form in which its adapter speaks to it."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.clock import RealClock
from chassis.db import Database
from deploy.local.demo.provider import Provider, Taken
from notifier.channels import aliyun, gateway, mail, robots, tencent, webhook
from notifier.channels.mailbox import Mailbox
from notifier.channels.networks import Policy
from notifier.channels.outward import Outward

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


class Fake(Protocol):
    """What the suite asks of a provider, whatever it speaks."""

    faults: Callable[[Any], str]
    taken: list[Taken]


@dataclass
class Setting:
    """A channel, its provider, and what is peculiar to it."""

    name: str
    channel: Any
    provider: Fake
    asked: bool = False  # it can be asked at once what became of a letter
    status_is_enough: bool = False  # a 2xx is a yes, whatever follows it


def _http(provider: Provider, outward: Outward) -> dict[str, Setting]:
    url = provider.url
    sms = gateway.Settings(
        url=f"{url}/sms",
        fields={"id": "$id", "phone": "$phone", "text": "$text"},
        headers={"X-Key": "$secret"},
        ok_field="code",
        ok_value="0",
        reference_field="ref",
        once=True,
        find_url=f"{url}/sms/$id",
    )
    clouds = {
        "aliyun": aliyun.Aliyun(
            aliyun.Settings(access_key_id="id", sign_name="签名", template="SMS_1", endpoint=url),
            aliyun.Secrets(access_key_secret="secret"),
            outward,
        ),
        "tencent": tencent.Tencent(
            tencent.Settings(secret_id="id", app_id="1400", sign_name="签名", template="1", endpoint=url),
            tencent.Secrets(secret_key="secret"),
            outward,
        ),
    }
    groups = {
        "wecom": robots.WeCom(robots.WeComSettings(f"{url}/wecom"), robots.WeComSecrets("key"), outward),
        "dingtalk": robots.DingTalk(
            robots.DingTalkSettings(f"{url}/dingtalk"), robots.DingTalkSecrets("token", "SEC"), outward
        ),
        "feishu": robots.Feishu(robots.FeishuSettings(f"{url}/feishu"), robots.FeishuSecrets("token", "SEC"), outward),
    }
    hook = webhook.Webhook(webhook.Settings(f"{url}/hook"), webhook.Secrets(SECRET), outward)
    return {
        "gateway": Setting("gateway", gateway.Gateway(sms, gateway.Secrets("s"), outward), provider, asked=True),
        "webhook": Setting("webhook", hook, provider, status_is_enough=True),
        **{name: Setting(name, each, provider, asked=True) for name, each in clouds.items()},
        **{name: Setting(name, each, provider) for name, each in groups.items()},
    }


HTTP = ("gateway", "aliyun", "tencent", "wecom", "dingtalk", "feishu", "webhook")
NEEDING_AN_ADDRESS = ("gateway", "aliyun", "tencent", "mail")


@asynccontextmanager
async def setting(name: str, db: Database) -> AsyncIterator[Setting]:
    """The channel `name` and its provider."""
    outward = Outward(Policy(local=True))
    if name == "mailbox":
        yield Setting(name, Mailbox(db, RealClock()), Ledger(db), asked=True)
    elif name == "mail":
        async with MailServer() as server:
            settings = mail.Settings("127.0.0.1", "notice@example.com", server.port, "none")
            yield Setting(name, mail.Mail(settings, mail.Secrets(), outward), server)
    else:
        async with Provider() as provider:
            its = _http(provider, outward)[name]
            its.channel.patience = 30.0  # however busy the machine is; a test that waits for its end has less
            try:
                yield its
            finally:
                await outward.close()


class Ledger:
    """The mailbox keeps its ledger in our database."""

    def __init__(self, db: Database) -> None:
        self.db, self.taken = db, list[Taken]()
        self.faults: Callable[[Any], str] = lambda request: "ok"


class MailServer:
    """An SMTP server; its faults are those of a provider, as SMTP says them."""

    def __init__(self, security: str = "none", context: ssl.SSLContext | None = None) -> None:
        self.security, self.context = security, context
        self.faults: Callable[[Any], str] = lambda request: "ok"
        self.taken: list[Taken] = []
        self.messages: list[Any] = []

    async def __aenter__(self) -> "MailServer":
        loop = asyncio.get_running_loop()
        upgraded = self.context if self.security == "starttls" else None
        self._server = await loop.create_server(
            lambda: SMTP(self, loop=loop, tls_context=upgraded, require_starttls=upgraded is not None),
            "127.0.0.1",
            0,
            ssl=self.context if self.security == "tls" else None,
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def handle_RCPT(  # noqa: N802 - so it is called there
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        match self.faults(None):
            case "429":
                return "451 4.7.1 slow down"
            case "410":
                return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self.faults(None)
        message = message_from_bytes(bytes(envelope.content or b""))
        if fault in ("ok", "drop"):
            key = str(message["Message-ID"])[1:].partition("@")[0]
            payload = message.get_payload(decode=True)
            self.taken.append(Taken("mail", key, payload.decode() if isinstance(payload, bytes) else ""))
            self.messages.append(message)
        if fault in ("drop", "lost"):
            server.transport.abort()
        return "554 5.0.0 no" if fault == "500" else "250 OK"
