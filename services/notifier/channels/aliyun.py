"""SMS by Alibaba Cloud (Dysmsapi, 2017-05-25). It takes a letter as often as it is handed over; what became of one is
told by number and day, some moments later.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec

from chassis.clock import RealClock
from notifier.channels.cloud import Cloud
from notifier.channels.networks import Policy
from notifier.channels.outward import Outward
from notifier.channels.port import Ambiguous, CannotTell, Letter, Receipt, Refused
from notifier.channels.signing import acs3, canonical_query
from notifier.civil import CHINA

VERSION = "2017-05-25"
SETTLED_AFTER = timedelta(seconds=60)  # before that, that a letter is not there yet says nothing
_TRY_LATER = {
    "isv.BUSINESS_LIMIT_CONTROL": 60.0,  # of a number: so many a minute, an hour, a day
    "isv.DAY_LIMIT_CONTROL": 3600.0,
    "isv.MONTH_LIMIT_CONTROL": 3600.0,
    "isv.AMOUNT_NOT_ENOUGH": 600.0,
    "isv.OUT_OF_SERVICE": 600.0,
    "isv.ACCOUNT_ABNORMAL": 600.0,
}
_DELIVERED, _FAILED = 3, 2


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`template` and `param` are for a text that has no code of its own: it goes into that parameter."""

    access_key_id: str
    sign_name: str
    template: str = ""
    param: str = "content"
    endpoint: str = "https://dysmsapi.aliyuncs.com"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access_key_secret: str


class Aliyun(Cloud):
    """One account."""

    def __init__(self, settings: Settings, secrets: Secrets, outward: Outward) -> None:
        self._settings, self._secret, self._outward = settings, secrets.access_key_secret, outward
        self._free = settings.template

    async def _hand_over(self, letter: Letter, number: str, template: str) -> Mapping[str, Any]:
        params = dict(letter.params) if letter.template else {self._settings.param: letter.text}
        return await self._ask(
            "SendSms",
            PhoneNumbers=number,
            SignName=self._settings.sign_name,
            TemplateCode=template,
            TemplateParam=msgspec.json.encode(params).decode(),
            OutId=str(letter.send_id),
        )

    def _read(self, answer: Mapping[str, Any]) -> tuple[str, str | None]:
        code = str(answer.get("Code"))
        return code, str(answer.get("BizId") or "") if code == "OK" else None

    def _pause(self, code: str) -> float | None:
        if code.startswith(("Throttling", "isv.BUSINESS", "isv.DAY", "isv.MONTH")):
            return _TRY_LATER.get(code, 5.0)
        return _TRY_LATER.get(code)

    def _is_unclear(self, code: str) -> bool:
        return code.startswith(("isp.", "ServiceUnavailable", "InternalError"))

    async def find(self, letter: Letter) -> Receipt | None:
        if letter.address is None:
            raise CannotTell("no_address")
        now = RealClock().now()
        try:
            answer = await self._ask(
                "QuerySendDetails",
                PhoneNumber=letter.address,
                SendDate=f"{letter.made_at.astimezone(CHINA):%Y%m%d}",
                PageSize="50",
                CurrentPage="1",
            )
        except (Refused, Ambiguous) as error:
            raise CannotTell(error.reason, ask_again=5.0) from error
        if answer.get("Code") != "OK":
            raise CannotTell(str(answer.get("Code")))
        details = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
        for detail in details:
            if detail.get("OutId") == str(letter.send_id):
                return _receipt(letter, detail)
        if letter.times > 1:  # the last time may have been a moment ago, or on another day
            raise CannotTell("handed over more than once")
        if now - letter.made_at < SETTLED_AFTER or len(details) >= 50:
            raise CannotTell("too early to say", ask_again=15.0 if len(details) < 50 else None)
        return None

    async def _ask(self, action: str, **query: str) -> dict[str, Any]:
        place = self._outward.policy.place
        host = place(self._settings.endpoint).authority
        headers = acs3(
            key_id=self._settings.access_key_id,
            secret=self._secret,
            host=host,
            query=query,
            action=action,
            version=VERSION,
            nonce=uuid4().hex,
            at=RealClock().now(),
        )
        url = f"{self._settings.endpoint}/?{canonical_query(query)}"
        answer = await self._outward.request("POST", url, _without_host(headers), within=self.patience)
        if answer.status not in (400, 403, 404):  # these say why in the body
            answer.settle()
        body = answer.json()
        if not isinstance(body, dict):
            raise Ambiguous("the answer cannot be read")
        return body


def _without_host(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "host"}


def _receipt(letter: Letter, detail: dict[str, Any]) -> Receipt:
    status = detail.get("SendStatus")
    failed = str(detail.get("ErrCode") or "undelivered") if status == _FAILED else None
    return Receipt(str(letter.send_id), delivered=status == _DELIVERED, failed=failed)


def check(settings: Settings, policy: Policy) -> None:
    """Raises `Blocked` for an endpoint that must not be called."""
    policy.place(settings.endpoint)
