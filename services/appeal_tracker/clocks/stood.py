"""In which of the recorded holds a clock stood still, and up to when, by the order in which all was recorded. Pure.

A deadline moves while its clock is open, and never afterwards. So what was recorded as a hold when the clock had ended
is none of its; one that lasted when it was stopped held it up to the stop; and one that lasted when it was cancelled
put nothing off: its deadline stayed where it stood.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.clocks.states import ClockState

STARTED, MET, CLOSED = "deadline_started", "deadline_met", "closed"
_ENDS = (MET, "deadline_breached", "deadline_cancelled")
_ROUNDS = ("reopened", "reclassified")


class Ran(Protocol):
    """What is asked about a clock."""

    id: UUID
    round: int
    state: str
    stopped_at: datetime | None


class Lasted(Protocol):
    """What is asked about a hold of a clock's milestone."""

    id: UUID
    round: int
    since: datetime
    until: datetime | None


class Recorded(Protocol):
    """What is asked about a line of the timeline."""

    kind: str
    at: datetime
    recorded_at: datetime
    data: dict[str, object]


class Stood(msgspec.Struct, frozen=True):
    """A hold as far as a clock stood still in it, `until` it ended or the clock did; None while it lasts. `counted`
    where it put the deadline off; `lasted`: it had no end when the clock had, or has none yet."""

    hold: UUID
    since: datetime
    until: datetime | None
    counted: bool = True
    lasted: bool = False


def cancelled_at(clock: Ran, recorded: Sequence[Recorded]) -> datetime | None:
    """When a clock was cancelled, if it was."""
    end = _end(clock, recorded) if clock.state == ClockState.CANCELLED else None
    return None if end is None else recorded[end].at


def stood(clock: Ran, holds: Iterable[Lasted], recorded: Sequence[Recorded]) -> list[Stood]:
    """The holds in which a clock stood still, of those that are about it, by all that was recorded of its subject."""
    end = _end(clock, recorded)
    rounds = [place for place, line in enumerate(recorded) if line.kind in _ROUNDS]
    begun, resumed = _places("held", recorded), _places("resumed", recorded)
    found = []
    for hold in holds:
        # Nobody held what was closed and goes on: it was its reopening that had it stand still until then.
        reopened = rounds[hold.round - 2] if 1 < hold.round <= len(rounds) + 1 else -1
        since = begun.get(str(hold.id), reopened)
        until = resumed.get(str(hold.id), since) if hold.until is not None else None
        its = _open(clock, hold) if end is None else _ended(clock, hold, since, until, end, recorded)
        found += [its] if its is not None else []
    return found


def _places(kind: str, recorded: Iterable[Recorded]) -> dict[object, int]:
    """Where the lines of one kind stand, by the holds that they name."""
    return {line.data.get("hold_id"): place for place, line in enumerate(recorded) if line.kind == kind}


def _end(clock: Ran, recorded: Iterable[Recorded]) -> int | None:
    """Where it stands that a clock ended; None while it is open, and where it came breached from an earlier round."""
    if clock.state in (ClockState.RUNNING, ClockState.HELD):
        return None
    found, number = None, 1
    for place, line in enumerate(recorded):
        number += line.kind in _ROUNDS
        if line.data.get("clock_id") == str(clock.id):
            if line.kind == STARTED:  # also again, by another policy
                found = None
            elif line.kind in _ENDS and found is None:
                found = place
        elif line.kind == CLOSED and number == clock.round and clock.state == ClockState.CANCELLED:
            found = place if found is None else found
    return found


def _open(clock: Ran, hold: Lasted) -> Stood | None:
    # One that was past already when a hold began that still lasts has nothing to wait for.
    if hold.until is None and clock.state != ClockState.HELD:
        return None
    return Stood(hold.id, hold.since, hold.until, lasted=hold.until is None)


def _ended(
    clock: Ran, hold: Lasted, begun: int, resumed: int | None, end: int, recorded: Sequence[Recorded]
) -> Stood | None:
    """The places are those of the lines that say so; what closing ended it cancelled as it stood."""
    if begun > end:
        return None
    lasted = resumed is None or resumed > end or _by_closing(resumed, end, recorded)
    if not lasted:
        return Stood(hold.id, hold.since, hold.until, lasted=_by_the_stop(resumed, end, recorded))
    if clock.stopped_at is not None:
        return Stood(hold.id, hold.since, max(hold.since, clock.stopped_at), lasted=True)
    return Stood(hold.id, hold.since, max(hold.since, recorded[end].at), counted=False, lasted=True)


def _by_closing(resumed: int, end: int, recorded: Sequence[Recorded]) -> bool:
    its, closed = recorded[resumed], recorded[end]
    return closed.kind == CLOSED and resumed == end - 1 and its.recorded_at == closed.recorded_at


def _by_the_stop(resumed: int | None, end: int, recorded: Sequence[Recorded]) -> bool:
    """Whether it was what stopped the clock that ended the hold too: nobody did anything in between."""
    if resumed is None or recorded[end].kind != MET or recorded[resumed].recorded_at != recorded[end].recorded_at:
        return False
    return all(line.kind.startswith("deadline_") for line in recorded[resumed + 1 : end])
