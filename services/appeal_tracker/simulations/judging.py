"""One appeal of the past, judged by other rules: what each of its deadlines would have been, and whether it was kept.

What people did, and when, is taken as it was recorded; only the deadlines are others. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.acceptance import Attempt, called_back_at, contacted_at
from appeal_tracker.clocks.calculation import Hold, due, is_met
from appeal_tracker.clocks.planning import OF_THE_NAMED
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.policies.policy import CallbackRule, ContactRule, Limit, Policy


class Verdict(StrEnum):
    """What became, or would have become, of a deadline."""

    KEPT = "kept"
    BREACHED = "breached"
    UNDECIDED = "undecided"  # still open, or the appeal ended before it was due
    NONE = "none"  # there is no such deadline


class Ran(msgspec.Struct, frozen=True):
    """A clock as it was recorded; `promised` is the clock of a merged appeal whose deadline it kept, if that was
    earlier: from when that ran, and for which type and milestone."""

    milestone: str
    started_at: datetime
    due_at: datetime
    state: str
    stopped_at: datetime | None
    promised: tuple[datetime, str, str] | None = None


class Stand(msgspec.Struct, frozen=True):
    """A stretch in which the clocks of `milestones` stood still, of an appeal that was of this type then, where that is
    known; open while it has no end."""

    milestones: frozenset[str]
    since: datetime
    until: datetime | None
    appeal_type: str | None = None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at <= self.until)

    def until_at_most(self, stop: datetime | None) -> "Stand":
        """The same for a clock that was stopped: what stands no more is held no more."""
        if stop is None or (self.until is not None and self.until <= stop):
            return self
        return msgspec.structs.replace(self, until=max(self.since, stop))


class Round(msgspec.Struct, frozen=True):
    """One round of an appeal as it happened. `ended_at`: when it was closed, if it was. `counts_from`: the first of the
    rounds that are one with it, for the appeal was only reclassified between them; 0 where there are none.
    `appeal_type`: what it was when the round ended, where it has become another since."""

    number: int
    received_at: datetime
    ended_at: datetime | None
    clocks: Mapping[str, Ran]
    attempts: Sequence[Attempt]  # contacts by somebody responsible
    answers: Sequence[datetime]
    callbacks: Sequence[Attempt]  # by their own results
    stands: Sequence[Stand] = ()
    counts_from: int = 0
    appeal_type: str | None = None


class Rules(msgspec.Struct, frozen=True):
    """What a round is judged by, and the rules by which its contact and callback clocks were truly stopped."""

    appeal_type: str
    policy: Policy
    calendar: Calendar
    own_contact: ContactRule
    own_callback: CallbackRule
    anonymous: bool = False


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


_DID = {ClockState.MET: Verdict.KEPT, ClockState.BREACHED: Verdict.BREACHED}


def judge(its: Round, rules: Rules, as_of: datetime) -> Iterator[Judgement]:
    """Judges every deadline that the round had, or would have had, by what was known at `as_of`.

    A later round is judged by the deadlines that it had: what is to be done again was decided when it was reopened.
    """
    its_limits = rules.policy.limits(its.appeal_type or rules.appeal_type)
    its_own = [each for each in its_limits if not (rules.anonymous and each.milestone in OF_THE_NAMED)]
    limits = {limit.milestone: limit for limit in its_own}
    more = [each for each in limits if each not in its.clocks] if (its.counts_from or its.number) == 1 else []
    for milestone in [*its.clocks, *more]:
        clock, limit = its.clocks.get(milestone), limits.get(milestone)
        did = Verdict.NONE if clock is None else _DID.get(ClockState(clock.state), Verdict.UNDECIDED)
        start = None if limit is None else _start(its, limit, rules)
        stands = [] if limit is None else _stands(its, limit, rules)
        end = None if start is None or limit is None else _due(its, limit, start, stands, rules)
        if limit is None or start is None or end is None:
            if clock is not None:
                yield Judgement(its.number, milestone, did, Verdict.NONE, clock.due_at, None, clock.stopped_at)
            continue
        waits = any(each.until is None and is_met(each.since, end) for each in stands)  # and is due later than that
        stop = _stop(its, milestone, start, as_of if waits else end, rules)
        would = _verdict(its, stands, stop, end, as_of)
        yield Judgement(its.number, milestone, did, would, clock.due_at if clock else None, end, stop)


def _verdict(its: Round, stands: Sequence[Stand], stop: datetime | None, end: datetime, as_of: datetime) -> Verdict:
    if stop is not None:
        still = any(each.holds(stop) and is_met(each.since, end) for each in stands)  # and so it was in time
        return Verdict.KEPT if still or is_met(stop, end) else Verdict.BREACHED
    standing = [each.since for each in stands if each.until is None]
    seen_until = min([as_of, *standing, *([its.ended_at] if its.ended_at else [])])
    return Verdict.BREACHED if end < seen_until else Verdict.UNDECIDED


def _start(its: Round, limit: Limit, rules: Rules) -> datetime | None:
    """When the period began: as its clock did, if it had one; else with the fact that its limit names."""
    clock = its.clocks.get(limit.milestone)
    if clock is not None:
        return clock.started_at
    if limit.starts == "answered":
        return min(its.answers, default=None)
    if limit.starts == "contacted":
        in_vain_until = its.ended_at or max((each.at for each in its.attempts), default=its.received_at)
        return _contacted(its, rules.policy.contact, its.received_at, in_vain_until)
    return its.received_at


def _stands(its: Round, limit: Limit, rules: Rules) -> list[Stand]:
    """The stretches in which what a limit times stood still, each up to its stop at most."""
    types = (None, its.appeal_type or rules.appeal_type)
    clock = its.clocks.get(limit.milestone)
    stopped = clock.stopped_at if clock else None
    return [
        each.until_at_most(stopped)
        for each in its.stands
        if limit.milestone in each.milestones and (limit.holdable or each.appeal_type in types)
    ]


def _due(its: Round, limit: Limit, start: datetime, stands: Sequence[Stand], rules: Rules) -> datetime | None:
    """When the period would have ended: of the own and the promised one the earlier; None beyond all calendars."""
    holds = [Hold(each.since, each.until) for each in stands if each.until is not None]
    try:
        ends = [due(start, limit.within, rules.calendar, holds).due_at]
        clock = its.clocks.get(limit.milestone)
        if clock is not None and clock.promised is not None:
            began, appeal_type, milestone = clock.promised
            theirs = [each for each in rules.policy.limits(appeal_type) if each.milestone == milestone]
            ends += [due(began, each.within, rules.calendar).due_at for each in theirs]
        return min(ends)
    except NotCovered:
        return None


def _stop(its: Round, milestone: str, start: datetime, end: datetime, rules: Rules) -> datetime | None:
    """When it was truly done. What stopped its clock counts, unless another contact rule says otherwise; where it had
    no clock, or that was not stopped, what was done counts."""
    clock = its.clocks.get(milestone)
    recorded = clock.stopped_at if clock else None
    if milestone == "contact" and rules.policy.contact != rules.own_contact and (its.attempts or its.answers):
        return _contacted(its, rules.policy.contact, start, end)
    if milestone == "callback" and its.callbacks and _tries(rules.policy.callback) != _tries(rules.own_callback):
        return _called_back(its, rules, start)
    if recorded is not None:
        return recorded
    if milestone == "contact":
        return _contacted(its, rules.policy.contact, start, end)
    if milestone == "callback":
        return _called_back(its, rules, start)
    return min((at for at in its.answers if at >= start), default=None) if milestone == "answer" else None


def _contacted(its: Round, rule: ContactRule, start: datetime, end: datetime) -> datetime | None:
    """When the customer was reached by such a rule; an answer is also a contact."""
    reached = contacted_at(its.attempts, rule, start, end)
    return min((at for at in (reached, *its.answers) if at is not None and at >= start), default=None)


def _called_back(its: Round, rules: Rules, start: datetime) -> datetime | None:
    """When the customer counted as called back: calls in vain end with the last of them."""
    last = max((each.at for each in its.callbacks), default=start)
    return called_back_at(its.callbacks, rules.policy.callback, start, last)


def _tries(rule: CallbackRule) -> tuple[int, int]:
    return rule.attempts, rule.hours_apart
