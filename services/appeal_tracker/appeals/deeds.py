"""One act in the making, about a group of locked appeals: how it moves them, and what it does to their clocks."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import belated, lifecycle, repository, showing
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.errors import (
    AppealIsClosed,
    AppealIsHeld,
    AppealIsMerged,
    AppealNotClosed,
    AppealNotHeld,
    AppealNotMerged,
    AppealUnanswered,
)
from appeal_tracker.appeals.lifecycle import Act, Refused, Rule, State
from appeal_tracker.appeals.models import SUBJECT, Appeal
from appeal_tracker.clocks import holding, recalculation, telling, timeline
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.acceptance import Attempt, contacted_at
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import NewClock
from appeal_tracker.clocks.recalculation import Target
from appeal_tracker.clocks.service import Stopped
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.timeline import Entry
from appeal_tracker.clocks.verdict import last_in_time
from appeal_tracker.texts import service as texts
from appeal_tracker.texts.service import TEXT_ID, WORDS, Said, Text
from appeal_tracker.visits import service as visits
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Problem
from chassis.web.tokens import Principal
from contracts.appeals import AppealResumed
from contracts.envelope import Event

_PROBLEMS: dict[Rule, type[Problem]] = {
    Rule.CLOSED: AppealIsClosed,
    Rule.NOT_CLOSED: AppealNotClosed,
    Rule.UNANSWERED: AppealUnanswered,
    Rule.HELD: AppealIsHeld,
    Rule.NOT_HELD: AppealNotHeld,
    Rule.MERGED: AppealIsMerged,
    Rule.NOT_MERGED: AppealNotMerged,
}
# Who answers by a link, and is nobody of the staff; and whoever the service acts for by itself.
CUSTOMER = Principal("customer", None, frozenset())
NOBODY = Principal("nobody", None, frozenset())
CONTACT = "contact"
_OPEN = (ClockState.RUNNING, ClockState.HELD)


class Deed:
    """One act in the making: what it changes and what it tells; `settle` writes what is told, in the order it was said.

    `case` is the appeal acted on, `leader` the one that speaks for it: itself, unless it is merged; `group` all that
    are merged together, the leader first. What is done about the leader is done about all of them.
    """

    def __init__(
        self,
        tx: AsyncSession,
        runtime: Runtime,
        caller: Principal,
        group: Sequence[Case],
        acted: UUID,
        last: "Callable[[Deed], Awaitable[None]]",
    ) -> None:
        self.tx, self.caller, self.group = tx, caller, [*group]
        self.leader = group[0]
        self.case = next(case for case in group if case.appeal.id == acted)
        self.by = None if caller is CUSTOMER or caller is NOBODY else caller.sub
        self.now = runtime.clock.now()
        self._runtime, self._last = runtime, last
        self._events: list[Event] = []
        self._entries: list[Entry] = []
        self._texts: list[Text] = []
        self._goes_on = False
        self._put_off: set[UUID] = set()

    @property
    def appeal(self) -> Appeal:
        """The appeal acted on."""
        return self.case.appeal

    def concerned(self, act: Act, at: datetime) -> list[Case]:
        """The appeal, and those merged into it that an act of that time is about too: they take it, and were there."""
        if self.case is not self.leader:
            return [self.case]
        others = (case for case in self.group[1:] if case.appeal.since <= at)
        return [self.case, *(case for case in others if lifecycle.takes(case.appeal.standing, act, by_leader=True))]

    def facts(self, case: Case, at: datetime) -> dict[str, Any]:
        """What every event of an act says."""
        appeal = case.appeal
        its = {"appeal_id": appeal.id, "visit_id": appeal.visit_id, "unit_code": appeal.unit_code}
        return {**its, "round": appeal.round, "at": at, "by": self.by}

    def say(self, case: Case, kind: str, at: datetime, event: Event | None = None, **data: object) -> None:
        """Keeps the act for the timeline, and for the bus where it has an event; what somebody wrote is sealed, and the
        line names it, if anything was."""
        said = {name: str(data[name]) for name in WORDS & data.keys() if data[name] is not None}
        data = {name: value for name, value in data.items() if name not in WORDS}
        if said:
            its = data[TEXT_ID] = new_id()
            self.write(case, its, said)
        self._entries.append(Entry(case.appeal.id, kind, at, self.by, data))
        if event is not None:
            self._events.append(event)

    def write(self, case: Case, of: UUID, said: Said) -> None:
        """Keeps the words of the row `of`, to be sealed."""
        self._texts.append(Text(of, case.appeal.id, case.appeal.unit_code, said))

    def tell(self, entry: Entry, event: Event) -> None:
        """Keeps what became of a clock."""
        self._entries.append(entry)
        self._events.append(event)

    def announce(self, event: Event) -> None:
        """Keeps something for the bus alone."""
        self._events.append(event)

    async def move(self, act: Act, at: datetime, cases: Iterable[Case] | None = None, **data: Any) -> None:
        """Takes the act as the state machine says, ends a hold that it ends, and starts the clocks that run from what
        it brought about; `data` goes to what the timeline says of the end of a hold.

        Raises `AppealIsClosed`, `AppealUnanswered`, and whatever else the state machine refuses by.
        """
        earlier: list[tuple[Case, Clock]] = []
        for case in cases or [self.case]:
            appeal, before = case.appeal, case.appeal.standing
            try:
                now = lifecycle.after(before, act, by_leader=case is not self.case)
            except Refused as refused:
                into = appeal.merged_into if refused.rule is Rule.MERGED else None
                named = await showing.named(self.tx, self.caller, into=into)
                raise _PROBLEMS[refused.rule](rule=refused.rule, **named) from refused
            appeal.stand(now)
            if before.held and not now.held:
                await self._resumed(case, at, data)
            for fact in lifecycle.facts(before.progress, now.progress):
                started = await clocks.start_from(self.tx, case.subject, fact, at, case.policy, heard_at=self.now)
                await self.start(case, started)
            for fact in lifecycle.facts_again(before.progress, act):
                earlier += [(case, each) for each in belated.begun_too_late(case.clocks, case.policy, fact, at)]
        if earlier:
            await self._begin_earlier(earlier, at)

    async def contact_by_now(self, case: Case) -> bool:
        """Has the customer of a case count as contacted, if they do by all that was recorded by somebody responsible;
        whether they do."""
        its = await repository.contacts(self.tx, case.appeal.id)
        tried = [Attempt(each.at, each.result) for each in its if each.round >= case.appeal.counts_from and each.counts]
        clock = case.clock(CONTACT)
        start, end = (clock.started_at, last_in_time(clock, self.now)) if clock else (case.appeal.since, self.now)
        at = contacted_at(tried, case.policy.contact, start, end)
        if at is not None:
            await self.move(Act.CONTACT, at, [case])
            await self.stop(CONTACT, at, [case])
        return at is not None

    async def _resumed(self, case: Case, at: datetime, data: Mapping[str, object]) -> None:
        """Ends a hold; what is merged goes on together."""
        hold = await holding.end(self.tx, case.appeal.id, at, self.caller.sub)
        until, self._goes_on = hold.until or at, True
        self.say(case, "resumed", until, AppealResumed(**self.facts(case, until)), hold_id=hold.id, **data)
        for other in self.group[1:] if case is self.leader else ():
            if other.appeal.standing.held:
                other.appeal.stand(lifecycle.after(other.appeal.standing, Act.RESUME, by_leader=True))
                await self._resumed(other, at, data)

    async def _begin_earlier(self, its: Sequence[tuple[Case, Clock]], at: datetime) -> None:
        """Has clocks run from `at` on, for what they run from came true by then, though it is recorded only now."""
        its_clocks, target = [clock for _, clock in its], Target(started_at=at)
        await self.replan(its_clocks, "correction", {clock.id: target for clock in its_clocks})
        for case, clock in its:
            recorded = await timeline.of(self.tx, case.appeal.id)
            if (done := belated.done_at(recorded, clock.milestone, at, case.called_back)) is not None:
                await self.stop(clock.milestone, done, [case])

    async def start(self, case: Case, started: Sequence[NewClock]) -> None:
        """Takes clocks in that were just started: they stand still where a hold names them, and those of the merged
        follow those of the leader."""
        if not started:
            return
        its = await clocks.of_subject(self.tx, SUBJECT, case.appeal.id, lock=True)
        case.clocks = [clock for clock in its if clock.round == case.appeal.round]
        for merged in self.group[1:] if case is self.leader else [case]:
            self.follow(merged)
        ids = {clock.id for clock in started}
        new = [clock for clock in case.clocks if clock.id in ids]
        await self.replan(new, "merge", untold=ids)
        for clock in new:  # what was held meanwhile may be past no more
            clock.late_arrival = clock.late_arrival and not clocks.may_be_met(clock, self.now)
        self.say_started(case, new)

    def say_started(self, case: Case, started: Iterable[NewClock | Clock]) -> None:
        """Keeps for the timeline which clocks an act started."""
        self._entries += [telling.started_entry(case.appeal, clock, self.by) for clock in started]

    def follow(self, case: Case) -> None:
        """Has open clocks of a merged appeal follow the leader's, by milestone; what is past binds nobody."""
        for clock in case.clocks:
            leading = self.leader.clock(clock.milestone)
            if leading is not None and all(clocks.may_be_met(each, self.now) for each in (leading, clock)):
                clock.follows = leading.id

    async def stop(self, milestone: str, at: datetime, cases: Iterable[Case] | None = None) -> None:
        """Stops the clocks of a milestone by what was done at `at`: those that ran by then. What stands still goes on
        at that instant, and so is in time."""
        pairs = [(case, case.clock(milestone)) for case in cases or [self.case]]
        its = {clock.id: (case, clock) for case, clock in pairs if clock is not None and clock.started_at <= at}
        held = [clock for _, clock in its.values() if clock.state == ClockState.HELD]
        still = {clock.id: Target(resumed_at=at) for clock in held}
        if held:
            await self.replan(held, "resume", still)
        for case, clock in its.values():
            self.judged(case, await clocks.stop(self.tx, [clock], at, self._runtime.clock, still))

    def judged(self, case: Case, stopped: Iterable[Stopped]) -> None:
        """Tells what became of clocks of an appeal."""
        for each in stopped:
            self._entries.append(telling.entry(case.appeal, each, self.by, self.now))
            if event := telling.event(case.appeal, each, self.by, self.now):
                self._events.append(event)

    async def replan(
        self,
        its: Sequence[Clock],
        cause: str,
        to: Mapping[UUID, Target] | None = None,
        *,
        untold: Collection[UUID] = (),
    ) -> None:
        """Plans those of the group's clocks that are open anew, and tells of each deadline that moved, but for those of
        clocks that nobody heard of yet; what other versions left where it was, the timeline keeps."""
        cases = {case.appeal.id: case for case in self.group}
        for done in await recalculation.recalculate(self.tx, its, self.now, to or {}):
            if done.clock.due_at > done.old_due_at:
                self._put_off.add(done.clock.id)
            if done.moved and done.clock.id not in untold:
                subject = cases[done.clock.subject_id].appeal
                entry, event = telling.recalculated(subject, done, cause, self.by, self.now)
                self._entries.append(entry)
                self._events.append(event)
            elif done.kept and done.clock.id not in untold:
                self._entries.append(telling.kept(done.clock.subject_id, done, cause, self.by, self.now))

    async def settle(self) -> None:
        """Does what comes last; writes timeline and outbox, has what is not held any more go on, and marks the appeals
        as changed."""
        await self._last(self)
        if self._goes_on and self.leader.appeal.state != State.CLOSED:
            await self.replan([clock for case in self.group for clock in case.clocks], "resume")
        for case in self.group:  # what was tried in vain past the earlier deadline may count by the later one
            if self._contact_is_put_off(case):
                await self.contact_by_now(case)
        alone = [clock for case in self.group[1:] for clock in case.clocks if self._lost_its_leader(clock)]
        for clock in alone:
            clock.follows = None
        await clocks.speak_up(self.tx, alone, self.now)
        if free := [*alone, *self._released()]:
            await self.replan(free, "correction")
        for subject in {entry.appeal_id for entry in self._entries}:
            next(case.appeal for case in self.group if case.appeal.id == subject).updated_at = self.now
        await self.tx.flush()
        await texts.keep(self.tx, self._runtime, self._texts)
        await timeline.note(self.tx, self._entries, self.now)
        await self._runtime.outbox.append(self.tx, self._events, at=self.now)
        affected = {visit: case.appeal.unit_code for case in self.group if (visit := case.affects)}
        await visits.appeals_changed(self.tx, self._runtime, affected, repository.on_visits)

    def _contact_is_put_off(self, case: Case) -> bool:
        clock = case.clock(CONTACT)
        if clock is None or clock.id not in self._put_off or clock.state != ClockState.RUNNING:
            return False
        return lifecycle.takes(case.appeal.standing, Act.CONTACT, by_leader=case is not self.case)

    def _lost_its_leader(self, clock: Clock) -> bool:
        """Whether the clock it follows was stopped by what does not stop it too, having come before its time; or was
        cancelled, for another policy does not time it."""
        leading = self.leader.clock(clock.milestone)
        waits = clock.state in _OPEN or (clock.state == ClockState.BREACHED and clock.stopped_at is None)
        if leading is None or leading.id != clock.follows or not waits:
            return False
        return leading.stopped_at is not None or leading.state == ClockState.CANCELLED

    def _released(self) -> list[Clock]:
        """The open clocks that keep a promise which somebody was given, and that was kept or lost its object: one that
        was broken binds them still."""
        its = [clock for case in self.group for clock in case.clocks]
        over = {clock.id for clock in its if clock.state in (ClockState.MET, ClockState.CANCELLED)}
        return [clock for clock in its if clock.state in _OPEN and clock.promised_by in over]

    async def done(self) -> Appeal:
        """Settles, and gives the appeal as it is now; whoever handed it to a unit that they do not see is shown it once
        more."""
        await self.settle()
        found = await repository.find(self.tx, self.appeal.id, None)
        assert found is not None, "it is locked"
        (shown,) = await showing.appeals(self.tx, self.caller, [found])
        return shown  # type: ignore[no-any-return]
