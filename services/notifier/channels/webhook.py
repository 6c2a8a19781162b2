"""A signed webhook as a channel: the letter as JSON, by Standard Webhooks. Its id is the send's, by which the other
side knows a letter that comes again.
"""

import msgspec

from chassis.clock import RealClock
from notifier.channels.outward import Outward
from notifier.channels.port import Adapter, Letter, Receipt
from notifier.channels.signing import standard_webhook, webhook_key

KIND = "notification.message"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret: str

    def __post_init__(self) -> None:
        if len(webhook_key(self.secret)) < 24:
            raise ValueError("a secret is whsec_ and at least 24 bytes in base64")


class Webhook(Adapter):
    """One endpoint."""

    idempotent = True
    patience = 4.0  # seconds

    def __init__(self, settings: Settings, secrets: Secrets, outward: Outward) -> None:
        self._url, self._secret, self._outward = settings.url, secrets.secret, outward

    async def send(self, letter: Letter) -> Receipt:
        data = {"recipient": letter.recipient, "subject": letter.subject, "body": letter.body}
        # The time is that of the letter, so that what comes again is the same in every byte.
        body = msgspec.json.encode({"type": KIND, "timestamp": letter.made_at, "data": data})
        headers = standard_webhook([self._secret], str(letter.send_id), RealClock().now(), body)
        headers["Content-Type"] = "application/json"
        answer = await self._outward.request("POST", self._url, headers, body, within=self.patience, keep=True)
        answer.settle()
        return Receipt(str(letter.send_id), delivered=True)
