"""Robots in group chats: WeCom, DingTalk, Feishu. They say one text to the group, naming whom it is for; none takes an
idempotency key, and none can be asked.
"""

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from chassis.clock import RealClock
from notifier.channels.outward import Outward
from notifier.channels.port import Adapter, Ambiguous, Letter, Receipt, Refused
from notifier.channels.signing import dingtalk, feishu


class WeComSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"


class WeComSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str


class DingTalkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str = "https://oapi.dingtalk.com/robot/send"


class DingTalkSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access_token: str
    secret: str


class FeishuSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str = "https://open.feishu.cn/open-apis/bot/v2/hook"


class FeishuSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    secret: str


class _Robot(Adapter):
    """What robots have in common: JSON there, and an answer that says by a number whether it was said."""

    patience = 4.0  # seconds
    code_fields: tuple[str, ...]
    too_often: dict[int, float]  # codes of flow control, and for how many seconds it lasts
    unclear: frozenset[int]

    def __init__(self, outward: Outward) -> None:
        self._outward = outward

    async def _say(self, letter: Letter, url: str, content: dict[str, Any]) -> Receipt:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        body = msgspec.json.encode(content)
        answer = await self._outward.request("POST", url, headers, body, within=self.patience)
        answer.settle()
        said = answer.json()
        code = next((said[name] for name in self.code_fields if name in said), None) if isinstance(said, dict) else None
        if code == 0:
            return Receipt(str(letter.send_id))
        if not isinstance(code, int) or code in self.unclear:
            raise Ambiguous(f"code {code}" if isinstance(code, int) else "the answer cannot be read")
        if code in self.too_often:
            raise Refused(f"code {code}", retry_after=self.too_often[code], all_wait=True)
        raise Refused(f"code {code}", permanent=True)


class WeCom(_Robot):
    """Takes a text of half the bytes that it takes of markdown; what is short is a text, which is shown everywhere."""

    longest_text = 2048  # bytes
    code_fields, too_often, unclear = ("errcode",), {45009: 60.0, 45033: 5.0}, frozenset({-1})

    def __init__(self, settings: WeComSettings, secrets: WeComSecrets, outward: Outward) -> None:
        super().__init__(outward)
        self._url = f"{settings.endpoint}?key={quote(secrets.key, safe='')}"

    async def send(self, letter: Letter) -> Receipt:
        kind = "text" if len(letter.text.encode()) <= self.longest_text else "markdown"
        return await self._say(letter, self._url, {"msgtype": kind, kind: {"content": letter.text}})


class DingTalk(_Robot):
    # Too many in a minute, and the robot is silent for ten.
    code_fields, too_often, unclear = ("errcode",), {130101: 600.0, 410100: 600.0, 90018: 600.0}, frozenset({-1})

    def __init__(self, settings: DingTalkSettings, secrets: DingTalkSecrets, outward: Outward) -> None:
        super().__init__(outward)
        self._endpoint, self._secrets = settings.endpoint, secrets

    async def send(self, letter: Letter) -> Receipt:
        stamp, sign = dingtalk(self._secrets.secret, RealClock().now())
        query = urlencode({"access_token": self._secrets.access_token, "timestamp": stamp, "sign": sign})
        content = {
            "msgtype": "text",
            "text": {"content": letter.text},
            "at": {"atUserIds": letter.recipient.split(",")},
        }
        return await self._say(letter, f"{self._endpoint}?{query}", content)


class Feishu(_Robot):
    code_fields, too_often = ("code", "StatusCode"), {9499: 5.0, 11232: 5.0}
    unclear = frozenset({11100})

    def __init__(self, settings: FeishuSettings, secrets: FeishuSecrets, outward: Outward) -> None:
        super().__init__(outward)
        self._url, self._secret = f"{settings.endpoint}/{quote(secrets.token, safe='')}", secrets.secret

    async def send(self, letter: Letter) -> Receipt:
        stamp, sign = feishu(self._secret, RealClock().now())
        content = {"timestamp": stamp, "sign": sign, "msg_type": "text", "content": {"text": letter.text}}
        return await self._say(letter, self._url, content)
