"""What was recorded about an appeal, and what counts of it by the policy that it keeps: when the customer came to count
as contacted, or as called back.

An appeal that is brought to another policy is judged by that anew: who refused to talk, or was tried in vain too seldom
by the one before, may count by this one (000 §7.2.3). A breach that was recorded stays, and so does what was reached.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import belated, repository
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.deeds import CONTACT, NOBODY, Deed
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks import telling, timeline
from appeal_tracker.clocks.states import ClockState
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

JUDGED_ANEW = "judged_anew"
_OPEN = (ClockState.RUNNING, ClockState.HELD)


async def first_answered(tx: AsyncSession, appeal: Appeal) -> datetime:
    """When an appeal was answered first, in a round that counts in the present one; its beginning, where nobody did."""
    its = await repository.answers(tx, appeal.id)
    return min((each.at for each in its if each.round >= appeal.counts_from), default=appeal.since)


async def called_back_since(deed: Deed, case: Case, at: datetime) -> None:
    """Has the customer of an answered case count as called back, if by what was recorded so far they were, about an
    answer of `at`."""
    clock, recorded = case.clock(belated.CALLBACK), await timeline.of(deed.tx, case.appeal.id)
    since = max(at, clock.started_at) if clock is not None else at
    called_at = belated.called_back(recorded, case.policy.callback, since, deed.now)
    if called_at is not None:
        await deed.move(Act.CALL_BACK, called_at, [case])
        await deed.stop(belated.CALLBACK, called_at, [case])


class Because(NamedTuple):
    """Why appeals go by another policy: the cause and the job, and who asked for that."""

    cause: str
    job: UUID
    by: str | None


async def count_anew(
    tx: AsyncSession, runtime: Runtime, because: Because, leader: UUID, appeals: Collection[UUID]
) -> None:
    """Judges anew what was recorded about some `appeals`, all of them merged under a leader, or the one itself."""
    by = Principal(because.by, None, frozenset()) if because.by else NOBODY
    deed = await begin(tx, runtime, by, leader)
    for case in (each for each in deed.group if each.appeal.id in appeals):
        before = {clock.id for clock in case.clocks}
        if _waits(case, CONTACT, State.OPEN):
            await deed.contact_by_now(case)
        if case.stood is State.ANSWERED and _waits(case, belated.CALLBACK, State.ANSWERED):
            await called_back_since(deed, case, await first_answered(tx, case.appeal))
        _tell(deed, case, before, because)
    await deed.settle()


def _tell(deed: Deed, case: Case, before: Collection[UUID], because: Because) -> None:
    """Says that an appeal went on by that, and tells of the clocks that began with it."""
    if case.moved:
        state = case.appeal.standing.progress
        deed.say(case, JUDGED_ANEW, deed.now, cause=because.cause, recalculation=because.job, state=state)
    for clock in [each for each in case.clocks if each.id not in before]:
        deed.announce(telling.started(case.appeal, clock, because.cause, because.by, deed.now, because.job))


def _waits(case: Case, milestone: str, progress: State) -> bool:
    """Whether a milestone is still to be reached: its clock is open, or there is none, and the appeal stands so."""
    clock = case.clock(milestone)
    if clock is None or clock.state == ClockState.CANCELLED:
        return case.stood is progress
    return clock.state in _OPEN
