"""A link by which a customer says in one tap what they think: for one answer, once, until it expires.

Its token is 256 random bits, told once to whoever made the link and stored as a hash only. Guessing is hopeless, and
limited besides: an address block that asked for too many links that there are not is told so for a while. Whoever has
a link is answered all the same, for many customers come from one block, behind the same provider or proxy.

Whoever makes a link could use it themselves: it is for those who may call back.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals import service
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import CUSTOMER, Deed
from appeal_tracker.appeals.errors import AppealUnanswered
from appeal_tracker.appeals.lifecycle import Act, Rule, takes
from appeal_tracker.callbacks import link_repository as repository
from appeal_tracker.callbacks.models import CallbackLink
from appeal_tracker.callbacks.recording import COMPLETED, LINK, LOW, Said, dissatisfied, keep, record
from appeal_tracker.callbacks.service import demand_entitled, demand_named
from chassis.clock import RealClock
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal

MISSES, WINDOW = 20, timedelta(minutes=10)  # of an address block, in real time
LONGEST = 43  # characters of a token
_ENDED_FOR_GOOD = ("void", "withdrawn")

State = Literal["unknown", "expired", "used", "open"]


class Link(msgspec.Struct, frozen=True):
    """A link, and whether it can be used."""

    state: State
    row: CallbackLink | None = None


async def make(tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: UUID, days: int) -> tuple[Any, str]:
    """A link for the answer of the present round, and its token. Raises `AppealUnanswered`, `NotYoursToCallBack`,
    `NobodyToCall`, and what every act may."""
    deed = await begin(tx, runtime, caller, appeal)
    demand_named(deed)
    await demand_entitled(deed)
    if all(answer.round < deed.appeal.counts_from for answer in await appeals.answers(tx, appeal)):
        raise AppealUnanswered(rule=Rule.UNANSWERED)
    token = secrets.token_urlsafe(32)
    return await made(deed, token, days), token


async def made(deed: Deed, token: str, days: int) -> CallbackLink:
    """Keeps a link for the answer of the present round, and says so in the timeline."""
    link = CallbackLink(
        id=new_id(),
        appeal_id=deed.appeal.id,
        round=deed.appeal.round,
        token_hash=hashed(token),
        made_at=deed.now,
        made_by=deed.caller.sub,
        expires_at=deed.now + timedelta(days=days),
        updated_at=deed.now,
    )
    deed.tx.add(link)
    deed.say(deed.case, "callback_link_made", deed.now, link_id=link.id, expires_at=link.expires_at)
    await deed.settle()
    return link


async def of_appeal(tx: AsyncSession, caller: Principal, appeal: UUID, window: Window) -> Listing[CallbackLink]:
    """The links of an appeal, without their tokens. Raises `AppealNotFound`."""
    await service.show(tx, caller, appeal)
    return await repository.of_appeal(tx, appeal, window)


async def find(tx: AsyncSession, token: str, now: datetime, *, lock: bool = False) -> Link:
    """The link that a token opens; `lock`: nobody else uses it until the transaction ends."""
    row = await repository.find(tx, hashed(token), lock=lock) if len(token) == LONGEST else None
    if row is None:
        return Link("unknown")
    if row.used_at is not None:
        return Link("used", row)
    return Link("expired" if now >= row.expires_at else "open", row)


async def use(tx: AsyncSession, runtime: Runtime, token: str, satisfaction: str, opinion: str | None) -> State:
    """Records what the customer thinks, once; whether the link could be used. It is a callback of the channel `link`.

    Where the appeal was closed or merged meanwhile, or another round of it began, it is recorded all the same and moves
    nothing; dissatisfaction with what was closed or merged is followed up.
    """
    link = await find(tx, token, runtime.clock.now(), lock=True)
    if link.row is None or link.state != "open":
        return link.state
    deed = await begin(tx, runtime, CUSTOMER, link.row.appeal_id)
    said = Said(at=deed.now, result=COMPLETED, channel=LINK, satisfaction=satisfaction, opinion=opinion)
    present = link.row.round >= deed.appeal.counts_from
    if present and takes(deed.appeal.standing, Act.CALL_BACK):
        made = await record(deed, runtime, said)
    else:
        made = await keep(deed, runtime, deed.case, said)
        made.round = link.row.round
        if present and satisfaction in LOW and (deed.appeal.is_merged or _is_closed(deed)):
            await dissatisfied(deed, satisfaction)
    link.row.used_at = link.row.updated_at = deed.now
    link.row.callback_id = made.id
    await deed.settle()
    return "open"


def hashed(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


async def missed(tx: AsyncSession, address: str | None) -> Literal["unknown", "limited"]:
    """A link was asked for that there is not; whether that was done too often from there."""
    if await repository.misses(tx, block(address), _window()) >= MISSES:
        return "limited"
    await repository.miss(tx, block(address), _window())
    return "unknown"


def block(address: str | None) -> str:
    """The block of addresses that one asker may have: a /24 of IPv4, a /48 of IPv6; a mapped one is what it maps."""
    try:
        its = ip_address(address or "")
    except ValueError:
        return "unknown"
    its = getattr(its, "ipv4_mapped", None) or its
    return str(ip_network(f"{its}/{24 if its.version == 4 else 48}", strict=False))


def _window() -> datetime:
    now = RealClock().now()
    return now - timedelta(seconds=now.timestamp() % WINDOW.total_seconds())


def _is_closed(deed: Deed) -> bool:
    return deed.appeal.outcome is not None and deed.appeal.outcome not in _ENDED_FOR_GOOD
