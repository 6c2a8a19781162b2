"""The sender's claims: deliveries that are due become sends with a lease, in one transaction, before any provider is
called. Two senders never claim the same one (SKIP LOCKED); whose lease has run out is claimed again, as the same send.

Leases and back-off are in real time, the database's; what is due and whether it is quiet is in domain time.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from notifier.channels.accounts import LOOK_AGAIN
from notifier.channels.port import Channel, Letter, Terms
from notifier.deliveries import looking, merging, pacing, rationing, repository
from notifier.deliveries.decision import READDRESSED, Decision, Drop, Go, Readdress, Wait
from notifier.deliveries.looking import Due
from notifier.deliveries.models import Send
from notifier.deliveries.pacing import Pace
from notifier.directory.contacts import CUSTOMER, Addressee, Nowhere
from notifier.templates import service as templates
from notifier.templates.catalogue import LanguageCode
from notifier.templates.wording import bears_link, can_be_linked

LIMITED = "limited"  # the provider bears no more just now
NO_CONTACT = "contact_unavailable"  # visit_api is away, and nobody else knows how to reach people

# What a dead sender left is looked into by one of the living, who has as long for it as for a send.
_EXPIRED = text("""
UPDATE sends SET leased_until = now() + CAST(:lease AS interval) WHERE id IN (
    SELECT id FROM sends WHERE state = 'sending' AND leased_until < now() AND channel = :channel
    ORDER BY leased_until LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id, recipient, recipient_kind, subject, body, template, params, account_id, attempts, insisted, link_for
""")
_LEASE_AGAIN = text("""
UPDATE sends SET attempts = attempts + 1, insisted = false, checked_at = :now,
    leased_until = clock_timestamp() + CAST(:lease AS interval)
WHERE id = ANY (CAST(:sends AS uuid[])) AND state = 'sending'
""")
# Whoever handed it over meanwhile has counted that: then it is theirs.
_OURS = text("""
SELECT s.id FROM sends s JOIN unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[])) AS t (id, attempt) USING (id)
WHERE s.state = 'sending' AND s.attempts = t.attempt ORDER BY s.id FOR UPDATE OF s
""")
# Not now(), which is when the transaction began: a claim may be large.
_LEASE = text("""
UPDATE sends SET leased_until = clock_timestamp() + CAST(:lease AS interval) WHERE id = ANY (CAST(:sends AS uuid[]))
""")
_HAND_OVER = text("""
UPDATE deliveries d SET state = 'sending', send_id = t.send_id, attempts = d.attempts + 1, tries = d.tries + 1,
    next_try_at = NULL, updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
FROM unnest(CAST(:ids AS uuid[]), CAST(:sends AS uuid[])) AS t (id, send_id) WHERE d.id = t.id
""")
_SETTLE = text("""
UPDATE deliveries d SET state = t.state, not_before = coalesce(t.until, d.not_before), why = t.why, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:untils AS timestamptz[]), CAST(:whys AS text[]))
    AS t (id, state, until, why) WHERE d.id = t.id
""")
_REASONED = text("""
UPDATE deliveries d SET why = t.why FROM unnest(CAST(:ids AS uuid[]), CAST(:whys AS text[])) AS t (id, why)
WHERE d.id = t.id
""")
_WAIT = text("""
UPDATE deliveries d SET why = :why, next_try_at = clock_timestamp() + make_interval(secs => t.pause), updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM (
    SELECT w.id, p.pause FROM deliveries w
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:pauses AS float[])) AS p (id, pause) USING (id)
    WHERE w.state IN ('queued', 'deferred', 'failed') ORDER BY w.id FOR UPDATE OF w) AS t
WHERE d.id = t.id
""")
# As what a provider refused for now: it goes by the next channel of its route, where there is one.
_HINDERED = text("""
UPDATE deliveries d SET state = 'failed', why = t.why, error = t.why, updated_at = :now,
    next_try_at = clock_timestamp() + make_interval(secs => :pause), changed_xid = pg_current_xact_id()::text::bigint
