"""SMS by Tencent Cloud (2021-01-11). It takes a letter as often as it is handed over, and tells only of those of which
the carrier has told it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from chassis.clock import RealClock
from notifier.channels.cloud import Cloud
from notifier.channels.outward import Outward
from notifier.channels.port import Ambiguous, CannotTell, Letter, Receipt, Refused
from notifier.channels.signing import tc3

VERSION = "2021-01-11"
ASKED_FOR = timedelta(minutes=3)  # how long it is asked, a few seconds apart, before a person decides
_TRY_LATER = ("LimitExceeded", "RequestLimitExceeded", "FailedOperation.InsufficientBalance")
_UNCLEAR = ("InternalError", "ServiceUnavailable")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`template` is for a text that has no code of its own: it is that template's only parameter."""

    secret_id: str
    app_id: str
    sign_name: str
    template: str = ""
    region: str = "ap-guangzhou"
    endpoint: str = "https://sms.tencentcloudapi.com"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret_key: str


class Tencent(Cloud):
    """One account."""

    def __init__(self, settings: Settings, secrets: Secrets, outward: Outward) -> None:
        self._settings, self._secret, self._outward = settings, secrets.secret_key, outward
        self._free = settings.template

    async def _hand_over(self, letter: Letter, number: str, template: str) -> Mapping[str, Any]:
        return await self._ask(
            "SendSms",
            {
                "PhoneNumberSet": [_e164(number)],
                "SmsSdkAppId": self._settings.app_id,
                "SignName": self._settings.sign_name,
                "TemplateId": template,
                "TemplateParamSet": [*letter.params.values()] if letter.template else [letter.text],
                "SessionContext": str(letter.send_id),
            },
        )

    def _read(self, answer: Mapping[str, Any]) -> tuple[str, str | None]:
        status = next(iter(answer.get("SendStatusSet") or []), None)
        code = str((status or answer.get("Error") or {}).get("Code"))
        return code, str(status.get("SerialNo") or "") if status is not None and code == "Ok" else None

    def _pause(self, code: str) -> float | None:
        return 30.0 if code.startswith(_TRY_LATER) else None

    def _is_unclear(self, code: str) -> bool:
        return code.startswith(_UNCLEAR) or code == "None"

    async def find(self, letter: Letter) -> Receipt | None:
        if letter.address is None:
            raise CannotTell("no_address")
        query = {
            "BeginTime": int((letter.made_at - timedelta(minutes=1)).timestamp()),
            "Offset": 0,
            "Limit": 100,
            "PhoneNumber": _e164(letter.address),
            "SmsSdkAppId": self._settings.app_id,
        }
        try:
            answer = await self._ask("PullSmsSendStatusByPhoneNumber", query)
        except (Refused, Ambiguous) as error:
            raise CannotTell(error.reason, ask_again=5.0) from error
        if "Error" in answer:
            raise CannotTell(str(answer["Error"].get("Code")))
        for status in answer.get("PullSmsSendStatusSet") or []:
            if status.get("SessionContext") == str(letter.send_id):
                delivered = status.get("ReportStatus") == "SUCCESS"
                failed = None if delivered else str(status.get("Description") or "undelivered")
                return Receipt(str(status.get("SerialNo")), delivered=delivered, failed=failed)
        early = RealClock().now() - letter.made_at < ASKED_FOR
        raise CannotTell("not told of yet", ask_again=20.0 if early else None)

    async def _ask(self, action: str, content: dict[str, Any]) -> dict[str, Any]:
        body = msgspec.json.encode(content)
        host = self._outward.policy.place(self._settings.endpoint).authority
        headers = tc3(
            key_id=self._settings.secret_id,
            secret=self._secret,
            host=host,
            service="sms",
            body=body,
            at=RealClock().now(),
        )
        headers |= {"X-TC-Action": action, "X-TC-Version": VERSION, "X-TC-Region": self._settings.region}
        answer = await self._outward.request("POST", self._settings.endpoint, headers, body, within=self.patience)
        answer.settle()
        said = answer.json()
        response = said.get("Response") if isinstance(said, dict) else None
        if not isinstance(response, dict):
            raise Ambiguous("the answer cannot be read")
        return response


def _e164(number: str) -> str:
    return number if number.startswith("+") else f"+86{number}"
