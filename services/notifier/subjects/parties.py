"""Who has to do with appeals and visits, as was heard of them, in any order and repeatedly."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.appeals import (
    AppealDispatched,
    AppealOpened,
    AppealRaised,
    AppealReturned,
    AppealTransferred,
)
from contracts.envelope import Event, Message
from contracts.visits import VisitAppointed, VisitPlan, VisitUnappointed
from notifier.subjects.models import Party

HANDED = (AppealDispatched, AppealReturned, AppealTransferred)
APPOINTED = (VisitAppointed, VisitUnappointed)
_OWNED = ("owner", "handling_unit_code", "owned_said", "scheduled_at", "scheduled_said")
_ORIGIN = ("first_contact", "customer_id", "policy", "source")


async def heard(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns whose appeals and visits are, and of which customer."""
    origins = [row for message in messages for row in _origins(message.event)]
    if origins:
        await _learn(tx, _merged(origins))
    last: dict[UUID, dict[str, Any]] = {}
    for message in sorted(messages, key=_when):
        last |= {row["subject_id"]: row for row in _owned(message.event, message.time)}
    if last:
        await _own(tx, list(last.values()))
    said = {m.event.visit_id: m.time for m in sorted(messages, key=_when) if isinstance(m.event, APPOINTED)}
    if said:
        await _appoint(tx, [{"subject_id": visit, "appointed_said": said[visit]} for visit in sorted(said)])


async def of(tx: AsyncSession, subjects: Collection[UUID]) -> dict[UUID, Party]:
    """What is known of `subjects`."""
    found = await tx.scalars(select(Party).where(Party.subject_id.in_(subjects)))
    return {party.subject_id: party for party in found}


async def _learn(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    new = insert(Party)
    known: dict[str, Any] = {name: func.coalesce(new.excluded[name], getattr(Party, name)) for name in _ORIGIN}
    known["withheld"] = or_(Party.withheld, new.excluded.withheld)
    await tx.execute(new.on_conflict_do_update(index_elements=[Party.subject_id], set_=known), rows)


async def _own(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    new = insert(Party)
    known = {name: new.excluded[name] for name in _OWNED}
    newer = or_(Party.owned_said.is_(None), and_(Party.owned_said <= new.excluded.owned_said))
    await tx.execute(new.on_conflict_do_update(index_elements=[Party.subject_id], set_=known, where=newer), rows)


async def _appoint(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    new = insert(Party)
    known = {"appointed_said": func.greatest(Party.appointed_said, new.excluded.appointed_said)}
    await tx.execute(new.on_conflict_do_update(index_elements=[Party.subject_id], set_=known), rows)


def _when(message: Message) -> datetime:
    return message.time


def _merged(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each subject: a statement writes none twice."""
    merged: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        before = merged.setdefault(row["subject_id"], row)
        withheld = before["withheld"] or row["withheld"]
        merged[row["subject_id"]] = {**before, **{n: v for n, v in row.items() if v is not None}, "withheld": withheld}
    return list(merged.values())


def _origins(event: Event) -> list[dict[str, Any]]:
    empty = {**dict.fromkeys(_ORIGIN), "withheld": False}
    match event:
        case AppealRaised():
            withheld = event.confidential or event.anonymous
            its = {"subject_id": event.appeal_id, "first_contact": event.raised_by, "withheld": withheld}
            return [{**empty, **its, "customer_id": event.customer_id}]
        case AppealOpened():
            withheld = event.confidential or event.anonymous
            its = {"subject_id": event.appeal_id, "policy": event.policy, "source": event.source, "withheld": withheld}
            return [{**empty, **its, "first_contact": event.first_contact, "customer_id": event.customer_id}]
        case VisitPlan():
            return [{**empty, "subject_id": event.visit_id, "customer_id": event.customer_id}]
        case _:
            return []


def _owned(event: Event, said: datetime) -> list[dict[str, Any]]:
    if isinstance(event, HANDED):
        its = {"subject_id": event.appeal_id, "owner": event.handler, "handling_unit_code": event.handling_unit_code}
        return [{**its, "owned_said": said, "scheduled_at": None, "scheduled_said": None}]
    if isinstance(event, VisitPlan):
        owner = event.visitors[0] if event.visitors else None
        its = {"subject_id": event.visit_id, "owner": owner, "handling_unit_code": event.unit_code}
        return [{**its, "owned_said": said, "scheduled_at": event.scheduled_at, "scheduled_said": said}]
    return []