FROM unnest(CAST(:ids AS uuid[]), CAST(:whys AS text[])) AS t (id, why) WHERE d.id = t.id
""")


class Leased(msgspec.Struct, frozen=True):
    """A send that is ours until its lease runs out; `attempt` is how often it has been handed over, this time too
    (0: never yet, it waited for what goes into it);
    `insisted`, that it is to be once more even if nobody can tell what became of it; `doubtful`, that nobody can tell
    whether it was taken before; `nowhere`, why there is no address for it by now."""

    letter: Letter
    attempt: int
    to: Addressee
    insisted: bool = False
    doubtful: bool = False
    nowhere: Nowhere = Nowhere.NO_ADDRESS


class Plain(msgspec.Struct, frozen=True):
    """A send that was written in plain words, since a template of it failed."""

    send_id: UUID
    template: str
    unit: str


class Claimed(msgspec.Struct, frozen=True):
    """What a claim came to: how many deliveries were due, the sends to be handed over once it is committed, and since
    when (monotonic) they are leased; the deliveries of people whose address was not asked yet, of those who have none
    and why, and of units that have no account; and what had to be told in plain words."""

    due: int
    sends: Sequence[Leased] = ()
    leased_at: float = 0.0
    unasked: Mapping[UUID, Addressee] = {}
    without_address: Mapping[UUID, Nowhere] = {}
    without_account: Sequence[UUID] = ()
    plain: Sequence[Plain] = ()


# Of people, where the channel reaches them; None where the channel does not want to know.
Addresses = Mapping[Addressee, str | Nowhere] | None


async def claim(
    tx: AsyncSession,
    name: str,
    channel: Channel,
    language: LanguageCode,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    addresses: Addresses = None,
    pace: Pace | None = None,
) -> Claimed:
    """Decides about the deliveries that are due on the channel `name`, and leases what may go to whoever's address is
    known, as far as the provider bears it and the person does (`pace`); what they do not waits, to be said together
    with what comes meanwhile."""
    due = await looking.due(tx, name, now=now, limit=limit)
    await _settle(tx, due, now)
    going = [its.row for its in due if isinstance(its.decision, Go)]
    passing = {its.row.id: its.decision.why for its in due if isinstance(its.decision, Go) and its.decision.why}
    if passing:
        await tx.execute(_REASONED, {"ids": list(passing), "whys": list(passing.values())})
    terms = await channel.terms(tx, {row.handling_unit_code for row in going}) if going else {}
    accountless = [row.id for row in going if terms[row.handling_unit_code] is None]
    going = await _usable(tx, [row for row in going if terms[row.handling_unit_code] is not None], terms, now)
    unasked: dict[UUID, Addressee] = {}
    without: dict[UUID, Nowhere] = {}
    if addresses is not None:
        unasked = {row.id: _to(row) for row in going if _to(row) not in addresses}
        without = {row.id: its for row in going if isinstance(its := addresses.get(_to(row)), Nowhere)}
        hindered = unasked.keys() | without.keys()
        going = [row for row in going if row.id not in hindered]
    pace = pace or Pace()
    groups, waits = await pacing.paced(tx, merging.together(going, terms), pace, now)
    await _write(tx, [(delivery, "deferred", until, pacing.MANY) for delivery, until in waits.items()], now)
    groups = await _borne(tx, groups, now)
    leased_at = time.monotonic()
    known = {to: its for to, its in (addresses or {}).items() if isinstance(its, str)}
    sends, plain = await _lease(tx, groups, name, language, now, lease, known)
    pacing.count(groups, pace, now)
    return Claimed(len(due), sends, leased_at, unasked, without, accountless, plain)


async def wait_for_contact(tx: AsyncSession, ids: Sequence[UUID], *, now: datetime, pause: timedelta) -> None:
    """Has deliveries wait, as they are, until it can be asked how their people are reached."""
    pauses = [pause.total_seconds()] * len(ids)
    await tx.execute(_WAIT, {"ids": ids, "why": NO_CONTACT, "pauses": pauses, "now": now})


async def expired(tx: AsyncSession, channel: str, *, lease: timedelta, limit: int) -> list[Leased]:
    """Sends whose lease has run out, now leased to the caller, who asks the provider what became of them."""
    rows = await tx.execute(_EXPIRED, {"channel": channel, "lease": lease, "limit": limit})
    return [Leased(_letter_again(r), r.attempts, _to(r), r.insisted) for r in rows]


async def claim_again(
    tx: AsyncSession, channel: Channel, sends: Sequence[Leased], *, now: datetime, lease: timedelta
) -> tuple[list[Leased], dict[UUID, Decision]]:
    """Those of the lost `sends` that are to be handed over again, the same letter under the same id; and of the others,
    what stands in the way: also that the provider bears no more just now. Nothing is said of what another sender has
    handed over again meanwhile, our lease having run out."""
    values = {"ids": [send.letter.send_id for send in sends], "attempts": [send.attempt for send in sends]}
    ours = set(await tx.scalars(_OURS, values))
    sends = [send for send in sends if send.letter.send_id in ours]
    due = await looking.carried(tx, [send.letter.send_id for send in sends], now=now)
    hindered: dict[UUID, Decision] = {its.row.send_id: its.decision for its in due if not isinstance(its.decision, Go)}
    going = [its.row for its in due if its.row.send_id not in hindered]
    hindered |= dict.fromkeys(await rationing.too_many(tx, channel, going), Wait(now, LIMITED))
    going = [row for row in going if row.send_id not in hindered]
    await _handed_over(tx, {row.id: row.send_id for row in going}, now)
    again = {row.send_id for row in going}
    await tx.execute(_LEASE_AGAIN, {"sends": list(again), "now": now, "lease": lease})
    kept = [send for send in sends if send.letter.send_id in again]
    return [msgspec.structs.replace(send, attempt=send.attempt + 1, insisted=False) for send in kept], hindered


async def _settle(tx: AsyncSession, due: Sequence[Due], now: datetime) -> None:
    """Writes what is decided of those that do not go."""
    its: list[tuple[UUID, str, datetime | None, str]] = []
    for each in due:
        match each.decision:
            case Wait(until, why):
                its.append((each.row.id, "deferred", until, why))
            case Drop(why):
                its.append((each.row.id, "cancelled", None, why))
            case Readdress():
                its.append((each.row.id, "cancelled", None, READDRESSED))
    await _write(tx, its, now)
    await repository.plan_again(tx, [each.row.event_id for each in due if isinstance(each.decision, Readdress)])


async def _write(tx: AsyncSession, its: Sequence[tuple[UUID, str, datetime | None, str]], now: datetime) -> None:
    if its:
        names = ("ids", "states", "untils", "whys")
        await tx.execute(_SETTLE, {"now": now} | dict(zip(names, map(list, zip(*its, strict=True)), strict=True)))


async def _usable(tx: AsyncSession, rows: Sequence[Any], terms: Mapping[str, Terms | None], now: datetime) -> list[Any]:
    """Those of `rows` whose account can be used; the others fail for now."""
    hindered = {row.id: its.problem for row in rows if (its := terms[row.handling_unit_code]) and its.problem}
    if hindered:
        values = {"ids": list(hindered), "whys": list(hindered.values()), "pause": LOOK_AGAIN, "now": now}
        await tx.execute(_HINDERED, values)
    return [row for row in rows if row.id not in hindered]


async def _borne(
    tx: AsyncSession, groups: Sequence[tuple[list[Any], Terms]], now: datetime
) -> list[tuple[list[Any], Terms]]:
    """Those of `groups` that providers bear now, the most pressing first; the others wait."""
    its, pauses = await rationing.ration(tx, groups)
    if pauses:
        values = {"ids": list(pauses), "pauses": list(pauses.values()), "why": LIMITED, "now": now}
        await tx.execute(_WAIT, values)
    return its


async def _lease(
    tx: AsyncSession,
    groups: Sequence[tuple[list[Any], Terms]],
    channel: str,
    language: LanguageCode,
    now: datetime,
    lease: timedelta,
    addresses: Mapping[Addressee, str],
) -> tuple[list[Leased], list[Plain]]:
    if not groups:
        return [], []
    book, plain = await templates.book(tx, language), list[Plain]()
    carried, leased = {}, []
    for its, terms in groups:
        send_id = new_id()
        carried[send_id] = its
        book.failed.clear()
        words, to = merging.written(its, channel, book, terms), _to(its[0])
        plain += [Plain(send_id, template, its[0].handling_unit_code) for template in dict.fromkeys(book.failed)]
        names = ",".join(dict.fromkeys(row.recipient for row in its)) if terms.calls else to.name
        letter = Letter(send_id, names, words.subject, words.body, addresses.get(to), terms.account)
        template, params = merging.coded(its, words, terms)
        linked = can_be_linked(its[0].event_type, customer=to.kind == CUSTOMER)
        said = () if template and not terms.worded else (words.subject, words.body)
        linked = linked and bears_link(*said, *params.values())
        link_for = its[0].subject_id if linked else None
        letter = msgspec.structs.replace(letter, template=template, params=params, link_for=link_for)
        leased.append(Leased(letter, 1, to))
    if leased:
        await tx.execute(insert(Send), [_send(its, channel, now) for its in leased])
        await tx.execute(_LEASE, {"sends": list(carried), "lease": lease})
        await _handed_over(tx, {row.id: send_id for send_id, its in carried.items() for row in its}, now)
    return leased, plain


async def _handed_over(tx: AsyncSession, sends: Mapping[UUID, UUID], now: datetime) -> None:
    if sends:
        await tx.execute(_HAND_OVER, {"ids": list(sends), "sends": list(sends.values()), "now": now})


def _to(row: Any) -> Addressee:
    return Addressee(row.recipient_kind, row.recipient)


def _letter_again(row: Any) -> Letter:
    its = {name: getattr(row, name) for name in ("recipient", "subject", "body", "template")}
    its |= {"account": row.account_id, "params": dict(row.params or {}), "times": row.attempts}
    return Letter(send_id=row.id, link_for=row.link_for, **its)


def _send(leased: Leased, channel: str, now: datetime) -> dict[str, Any]:
    letter = leased.letter
    return {
        "id": letter.send_id,
        "recipient": letter.recipient,
        "recipient_kind": leased.to.kind,
        "channel": channel,
        "subject": letter.subject,
        "body": letter.body,
        "template": letter.template,
        "params": [*letter.params.items()] or None,
        "account_id": letter.account,
        "link_for": letter.link_for,
        "state": "sending",
        "attempts": 1,
        "checked_at": now,
    }
