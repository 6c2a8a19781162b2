"""What is done with subjects: keep what is heard of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.appeals import (
    AppealAct,
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealHeld,
    AppealOpened,
    AppealReopened,
)
from contracts.deadlines import DeadlineCancelled, DeadlineEvent, DeadlineRecalculated
from contracts.envelope import Event, Message
from contracts.visits import VisitArchived, VisitCancelled
from notifier.subjects import repository


async def opened(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns the numbers and types of appeals."""
    events = [m.event for m in messages if isinstance(m.event, AppealOpened)]
    rows = [{"id": e.appeal_id, "number": e.appeal_no, "appeal_type": e.appeal_type, "round": e.round} for e in events]
    await repository.name(tx, rows)


async def closed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that appeals came to their end."""
    events = [m.event for m in messages if isinstance(m.event, AppealClosed)]
    await repository.end(tx, [{"id": e.appeal_id, "ended": e.outcome} for e in events])


async def reopened(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that appeals are open again; messages of the rounds before are obsolete."""
    events = [m.event for m in messages if isinstance(m.event, AppealReopened)]
    await repository.reopen(tx, [{"id": e.appeal_id, "round": e.round} for e in events])


async def visits_ended(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that visits will not take place, or are complete."""
    ends = {VisitCancelled: "cancelled", VisitArchived: "archived"}
    events = [m.event for m in messages if isinstance(m.event, (VisitCancelled, VisitArchived))]
    await repository.end(tx, [{"id": e.visit_id, "ended": ends[type(e)]} for e in events])


async def acted(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns what acts on appeals, and clocks that were met, leave nothing to warn of."""
    rows = [{**row, "said_at": message.time} for message in messages for row in _stops(message.event)]
    await repository.stop(tx, rows)


async def moved(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that clocks were held, put later or cancelled: what was to be warned of before has no object any more."""
    await repository.move(tx, [(*key, message.time) for message in messages for key in _moves(message.event)])


def _moves(event: Event) -> list[tuple[UUID, int, str]]:
    match event:
        case AppealHeld():
            return [(event.appeal_id, event.round, milestone) for milestone in event.milestones]
        case DeadlineRecalculated() if event.due_at <= event.old_due_at:
            return []
        case DeadlineRecalculated() | DeadlineCancelled():
            return [(event.subject_id, event.round, event.milestone)]
        case _:
            return []


def _stops(event: Event) -> list[dict[str, Any]]:
    match event:
        case DeadlineEvent():
            return [_stop(event.subject_id, event, event.milestone, certain=True)]
        case AppealAnswered():  # an answer given to the customer is also a contact, whoever gave it
            return [_stop(event.appeal_id, event, done, certain=True) for done in ("answer", "contact")]
        case AppealContacted(result="reached" | "refused", counts=True):
            return [_stop(event.appeal_id, event, "contact", certain=False)]
        case AppealCalledBack(result="completed" | "refused"):
            return [_stop(event.appeal_id, event, "callback", certain=False)]
        case _:  # nobody responsible, or nobody reached: if that counts as enough attempts, the tracker says so
            return []


def _stop(subject_id: UUID, event: DeadlineEvent | AppealAct, milestone: str, *, certain: bool) -> dict[str, Any]:
    return {
        "subject_id": subject_id,
        "round": event.round,
        "milestone": milestone,
        "certain": certain,
        "at": event.at,
    }
