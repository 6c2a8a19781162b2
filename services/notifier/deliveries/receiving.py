"""Callbacks of providers. They bear no token: each is signed by the secret of the account that it is about, as Standard
Webhooks sign; a provider that cannot sign is given an address that only who knows the secret can make.
"""

import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.clock import RealClock
from chassis.runtime import Runtime
from chassis.web.body import BoundedRequest
from chassis.web.documents import OpenRoute
from notifier.channels import service as channels
from notifier.channels.errors import BadSignature, unreadable
from notifier.channels.models import Account
from notifier.channels.providers import PROVIDERS, Report
from notifier.channels.signing import same, standard_webhook, webhook_key
from notifier.deliveries import metrics, reports

LONGEST = 1 << 20  # bytes
TOLERANCE = timedelta(minutes=5)


async def receive(original: Request) -> Response:
    """Takes in what a provider says of what it took; answered once it is stored."""
    runtime: Runtime = original.app.state.runtime
    request = BoundedRequest(original.scope, original.receive)
    request.limit = LONGEST
    body = await request.body()
    async with runtime.db.request() as tx:
        found = await channels.callback_secret(tx, runtime, original.path_params["channel"], _id(original))
        if found is None or not _is_signed(original, body, *found):
            raise BadSignature  # also for an account that there is not: nobody learns which there are
        account, _ = found
        heard = await reports.hear(tx, runtime.outbox, account.id, _read(account, body), runtime.clock.now())
    metrics.reported.labels(account.channel).inc(heard)
    return JSONResponse(dict(PROVIDERS[account.provider].thanks))


def callback_key(secret: str, account: Account) -> str:
    """What stands as `?key=` in the address of a provider that cannot sign."""
    return hmac.digest(webhook_key(secret), account.receives_at.encode(), "sha256").hex()


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["account"])
    except ValueError:
        raise BadSignature from None


def _is_signed(request: Request, body: bytes, account: Account, secret: str) -> bool:
    if key := request.query_params.get("key"):
        return same(key, callback_key(secret, account))
    its, stamp = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 11):
        return False
    at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(RealClock().now() - at) > TOLERANCE:
        return False
    right = standard_webhook([secret], its, at, body)["webhook-signature"]
    return any(same(given, right) for given in request.headers.get("webhook-signature", "").split(" "))


def _read(account: Account, body: bytes) -> list[Report]:
    try:
        return PROVIDERS[account.provider].read(msgspec.json.decode(body))
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise unreadable() from None


_TEXT = {"type": "string"}
_PLACES = [
    {"name": "channel", "in": "path", "required": True, "schema": _TEXT},
    {"name": "account", "in": "path", "required": True, "schema": {**_TEXT, "format": "uuid"}},
    {
        "name": "key",
        "in": "query",
        "description": "for a provider that cannot sign: HMAC-SHA256 of this path by the callback secret, in hex",
        "schema": _TEXT,
    },
    *(
        {"name": f"webhook-{name}", "in": "header", "description": "of Standard Webhooks", "schema": _TEXT}
        for name in ("id", "timestamp", "signature")
    ),
]
_RECEIPT = {
    "type": "object",
    "title": "Receipt",
    "required": ["state"],
    "properties": {
        "state": {"type": "string", "enum": ["delivered", "failed"]},
        "id": {**_TEXT, "format": "uuid", "description": "of the send, as the provider was given it"},
        "reference": {**_TEXT, "description": "or the provider's own"},
        "reason": _TEXT,
    },
}
_OPERATION = {
    "operationId": "receive_receipts",
    "tags": ["channels"],
    "summary": "Receive Receipts",
    "description": "What a provider says of messages that it took; an account's `receives_at` is this address. Signed"
    " by the account's `callback_secret`, as Standard Webhooks sign, or with `key`. Also a list of them; Alibaba and"
    " Tencent Cloud call in their own forms.",
    "parameters": _PLACES,
    "requestBody": {"required": True, "content": {"application/json": {"schema": _RECEIPT}}},
    "responses": {"200": {"description": "Stored", "content": {"application/json": {"schema": {"type": "object"}}}}},
}
ROUTE = OpenRoute("/v1/receipts/{channel}/{account}", receive, "POST", _OPERATION)
