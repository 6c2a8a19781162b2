"""What is done with subjects: keep what is heard of them."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.appeals import (
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealOpened,
    AppealReopened,
)
from contracts.deadlines import DeadlineEvent
from contracts.envelope import Event, Message
from contracts.visits import VisitArchived, VisitCancelled
from notifier.subjects import repository
from notifier.subjects.repository import StopKey


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
    await repository.stop(tx, [stop for message in messages for stop in _stops(message.event)])


def _stops(event: Event) -> list[StopKey]:
    match event:
        case DeadlineEvent():
            return [(event.subject_id, event.round, event.milestone)]
        case AppealAnswered():  # an answer given to the customer is also a contact
            return [(event.appeal_id, event.round, "answer"), (event.appeal_id, event.round, "contact")]
        case AppealContacted(result="reached" | "refused"):
            return [(event.appeal_id, event.round, "contact")]
        case AppealCalledBack(result="completed" | "refused"):
            return [(event.appeal_id, event.round, "callback")]
        case _:  # an attempt that reached nobody: if it counts, the tracker says so by a met deadline
            return []
