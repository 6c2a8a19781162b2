"""Holds as they are recorded: begun, ended, and the time between a closing and a reopening that goes on."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks import repository
from appeal_tracker.clocks.models import RecordedHold
from appeal_tracker.clocks.planning import Subject
from chassis.ids import new_id

# The reason of a hold that nobody asked for: the appeal was closed meanwhile. What people write is sealed elsewhere.
CLOSED = "closed"


async def begin(
    tx: AsyncSession,
    subject: Subject,
    milestones: Collection[str],
    since: datetime,
    until: datetime | None = None,
    *,
    reason: str | None = None,
    by: str,
    now: datetime,
) -> RecordedHold:
    """Records that clocks of a subject's round stand still; which those are changes with the next recalculation."""
    hold = RecordedHold(
        id=new_id(),
        subject_id=subject.id,
        round=subject.round,
        milestones=sorted(milestones),
        since=since,
        until=until,
        reason=reason,
        note=None,
        held_by=by,
        resumed_by=by if until is not None else None,
        recorded_at=now,
        appeal_type=subject.appeal_type,
    )
    tx.add(hold)
    await tx.flush()
    return hold


async def open_hold(tx: AsyncSession, subject: UUID) -> RecordedHold:
    """The hold of a held subject."""
    return next(hold for hold in await repository.holds(tx, [subject]) if hold.until is None)


async def end(tx: AsyncSession, subject: UUID, at: datetime, by: str) -> RecordedHold:
    """Ends the hold of a held subject; what ended it may have happened before it began, and then it held nothing."""
    hold = await open_hold(tx, subject)
    hold.until, hold.resumed_by = max(at, hold.since), by
    await tx.flush()
    return hold
