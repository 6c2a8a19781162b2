"""What is recorded out of order: a fact came true earlier than what was recorded before says. Pure.

The clocks that run from it have run since then, and what they wait for may have been recorded before them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from appeal_tracker.clocks.acceptance import Attempt, called_back_at, counted_at
from appeal_tracker.clocks.planning import Timed, limit_of
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.policies.policy import CallbackRule, Policy

CALLBACK = "callback"
# What the timeline says of an act that stops a clock which can run from another act.
_DONE = {CALLBACK: "called_back", "answer": "answered"}
_REACHED = "milestone_reached"


class Running(Timed, Protocol):
    """What is asked about a clock."""

    state: str
    started_at: datetime


class Recorded(Protocol):
    """What is asked about a fact of the timeline."""

    kind: str
    at: datetime
    data: dict[str, object]


C = TypeVar("C", bound=Running)


def begun_too_late(clocks: Iterable[C], policy: Policy, fact: str, at: datetime) -> list[C]:
    """Those of an appeal's clocks that run from a fact later than it came true. What has ended stays as it is."""
    running = (clock for clock in clocks if clock.state in (ClockState.RUNNING, ClockState.HELD))
    limits = ((clock, limit_of(policy, clock)) for clock in running if clock.started_at > at)
    return [clock for clock, limit in limits if limit is not None and limit.starts == fact]


def done_at(
    entries: Iterable[Recorded], milestone: str, since: datetime, called_back: CallbackRule | None
) -> datetime | None:
    """When a milestone was first reached from an instant on, by what was recorded so far; None if it was not.
    `called_back`: the rule of a customer who counts as called back; None of one who does not, whoever called."""
    if milestone == CALLBACK:
        return counted_at(_calls(entries), called_back, since) if called_back else None
    its = (each.at for each in _since_reopened(entries) if each.at >= since and _reaches(each, milestone))
    return min(its, default=None)


def called_back(entries: Iterable[Recorded], rule: CallbackRule, since: datetime, now: datetime) -> datetime | None:
    """When a customer came to count as called back about an answer of `since`, by what was recorded so far."""
    return called_back_at(_calls(entries), rule, since, now)


def _calls(entries: Iterable[Recorded]) -> list[Attempt]:
    calls = (each for each in _since_reopened(entries) if _reaches(each, CALLBACK))
    return [Attempt(each.at, str(each.data.get("result", "completed"))) for each in calls]


def _since_reopened(entries: Iterable[Recorded]) -> list[Recorded]:
    """What counts by now: a new round may begin at the very instant at which something was done in the one before."""
    its = [*entries]
    return its[max((place for place, each in enumerate(its) if each.kind == "reopened"), default=0) :]


def _reaches(entry: Recorded, milestone: str) -> bool:
    if entry.kind == _REACHED:
        return entry.data.get("milestone") == milestone
    return entry.kind == _DONE.get(milestone)
