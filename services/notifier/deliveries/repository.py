"""SQL of notices and deliveries, but for the sender's own (`claims`, `outcomes`)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, not_, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from chassis import scope
from chassis.web.paging import Listing, Window
from notifier.channels.models import Mail
from notifier.deliveries.decision import NO_RECEIPT, READDRESSED
from notifier.deliveries.models import UNSETTLED, WAITING, Delivery, Notice, Send
from notifier.deliveries.schemas import RetryMany
from notifier.directory.models import Unit


class Before(NamedTuple):
    """Of an event, the audiences in which nobody was lost, which are not looked for again; and those in which everybody
    was."""

    settled: set[str]
    lost: set[str]


NOTHING = Before(set(), set())

_WHO = ("audience", "audience_unit", "audience_role", "on_duty", "instead_of")
_HOW = ("route", "passes", "working_days", "fallback", "fallback_after")
_REVIVED = (*_WHO, *_HOW, "state", "why", "error", "not_before", "updated_at")
_PLAN_AGAIN = text("UPDATE notices SET plan_at = now() WHERE event_id = ANY (CAST(:events AS uuid[]))")


# The same person was told the same by another channel, after this one had failed.
_OTHER = aliased(Delivery)
_ARRIVED = exists().where(
    _OTHER.event_id == Delivery.event_id,
    _OTHER.recipient == Delivery.recipient,
    _OTHER.channel != Delivery.channel,
    _OTHER.fallback_of.is_not(None),
    _OTHER.state.in_(("sent", "delivered")),
    _OTHER.why.is_distinct_from(NO_RECEIPT),
)


async def hear(tx: AsyncSession, notices: list[dict[str, Any]]) -> None:
    """Stores what somebody must be told of, each event once."""
    await tx.execute(insert(Notice).on_conflict_do_nothing(), notices)


async def to_plan(tx: AsyncSession, limit: int, patience: timedelta) -> list[tuple[Notice, bool]]:
    """Notices whose people are to be looked for now, locked; each with whether we have been patient long enough."""
    query = (
        select(Notice, Notice.heard_at <= func.now() - patience)
        .where(Notice.plan_at <= func.now())
        .order_by(Notice.plan_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(notice, waited) for notice, waited in await tx.execute(query)]


async def settle_plans(tx: AsyncSession, done: Sequence[UUID], later: Sequence[UUID], pause: timedelta) -> None:
    """The people of `done` are found; those of `later` are looked for again after `pause`."""
    if done:
        await tx.execute(update(Notice).where(Notice.event_id.in_(done)).values(plan_at=None))
    if later:
        await tx.execute(update(Notice).where(Notice.event_id.in_(later)).values(plan_at=func.now() + pause))


async def plan_again(tx: AsyncSession, events: Sequence[UUID]) -> None:
    """The people of `events` are to be looked for again."""
    if events:
        await tx.execute(_PLAN_AGAIN, {"events": list(events)})


async def planned_before(tx: AsyncSession, events: Sequence[UUID]) -> dict[UUID, Before]:
    """What became of the audiences of events that were planned before."""
    lost = and_(Delivery.state == "cancelled", Delivery.why == READDRESSED)
    columns = Delivery.event_id, Delivery.audience, func.bool_or(lost), func.bool_and(lost)
    query = select(*columns).where(Delivery.event_id.in_(events)).group_by(Delivery.event_id, Delivery.audience)
    found: dict[UUID, Before] = {}
    for event, audience, some, all_of_them in await tx.execute(query):
        its = found.setdefault(event, Before(set(), set()))
        if not some:
            its.settled.add(audience)
        if all_of_them:
            its.lost.add(audience)
    return found


async def look_again(tx: AsyncSession, subjects: Collection[UUID], at: datetime) -> None:
    """What waits to be told of `subjects` is decided anew, from `at` on."""
    told = select(Notice.event_id).where(Notice.subject_id.in_(subjects))
    # All that waits, not only what is put off: what a sender is putting off at this moment is waited for. Locked in the
    # order of the ids, as by whoever else changes many; when one failed stays.
    waiting = select(Delivery.id).where(text(WAITING), Delivery.event_id.in_(told)).order_by(Delivery.id)
    its = waiting.with_for_update().cte()
    updated_at = case((Delivery.state == "failed", Delivery.updated_at), else_=func.greatest(Delivery.updated_at, at))
    earlier = {"not_before": func.least(Delivery.not_before, at), "updated_at": updated_at}
    query = update(Delivery).where(Delivery.id == its.c.id).values(earlier)
    await tx.execute(query, execution_options={"synchronize_session": False})


async def plan(tx: AsyncSession, deliveries: list[dict[str, Any]]) -> Sequence[Any]:
    """Stores deliveries, one per event, recipient and channel, and returns those that are new; one that had been
    readdressed is revived."""
    if not deliveries:
        return []
    new = insert(Delivery)
    revived: dict[str, Any] = {name: new.excluded[name] for name in _REVIVED}
    again = Delivery.found_again + 1
    revived |= {"tries": 0, "found_again": again, "changed_xid": new.excluded.changed_xid}
    statement = new.on_conflict_do_update(
        index_elements=[Delivery.event_id, Delivery.recipient, Delivery.channel],
        set_=revived,
        where=and_(Delivery.state == "cancelled", Delivery.why == READDRESSED),
    ).returning(Delivery.id, Delivery.event_id, Delivery.recipient, Delivery.channel, Delivery.state)
    return (await tx.execute(statement, deliveries)).all()


def visible(unit: str | None) -> ColumnElement[bool]:
    """Whether a notice may be seen from `unit`: the raising unit, the handling unit and those above them do."""
    if unit is None:
        return true()
    units = scope.below(Unit, unit)
    return or_(Notice.unit_code.in_(units), Notice.handling_unit_code.in_(units))


def _seen_from(unit: str | None) -> Select[Delivery]:
    # An own join, not the relationship's: conditions cannot reach into that one.
    return select(Delivery).join(Notice, Notice.event_id == Delivery.event_id).where(visible(unit))


async def page(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    appeal_id: UUID | None,
    event_id: UUID | None,
    **same: str | None,
) -> Listing[Delivery]:
    """Deliveries seen from `unit`; `same` are columns and the values they must have, where not None."""
    query = _seen_from(unit)
    if appeal_id is not None:
        query = query.where(Notice.subject_id == appeal_id, Notice.subject_kind == "appeal")
    if event_id is not None:
        query = query.where(Delivery.event_id == event_id)
    query = query.filter_by(**{name: value for name, value in same.items() if value is not None})
    return await window.fetch(tx, query, Delivery)


async def get(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Delivery | None:
    """A delivery seen from `unit`, locked for a change if asked."""
    query = _seen_from(unit).where(Delivery.id == id)
    if lock:
        query = query.with_for_update(of=Delivery).execution_options(populate_existing=True)
    return (await tx.scalars(query)).one_or_none()


async def retriable(
    tx: AsyncSession, unit: str | None, which: RetryMany, *, most: int, lock: bool
) -> Sequence[Row[UUID, str, UUID | None]]:
    """Deliveries seen from `unit` that `which` names, the oldest first, but for what arrived otherwise. For a change
    their sends are locked first, as whoever records an outcome does, and what changed meanwhile is left out."""
    query = (
        select(Delivery.id, Delivery.state, Delivery.send_id)
        .join(Notice, Notice.event_id == Delivery.event_id)
        .where(*_named(unit, which), not_(_ARRIVED))
        .order_by(Delivery.id)
        .limit(most)
    )
    found = (await tx.execute(query)).all()
    if not lock or not found:
        return found
    sends = sorted({row.send_id for row in found if row.send_id is not None})
    await tx.execute(select(Send.id).where(Send.id.in_(sends)).order_by(Send.id).with_for_update())
    still = query.where(Delivery.id.in_([row.id for row in found])).with_for_update(of=Delivery)
    return (await tx.execute(still)).all()


async def arrived_otherwise(tx: AsyncSession, unit: str | None, which: RetryMany) -> int:
    """How many of those that `which` names were told by a fallback since."""
    query = select(func.count()).select_from(Delivery).join(Notice, Notice.event_id == Delivery.event_id)
    return await tx.scalar(query.where(*_named(unit, which), _ARRIVED)) or 0


def _named(unit: str | None, which: RetryMany) -> list[ColumnElement[bool]]:
    same = {Delivery.channel: which.channel, Delivery.recipient: which.recipient, Delivery.why: which.why}
    return [
        visible(unit),
        Delivery.state.in_(which.states),
        text(UNSETTLED),  # type: ignore[list-item]
        Delivery.updated_at >= which.since,
        Delivery.updated_at < which.until,
        *(column == value for column, value in same.items() if value is not None),
    ]


async def queue_again(tx: AsyncSession, deliveries: Sequence[UUID], why: str, now: datetime) -> None:
    """Queues deliveries with as many tries as new ones."""
    its = {"state": "queued", "why": why, "tries": 0, "next_try_at": None, "send_id": None, "not_before": now}
    query = update(Delivery).where(Delivery.id.in_(deliveries)).values(its | {"updated_at": now})
    await tx.execute(query, execution_options={"synchronize_session": False})


async def hold_send(tx: AsyncSession, id: UUID) -> None:
    """Keeps a send as it is until the transaction ends."""
    await tx.execute(select(Send.id).where(Send.id == id).with_for_update())


async def ask_again(tx: AsyncSession, send: UUID, why: str, now: datetime) -> None:
    """Has the sender ask what became of an unknown send, as of one whose lease ran out; all that it carries waits."""
    lost = {"state": "sending", "leased_until": func.now(), "insisted": True}
    await tx.execute(update(Send).where(Send.id == send, Send.state == "unknown").values(lost))
    waiting = update(Delivery).where(Delivery.send_id == send, Delivery.state == "unknown")
    its = {"state": "sending", "why": why, "tries": 0, "next_try_at": None, "updated_at": now}
    await tx.execute(waiting.values(its), execution_options={"synchronize_session": False})


async def mails(
    tx: AsyncSession, person: str, unit: str | None, window: Window, recipient: str | None
) -> Listing[Mail]:
    """Letters in mailboxes: one's own, and those of which every delivery is seen from `unit`."""
    carried = select(Delivery.id).join(Notice).where(Delivery.send_id == Mail.id)
    query = select(Mail)
    if unit is not None:
        hidden = exists(carried.where(not_(visible(unit))))
        query = query.where(or_(Mail.recipient == person, and_(exists(carried), not_(hidden))))
    if recipient is not None:
        query = query.where(Mail.recipient == recipient)
    return await window.fetch(tx, query, Mail)


async def unsettled(tx: AsyncSession) -> dict[str, int]:
    """How many deliveries are in each state that is not an end."""
    counted = select(Delivery.state, func.count().label("number")).where(text(UNSETTLED)).group_by(Delivery.state)
    return {row.state: row.number for row in await tx.execute(counted)}
