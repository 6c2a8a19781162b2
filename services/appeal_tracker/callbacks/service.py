"""What is done about callbacks."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import service as appeals
from appeal_tracker.appeals import showing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.confidence import Shown
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.entitled import may_call
from appeal_tracker.appeals.insiders import demand_outside
from appeal_tracker.appeals.repository import answers
from appeal_tracker.callbacks import repository
from appeal_tracker.callbacks.counting import counting
from appeal_tracker.callbacks.errors import (
    NobodyToCall,
    NothingToRate,
    NotYoursToCallBack,
    ReasonMissing,
    ReasonNotRatedMissing,
)
from appeal_tracker.callbacks.models import Callback
from appeal_tracker.callbacks.recording import COMPLETED, NOT_RATED, UNREACHABLE, Said, place, record
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal


async def of_appeal(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded callbacks of an appeal, in confidence without their words. Raises `AppealNotFound`."""
    appeal = await appeals.show(tx, caller, id)
    its = await repository.of_appeal(tx, id, window)
    reads = await showing.reads_words(tx, caller, appeal)
    counts = counting(await answers(tx, id), appeal.counts_from)
    opened = [await _opened(tx, runtime, each) if reads or each.by == caller.sub else each for each in its.items]
    rows = Listing([Shown(each, counts=counts(each)) for each in opened], its.next)
    return await showing.in_confidence(tx, runtime, caller, appeal, "callbacks", rows, "opinion", "failure_reason")


async def call_back(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, said: Said) -> Any:
    """Records a callback, in full, also one that failed; one made by night is marked unless the customer agreed on it.

    Raises `ReasonMissing`, `ReasonNotRatedMissing`, `NothingToRate`, `NotYoursToCallBack`, `NobodyToCall`, and what
    every act may.
    """
    if said.result == UNREACHABLE and said.failure_reason is None:
        raise ReasonMissing
    if said.result != COMPLETED and said.satisfaction is not None:
        raise NothingToRate
    if said.satisfaction == NOT_RATED and said.failure_reason is None:
        raise ReasonNotRatedMissing
    deed = await begin(tx, runtime, caller, id, said.at)
    demand_named(deed)
    await demand_entitled(deed)
    made = await record(deed, runtime, said)
    await deed.settle()
    counts = counting(await answers(tx, id), deed.appeal.counts_from)(made)
    return Shown(made, opinion=said.opinion, failure_reason=said.failure_reason, counts=counts)


def demand_named(deed: Deed) -> None:
    """Raises `NobodyToCall` where the customer gave no name."""
    if deed.appeal.anonymous:
        raise NobodyToCall


async def demand_entitled(deed: Deed) -> None:
    """Raises `NotYoursToCallBack` unless the policy lets the caller call back; `ConcludedFromOutside`."""
    await demand_outside(deed.tx, deed.caller, deed.appeal)
    if not await may_call(deed.tx, deed.caller, deed.case):
        rule = deed.case.policy.callback
        raise NotYoursToCallBack(by=rule.by, clause=rule.clause)


async def _opened(tx: AsyncSession, runtime: Runtime, row: Callback) -> Any:
    if row.opinion_sealed is None:
        return row
    return Shown(row, opinion=await runtime.vault.open(tx, place(row), row.opinion_sealed))
