"""The link that goes with a message to the customer: made when that is sent, by the service that sends it.

Its token is not random but follows, under the key of the vault's hashes, from the appeal, its round and the send: so a
send that is tried again tells the customer the same link, and still nobody keeps where it leads.
"""

import base64
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.lifecycle import Act, refusal
from appeal_tracker.appeals.service import first_answered
from appeal_tracker.callbacks import links, repository
from appeal_tracker.callbacks.errors import LinkNotDue
from appeal_tracker.callbacks.recording import COMPLETED, REFUSED
from appeal_tracker.settings import Settings
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

DAYS = 7  # that it is good for
_FIELD = "callback_links.token"


class SentLink(msgspec.Struct, frozen=True):
    """Where it leads, and until when it is good."""

    url: str
    expires_at: datetime


async def for_send(tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: UUID, send: UUID) -> SentLink:
    """The link of a send for the answer of the present round, good for some days more if it had expired. Raises
    `LinkNotDue`, `AppealNotFound`, `MergedMeanwhile`."""
    deed = await begin(tx, runtime, caller, appeal)
    assert isinstance(runtime.settings, Settings)
    address, reason = runtime.settings.public_url, await _not_due(deed)
    if address is None or reason is not None:
        raise LinkNotDue(reason=reason or "no_address")
    digest = (await runtime.vault.index(tx)).digest(_FIELD, f"{appeal} {deed.appeal.round} {send}".encode())
    token = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    link = (await links.find(tx, token, deed.now)).row or await links.made(deed, token, DAYS)
    if link.expires_at <= deed.now:
        link.expires_at, link.updated_at = deed.now + timedelta(days=DAYS), deed.now
    return SentLink(f"{address.rstrip('/')}/c/{token}", link.expires_at)


async def _not_due(deed: Deed) -> str | None:
    """Why the customer is not to be asked now, as a code; None where they are."""
    appeal = deed.appeal
    if appeal.hidden:
        return "hidden"
    if (rule := refusal(appeal.standing, Act.CALL_BACK)) is not None:
        return rule.value
    calls = await repository.since_round(deed.tx, appeal.id, appeal.counts_from)
    since = await first_answered(deed.tx, appeal)
    results = {each.result for each in calls if each.at >= since}  # a call of before the answer was not about it
    return "answered" if COMPLETED in results else "refused" if REFUSED in results else None
