"""What a policy times besides for an appeal that runs already: which clocks begin, and where they would have begun."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.clocks.acceptance import contacted_at, counted_at
from appeal_tracker.clocks.planning import OF_THE_NAMED, NewClock, Planner, Subject
from appeal_tracker.clocks.replanning import Plan
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.policies.policy import Policy
from appeal_tracker.recalculations.subjects import Deeds, Milestone, OnWhat, OpenAppeal, OpenClock

CONTACT, ANSWER, CALLBACK = "contact", "answer", "callback"
_CONTACTED = (State.CONTACTED, State.ANSWERED, State.CALLED_BACK)


class Relabelling(msgspec.Struct, frozen=True):
    """An appeal that runs by another policy now."""

    appeal: OpenAppeal
    policy: Policy
    assumed: bool


class Starting(msgspec.Struct, frozen=True):
    """A clock that the other policy gives besides; `again` where it ran in this round before, until a policy came that
    does not time it. `done_at` where what it waits for was done before."""

    on: OnWhat
    policy: Policy
    clock: NewClock
    again: bool
    done_at: datetime | None

    def as_open(self) -> OpenClock:
        """The clock as it will stand, for being planned together with others; something may have held it."""
        its, subject = self.clock, self.clock.subject
        return OpenClock(
            on=self.on,
            id=its.id,
            subject_kind=subject.kind,
            subject_id=subject.id,
            round=subject.round,
            milestone=its.milestone,
            appeal_type=subject.appeal_type,
            started_at=its.started_at,
            due_at=its.due_at,
            policy=its.policy,
            calendar=its.calendar,
            provisional=its.provisional,
            state=ClockState.RUNNING,
            follows=None,
            promised_by=None,
            is_merged=False,
            was_held=True,
        )

    def is_bound(self, plan: Plan, tied: Collection[UUID | None]) -> bool:
        """Whether it does not run by itself from its start on: it is merged, or something holds it or held it."""
        alone = plan.state == ClockState.RUNNING and plan.due_at == self.clock.due_at
        return self.clock.id in tied or not (alone or self._was_done_in(plan))

    def by(self, plan: Plan, now: datetime) -> "Starting":
        """The same, due as planned."""
        if self._was_done_in(plan):
            return self
        late = self.clock.late_arrival and plan.state == ClockState.RUNNING and plan.due_at < now
        its = {"due_at": plan.due_at, "provisional": plan.provisional, "late_arrival": late}
        clock = msgspec.structs.replace(self.clock, **its)
        return msgspec.structs.replace(self, clock=clock)

    def _was_done_in(self, plan: Plan) -> bool:
        # A hold that is open now does not hold what was done.
        return self.done_at is not None and plan.state == ClockState.HELD


def lacking(its: Relabelling, standing: Sequence[Milestone]) -> set[str]:
    """The milestones that the policy times and nothing on the appeal does. Only who begins a round anew is contacted
    again in a later one."""
    there = {clock.milestone for clock in standing if clock.state != ClockState.CANCELLED}
    if its.appeal.reopened_at is not None and its.appeal.state != State.OPEN:
        there.add(CONTACT)
    if its.appeal.anonymous:
        there |= OF_THE_NAMED
    return {limit.milestone for limit in its.policy.limits(its.appeal.type)} - there


def begun(
    planner: Planner, its: Relabelling, lacks: set[str], standing: Sequence[Milestone], deeds: Deeds, now: datetime
) -> list[Starting]:
    """The clocks of what an appeal `lacks`, from where its facts would have let them begin; what is past with that
    `now` is a late arrival."""
    appeal = its.appeal
    subject = Subject(SUBJECT, appeal.id, appeal.round, appeal.type, appeal.anonymous)
    since = appeal.reopened_at or appeal.received_at
    started = planner.clocks_started(subject, "received", since, its.policy, now)
    # Where nothing sets an end, what was recorded so far was in time.
    last = max((attempt.at for attempt in deeds.attempts), default=since)
    end = next((clock.due_at for clock in started if clock.milestone == CONTACT), last)
    reached = contacted_at(deeds.attempts, its.policy.contact, since, end)
    contacts = [at for at in (reached, deeds.answered_at) if at is not None]  # an answer is also a contact
    contacted = min(contacts, default=None)
    if contacted is None and appeal.reopened_at is not None and appeal.state in _CONTACTED:
        contacted = since  # they were in an earlier round
    if contacted is not None:
        started += planner.clocks_started(subject, "contacted", contacted, its.policy, now)
    if deeds.answered_at is not None:
        started += planner.clocks_started(subject, "answered", deeds.answered_at, its.policy, now)
    called = counted_at(deeds.callbacks, its.policy.callback, deeds.answered_at or since)
    stops = {CONTACT: contacted, ANSWER: deeds.answered_at, CALLBACK: called}
    before = {clock.milestone: clock.id for clock in standing}
    return [_starting(its, clock, before, stops) for clock in started if clock.milestone in lacks]


def _starting(
    its: Relabelling, clock: NewClock, before: Mapping[str, UUID], stops: Mapping[str, datetime | None]
) -> Starting:
    again = clock.milestone in before
    called = msgspec.structs.replace(clock, id=before[clock.milestone]) if again else clock
    return Starting(its.appeal.on, its.policy, called, again, stops.get(clock.milestone))
