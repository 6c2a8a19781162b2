"""What is done with subjects: keep what is heard of them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.appeals import (
    AppealAct,
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealFollowedUp,
    AppealHeld,
    AppealOpened,
    AppealReclassified,
    AppealReopened,
    AppealResumed,
)
from contracts.deadlines import DeadlineCancelled, DeadlineEvent, DeadlineRecalculated
from contracts.envelope import Event, Message
from contracts.policies import PolicyWithdrawn
from contracts.visits import VisitArchived, VisitCancelled
from notifier.subjects import repository
from notifier.subjects.models import Subject

FOLLOW_UP = "follow_up"  # no milestone of a clock, but done as one is


async def opened(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns the numbers and types of appeals."""
    events = [m.event for m in messages if isinstance(m.event, AppealOpened)]
    rows = [{"id": e.appeal_id, "number": e.appeal_no, "appeal_type": e.appeal_type, "round": e.round} for e in events]
    await repository.name(tx, rows)


async def reclassified(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns that appeals are of another type."""
    events = [m.event for m in messages if isinstance(m.event, AppealReclassified)]
    for event in events:
        await repository.retype(tx, event.appeal_id, event.appeal_type, event.round)


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
    """Learns when clocks are due now, and which of them were cancelled."""
    last: dict[tuple[UUID, int, str], repository.Moved] = {}
    for message in sorted(messages, key=lambda message: message.time):
        event = message.event
        assert isinstance(event, (DeadlineRecalculated, DeadlineCancelled)), "nothing else moves a clock"
        key = event.subject_id, event.round, event.milestone
        dues = (event.due_at, event.old_due_at) if isinstance(event, DeadlineRecalculated) else (None, None)
        last[key] = (*key, *dues, message.time)
    await repository.move(tx, [last[key] for key in sorted(last)])


async def held(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns which clocks stand still, and that they go on."""
    events = [(m.event, m.time) for m in messages if isinstance(m.event, (AppealHeld, AppealResumed))]
    rows = [
        {
            "subject_id": event.appeal_id,
            "round": event.round,
            "milestones": event.milestones if isinstance(event, AppealHeld) else [],
            "said_at": said_at,
        }
        for event, said_at in events
    ]
    await repository.hold(tx, rows)


async def withdrawn(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns by which packs nobody is told any more."""
    await repository.withdraw(tx, {m.event.policy for m in messages if isinstance(m.event, PolicyWithdrawn)})


async def of(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Subject]:
    """What was heard of subjects."""
    return {each.id: each for each in await repository.of(tx, ids)}


def _stops(event: Event) -> list[dict[str, Any]]:
    match event:
        case DeadlineEvent():
            return [_stop(event.subject_id, event, event.milestone, certain=True)]
        case AppealAnswered():  # an answer given to the customer is also a contact, whoever gave it
            return [_stop(event.appeal_id, event, done, certain=True) for done in ("answer", "contact")]
        case AppealContacted(result="reached" | "refused", counts=True):
            return [_stop(event.appeal_id, event, "contact", certain=False)]
        case AppealCalledBack(result="completed" | "refused", counts=True):
            return [_stop(event.appeal_id, event, "callback", certain=False)]
        case AppealFollowedUp():
            return [_stop(event.appeal_id, event, FOLLOW_UP, certain=False)]
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
