"""What is done with deliveries: hear what must be told, show what became of it, try again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.errors import NotFound
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealResumed
from contracts.deadlines import LadderEvent
from contracts.envelope import Message
from notifier.channels.models import Mail
from notifier.deliveries import repository
from notifier.deliveries.errors import NotRetriable
from notifier.deliveries.models import Delivery
from notifier.deliveries.schemas import RetryMany
from notifier.routes import service as routes
from notifier.routes.events import stem
from notifier.subjects import service as subjects

AT_ONCE = 5000  # deliveries that one call tries again
RETRIABLE = frozenset({"failed", "unknown", "dead"})


async def tell(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Notes what people must be told of; who they are is looked up by the planner."""
    await repository.hear(tx, [_notice(m, m.event) for m in messages if isinstance(m.event, LadderEvent)])


async def tell_of_acts(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Notes those acts of which some route speaks; whom they are told to is looked up by the planner."""
    spoken_of = await routes.spoken_of(tx)
    notices = [_act(m, m.event) for m in messages if stem(type(m.event)) in spoken_of]
    if notices:
        await repository.hear(tx, notices)


async def resumed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that what was held goes on; what waited for that is looked at again."""
    await subjects.held(tx, messages)
    its = {m.event.appeal_id for m in messages if isinstance(m.event, AppealResumed)}
    await repository.look_again(tx, its, max(m.time for m in messages))


async def listed(
    tx: AsyncSession,
    caller: Principal,
    window: Window,
    *,
    appeal_id: UUID | None = None,
    event_id: UUID | None = None,
    **same: str | None,
) -> Listing[Delivery]:
    """Deliveries that the caller may see."""
    return await repository.page(tx, caller.unit, window, appeal_id=appeal_id, event_id=event_id, **same)


async def one(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Delivery:
    """The delivery. Raises `NotFound`."""
    delivery = await repository.get(tx, caller.unit, id, lock=lock)
    if delivery is None:
        raise NotFound
    return delivery


async def retry(tx: AsyncSession, caller: Principal, id: UUID, now: datetime) -> Delivery:
    """Queues a delivery again, with as many tries as a new one; truth, addressee and hour are checked as for any other.
    Of one that is unknown the provider is asked first, and what it does not have, or cannot tell of, is handed over
    again as the same send. Raises `NotFound`, `NotRetriable`."""
    delivery = await one(tx, caller, id)
    if delivery.send_id is not None:
        await repository.hold_send(tx, delivery.send_id)  # first, as whoever records its outcome does
    delivery = await one(tx, caller, id, lock=True)
    if delivery.state not in RETRIABLE:
        raise NotRetriable(state=delivery.state)
    why = f"retried_by:{caller.sub}"
    if delivery.state == "unknown":
        assert delivery.send_id is not None, "unknown is what became of a send"
        await repository.ask_again(tx, delivery.send_id, why, now)
        return await one(tx, caller, id, lock=True)
    delivery.state, delivery.why = "queued", why
    delivery.tries, delivery.next_try_at, delivery.send_id = 0, None, None
    delivery.not_before = delivery.updated_at = now
    await tx.flush()
    return delivery


async def retry_many(tx: AsyncSession, caller: Principal, which: RetryMany, now: datetime) -> tuple[int, bool, int]:
    """Tries again, as `retry` does, what the caller sees of `which`, so many at most; or counts. And whether there is
    more, and how many were left out, since the same arrived by a fallback."""
    otherwise = await repository.arrived_otherwise(tx, caller.unit, which)
    found = await repository.retriable(tx, caller.unit, which, most=AT_ONCE + 1, lock=not which.dry_run)
    its = found[:AT_ONCE]
    if not which.dry_run:
        why = f"retried_by:{caller.sub}"
        sends = {row.send_id for row in its if row.state == "unknown"}
        for send in sorted(send for send in sends if send is not None):
            await repository.ask_again(tx, send, why, now)
        await repository.queue_again(tx, [row.id for row in its if row.state != "unknown"], why, now)
    return len(its), len(found) > AT_ONCE, otherwise


async def mails(tx: AsyncSession, caller: Principal, window: Window, recipient: str | None) -> Listing[Mail]:
    """Letters in the local mailbox that the caller may see: their own, and those about what they may see."""
    return await repository.mails(tx, caller.sub, caller.unit, window, recipient)


def _notice(message: Message, event: LadderEvent) -> dict[str, Any]:
    return {
        "event_id": message.id,
        "said_at": message.time,
        "traceparent": message.traceparent,
        "event_type": message.type.rpartition(".v")[0],
        "step": event.step,
        "audience": event.audience,
        "late": event.late,
        "late_arrival": event.late_arrival,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "visit_id": event.visit_id,
        "unit_code": event.unit_code,
        "handling_unit_code": event.handling_unit_code,
        "milestone": event.milestone,
        "round": event.round,
        "due_at": event.due_at,
        "at": event.at,
        "owner": event.owner,
        "first_contact": event.first_contact,
        "packs": event.packs or None,
        "person": None,
        "by": None,
        "scheduled_at": None,
        "task_id": None,
        "kind": None,
        "asked_unit_code": None,
    }


def _act(message: Message, event: Any) -> dict[str, Any]:
    about = getattr(event, "appeal_id", None)
    return {
        "event_id": message.id,
        "said_at": message.time,
        "traceparent": message.traceparent,
        "event_type": stem(type(event)),
        "step": None,
        "audience": [],
        "late": False,
        "late_arrival": False,
        "subject_kind": getattr(event, "subject_kind", "appeal" if about else "visit"),
        "subject_id": about or getattr(event, "subject_id", None) or event.visit_id,
        "visit_id": event.visit_id,
        "unit_code": event.unit_code,
        "handling_unit_code": getattr(event, "handling_unit_code", event.unit_code),
        "milestone": getattr(event, "milestone", None),
        "round": getattr(event, "round", 1),
        "due_at": getattr(event, "due_at", None),
        "at": getattr(event, "at", message.time),
        "owner": getattr(event, "handler", None) or getattr(event, "owner", None),
        "first_contact": getattr(event, "first_contact", None) or getattr(event, "raised_by", None),
        "by": getattr(event, "by", None),
        "packs": None,
        "person": getattr(event, "person", None),
        "scheduled_at": getattr(event, "scheduled_at", None),
        "task_id": getattr(event, "task_id", None),
        "kind": getattr(event, "kind", None),
        "asked_unit_code": getattr(event, "asked_unit_code", None),
    }
