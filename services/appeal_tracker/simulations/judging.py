"""One appeal of the past, judged by other rules: what each of its deadlines would have been, and whether it was kept.

What people did, and when, is taken as it was recorded, and each clock brings what it ran by: its policy, its calendar
and its holds, and the same of the clock whose promise it kept. A candidate stands in for what it names, and for nothing
else. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.acceptance import Attempt, called_back_at, contacted_at
from appeal_tracker.clocks.calculation import Hold, due, is_met
from appeal_tracker.clocks.planning import OF_THE_NAMED, limit_of
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.stood import Stood
from appeal_tracker.policies.policy import CallbackRule, ContactRule, Limit, Policy
from appeal_tracker.simulations.candidate import Candidate


class Verdict(StrEnum):
    """What became, or would have become, of a deadline."""

    KEPT = "kept"
    BREACHED = "breached"
    UNDECIDED = "undecided"  # still open, or the appeal ended before it was due
    NONE = "none"  # there is no such deadline


class Run(msgspec.Struct, frozen=True):
    """What a deadline is counted by: which milestone of which appeal, of which type then, it is; since when it ran, by
    which policy on which calendar; and the holds in which it stood still."""

    subject_kind: ClassVar[str] = "appeal"

    subject_id: UUID
    round: int
    milestone: str
    appeal_type: str
    started_at: datetime
    policy: Policy
    calendar: Calendar
    stood: Sequence[Stood] = ()


class Ran(msgspec.Struct, frozen=True):
    """A clock as it was recorded; or what had no clock, and so no state.

    `promised` is what the clock of a merged appeal ran by whose deadline it kept, if that was earlier; of one that has
    moved since, when it was due.
    """

    run: Run
    due_at: datetime | None = None
    state: str | None = None
    stopped_at: datetime | None = None
    cancelled_at: datetime | None = None
    promised: Run | datetime | None = None


class Held(Protocol):
    """What is asked about a hold of an appeal, of what had no clock in it."""

    id: UUID
    since: datetime
    until: datetime | None

    def stops(self, clock: Run, *, holdable: bool) -> bool: ...


class Round(msgspec.Struct, frozen=True):
    """One round of an appeal as it happened. `appeal_type`: what it was when the round ended, at `ended_at` if it did.
    `counts_from`: the first of the rounds that are one with it, for the appeal was only reclassified between them.
    `holds` are those of the appeal."""

    appeal_id: UUID
    number: int
    appeal_type: str
    received_at: datetime
    ended_at: datetime | None
    clocks: Sequence[Ran]
    attempts: Sequence[Attempt]  # contacts by somebody responsible
    answers: Sequence[datetime]
    callbacks: Sequence[Attempt]  # by their own results
    holds: Sequence[Held] = ()
    counts_from: int = 1


class Rules(msgspec.Struct, frozen=True):
    """What the rounds of an appeal are judged by: a candidate. `calendar` is the newest of the one that the appeal
    keeps, for what had no clock."""

    candidate: Candidate
    newest: Mapping[str, Calendar]
    calendar: Calendar
    anonymous: bool = False

    def policy(self, run: Run) -> Policy:
        return self.candidate.policy_for(run.policy)

    def limit(self, run: Run) -> Limit | None:
        return limit_of(self.policy(run), run)

    def due(self, run: Run) -> datetime | None:
        """When a period would have ended; None where there is none, or not before the calendars do."""
        limit, calendar = self.limit(run), self.candidate.calendar_for(run.calendar, self.newest)
        holds = [Hold(each.since, each.until) for each in run.stood if each.counted and each.until is not None]
        try:
            return due(run.started_at, limit.within, calendar, holds).due_at if limit else None
        except NotCovered:
            return None


class Judgement(msgspec.Struct, frozen=True):
    """What became of one deadline, and what would have."""

    round: int
    milestone: str
    did: Verdict
    would: Verdict
    due_at: datetime | None
    would_be_due_at: datetime | None
    stopped_at: datetime | None

    @property
    def newly_breached(self) -> bool:
        """It would have been breached, and was not."""
        return self.would is Verdict.BREACHED and self.did is not Verdict.BREACHED

    @property
    def newly_kept(self) -> bool:
        """It was breached, and would not have been."""
        return self.did is Verdict.BREACHED and self.would is not Verdict.BREACHED


def judge(its: Round, rules: Rules, as_of: datetime) -> Iterator[Judgement]:
    """Judges every deadline that the round had, or would have had, by what was known at `as_of`."""
    for clock in [*its.clocks, *_besides(its, rules)]:
        run, did = clock.run, _did(clock, as_of)
        end = rules.due(run)
        promised = rules.due(clock.promised) if isinstance(clock.promised, Run) else clock.promised
        if end is None:
            if clock.state is not None:
                yield Judgement(its.number, run.milestone, did, Verdict.NONE, clock.due_at, None, clock.stopped_at)
            continue
        end = min(end, promised or end)
        waits = any(each.until is None and is_met(each.since, end) for each in run.stood)  # and is due later than that
        stop = _stop(its, clock, as_of if waits else end, rules)
        would = _would(its, clock, stop, end, rules, as_of)
        yield Judgement(its.number, run.milestone, did, would, clock.due_at, end, stop)


def _besides(its: Round, rules: Rules) -> Iterator[Ran]:
    """What had no clock and would have had one by another policy, from the fact on that its limit names.

    A later round is judged by the deadlines that it had: what is to be done again was decided when it was reopened.
    """
    policy, had = rules.candidate.policy, {clock.run.milestone for clock in its.clocks}
    if policy is None or its.counts_from > 1:
        return
    for limit in policy.limits(its.appeal_type):
        start = _start(its, limit, policy)
        nobody = rules.anonymous and limit.milestone in OF_THE_NAMED
        if start is None or nobody or limit.milestone in had:
            continue
        run = Run(its.appeal_id, its.number, limit.milestone, its.appeal_type, start, policy, rules.calendar)
        held = [each for each in its.holds if each.stops(run, holdable=limit.holdable)]
        stood = [Stood(each.id, each.since, each.until, lasted=each.until is None) for each in held]
        yield Ran(msgspec.structs.replace(run, stood=stood))


def _start(its: Round, limit: Limit, policy: Policy) -> datetime | None:
    if limit.starts == "answered":
        return min(its.answers, default=None)
    if limit.starts == "contacted":
        in_vain_until = its.ended_at or max((each.at for each in its.attempts), default=its.received_at)
        return _contacted(its, policy.contact, its.received_at, in_vain_until)
    return its.received_at


_DID = {ClockState.MET: Verdict.KEPT, ClockState.BREACHED: Verdict.BREACHED}


def _did(clock: Ran, as_of: datetime) -> Verdict:
    if clock.state is None or clock.due_at is None:
        return Verdict.NONE
    if clock.state == ClockState.RUNNING and clock.due_at <= as_of:
        return Verdict.BREACHED  # and nobody has recorded that yet
    return _DID.get(ClockState(clock.state), Verdict.UNDECIDED)


def _would(its: Round, clock: Ran, stop: datetime | None, end: datetime, rules: Rules, as_of: datetime) -> Verdict:
    stood = clock.run.stood
    if stop is not None:
        recorded = stop == clock.stopped_at
        still = [each for each in stood if (each.lasted if recorded else _holds(each, stop))]
        in_time = is_met(stop, end) or any(is_met(each.since, end) for each in still)
        return Verdict.KEPT if in_time else Verdict.BREACHED
    over = [its.ended_at, _given_up(clock, rules), *(each.since for each in stood if each.lasted)]
    past = end <= as_of and all(end < each for each in over if each is not None)
    return Verdict.BREACHED if past else Verdict.UNDECIDED


def _given_up(clock: Ran, rules: Rules) -> datetime | None:
    """When a clock was cancelled; by another policy it would have run until the round ended."""
    return clock.cancelled_at if rules.candidate.policy is None else None


def _holds(stood: Stood, at: datetime) -> bool:
    return stood.since <= at and (stood.until is None or at <= stood.until)


def _stop(its: Round, clock: Ran, end: datetime, rules: Rules) -> datetime | None:
    """When it was truly done. What stopped its clock counts, unless another contact rule says otherwise; where it had
    no clock, or that was not stopped, what was done counts, if not for what was given up."""
    if _given_up(clock, rules) is not None:
        return None
    own, policy, milestone, start = clock.run.policy, rules.policy(clock.run), clock.run.milestone, clock.run.started_at
    looks_again = policy.contact != own.contact and bool(its.attempts or its.answers)
    if milestone == "contact" and (clock.stopped_at is None or looks_again):
        return _contacted(its, policy.contact, start, end)
    calls_again = _tries(policy.callback) != _tries(own.callback) and bool(its.callbacks)
    if milestone == "callback" and (clock.stopped_at is None or calls_again):
        return _called_back(its, policy.callback, start)
    if milestone == "answer" and clock.stopped_at is None:
        return min((at for at in its.answers if at >= start), default=None)
    return clock.stopped_at


def _contacted(its: Round, rule: ContactRule, start: datetime, end: datetime) -> datetime | None:
    """When the customer was reached by such a rule; an answer is also a contact."""
    reached = contacted_at(its.attempts, rule, start, end)
    return min((at for at in (reached, *its.answers) if at is not None and at >= start), default=None)


def _called_back(its: Round, rule: CallbackRule, start: datetime) -> datetime | None:
    """When the customer counted as called back: calls in vain end with the last of them."""
    last = max((each.at for each in its.callbacks), default=start)
    return called_back_at(its.callbacks, rule, start, last)


def _tries(rule: CallbackRule) -> tuple[int, int]:
    return rule.attempts, rule.hours_apart
