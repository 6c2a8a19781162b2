"""What a visit lets clocks run from, and what they wait for. Pure.

    appointed ──the visitors are there──>        (003 art. 10(2)7: within the agreed hour, from its beginning)
    completed ─────────────────────────── the record is archived ──>
    appeals_closed ────────────────────── the record is archived ──>   (000 §7.2.6: in time)

The last two are the end of the visit, and the end of it and of every appeal that was raised on it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from appeal_tracker.clocks.states import ClockState


class Followed(Protocol):
    """What is known of a visit."""

    window_from: datetime | None
    appointed_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    missed_at: datetime | None
    archived_at: datetime | None


class Ticking(Protocol):
    """What is asked about a clock."""

    state: str
    stopped_at: datetime | None


class Standing(msgspec.Struct, frozen=True):
    """How the appeals raised on a visit stand: whether one is open, and when the last of the others was closed."""

    open: bool = False
    closed_at: datetime | None = None


def facts(visit: Followed, appeals: Standing) -> dict[str, datetime]:
    """The facts that hold, by the names a policy starts clocks from, each with the instant a clock runs from.

    Nothing runs on a visit that will not take place. What comes after the record was archived changes it no more: a
    reopened appeal adds a supplement to it.
    """
    if gone_at(visit) is not None:
        return {}
    found = {}
    if visit.window_from is not None:
        found["appointed"] = visit.window_from
    if visit.completed_at is not None:
        found["completed"] = visit.completed_at
        if not appeals.open:
            found["appeals_closed"] = max(visit.completed_at, appeals.closed_at or visit.completed_at)
    archived = visit.archived_at
    return {fact: at for fact, at in found.items() if fact == "appointed" or archived is None or at <= archived}


def stops(visit: Followed) -> Mapping[str, datetime | None]:
    """When that happened which the clocks wait for, by the fact they run from: whoever has begun is there."""
    there = [at for at in (visit.arrived_at, visit.started_at) if at is not None]
    return {
        "appointed": min(there, default=None),
        "completed": visit.archived_at,
        "appeals_closed": visit.archived_at,
    }


def gone_at(visit: Followed) -> datetime | None:
    """When the visit was called off, or found to have been missed."""
    return visit.cancelled_at or visit.missed_at


def is_open(clock: Ticking) -> bool:
    """Whether a clock still waits: it runs, or was breached and what it waits for has not come since."""
    return clock.state in (ClockState.RUNNING, ClockState.HELD) or (
        clock.state == ClockState.BREACHED and clock.stopped_at is None
    )
