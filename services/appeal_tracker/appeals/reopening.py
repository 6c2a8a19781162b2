"""A closed appeal is reopened: a new round of it begins, and what was recorded in the earlier ones stays as it is.

Its policy, which `choosing` finds, says what is to be done again: everything (`new_round`); the answer, with its whole
period anew (`restart`); or the answer, with what was left of its period when it was given (`continue`). The customer is
contacted again by the first only, or where nobody had contacted them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import choosing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks import rounds
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import NewClock, limit_of
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealReopened, ClockStarted

CONTACT = "contact"
_BEFORE_THE_ANSWER = ("received", "contacted")


async def reopen(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, reason: str) -> Appeal:
    """Begins a new round with the clocks that the policy gives it; one that was merged speaks for itself from now on.

    Raises `AppealNotClosed`.
    """
    deed = await begin(tx, runtime, caller, id)
    await again(deed, reason=reason)
    return await deed.done()


async def again(deed: Deed, *, reason: str) -> None:
    """The same, within an act. Raises `AppealNotClosed`."""
    tx = deed.tx
    case, appeal, last = deed.case, deed.appeal, deed.case.clocks
    turned = await choosing.choose_anew(deed)
    # What was left of a period that another policy set is nothing to go on with.
    mode = case.policy.reopens(appeal.type)
    mode = "restart" if turned and mode == "continue" else mode
    contacted = all(clock.stopped_at is not None for clock in last if clock.milestone == CONTACT)
    anew = mode == "new_round" or not contacted
    await deed.move(Act.REOPEN if anew else Act.GO_ON, deed.now)
    closed_at = appeal.closed_at or deed.now
    appeal.round, appeal.reopened_at = appeal.round + 1, deed.now
    appeal.outcome = appeal.closed_at = appeal.merged_into = appeal.facts_round = appeal.finding = None
    appeal.supervised_by = appeal.supervised_at = appeal.report_by = None
    appeal.urged = 0
    if mode == "continue":
        again = [clock for clock in last if _goes_on(case, clock, contacted=contacted)]
        started: Sequence[Clock | NewClock] = await rounds.go_on(
            tx, case.subject, again, closed_at, deed.now, deed.caller.sub
        )
    else:
        started = await _run_anew(deed, contacted=not anew)
    told = [
        ClockStarted(clock_id=its.id, milestone=its.milestone, due_at=its.due_at, provisional=its.provisional)
        for its in started
    ]
    event = AppealReopened(**deed.facts(case, deed.now), clocks=told)
    its: dict[str, Any] = {"policy": case.policy.label} if turned else {}
    deed.say(case, "reopened", deed.now, event, round=appeal.round, mode=mode, reason=reason, **its)
    deed.say_started(case, started)


def _goes_on(case: Case, clock: Clock, *, contacted: bool) -> bool:
    limit = limit_of(case.policy, clock)
    return limit is not None and limit.starts in _BEFORE_THE_ANSWER and not (contacted and clock.milestone == CONTACT)


async def _run_anew(deed: Deed, *, contacted: bool) -> list[NewClock]:
    """Starts the clocks of the new round; after a contact those that run from it too, and that of the contact not."""
    case, started = deed.case, []
    for fact in _BEFORE_THE_ANSWER if contacted else _BEFORE_THE_ANSWER[:1]:
        but = (CONTACT,) if contacted else ()
        started += await clocks.start_from(deed.tx, case.subject, fact, deed.now, case.policy, but)
    return started
