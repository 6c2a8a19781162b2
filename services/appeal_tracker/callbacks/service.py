"""What is done about callbacks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import service as appeals
from appeal_tracker.appeals import showing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.calendars.civil import ticks_of
from appeal_tracker.callbacks import repository
from appeal_tracker.callbacks.entitled import may_call_back
from appeal_tracker.callbacks.errors import NothingToRate, NotYoursToCallBack, ReasonMissing
from appeal_tracker.callbacks.models import Callback
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealCalledBack

COMPLETED, UNREACHABLE = "completed", "unreachable"


def rating(satisfaction: str | None) -> int | str | None:
    """A rating as it is shown over HTTP; it is stored and told on topics as text, as every code is."""
    return int(satisfaction) if satisfaction is not None and satisfaction.isdecimal() else satisfaction


async def of_appeal(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded callbacks of an appeal, in confidence without their words. Raises `AppealNotFound`."""
    appeal = await appeals.show(tx, caller, id)
    its = await repository.of_appeal(tx, id, window)
    return await showing.in_confidence(tx, caller, appeal, its, "opinion", "failure_reason")


async def call_back(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    at: datetime,
    result: str,
    satisfaction: str | None = None,
    opinion: str | None = None,
    failure_reason: str | None = None,
    agreed_at: datetime | None = None,
) -> Callback:
    """Records a callback, in full, also one that failed; one made by night is marked unless the customer agreed on it.

    Raises `ReasonMissing`, `NothingToRate`, `NotYoursToCallBack`, and what every act may.
    """
    if result == UNREACHABLE and failure_reason is None:
        raise ReasonMissing
    if result != COMPLETED and satisfaction is not None:
        raise NothingToRate
    deed = await begin(tx, runtime, caller, id, at)
    rule = deed.case.policy.callback
    handled_by = {deed.appeal.handler, *(await appeals.answered_by(tx, id))}
    if not may_call_back(caller, deed.appeal, rule, handled_by):
        raise NotYoursToCallBack(by=rule.by, clause=rule.clause)
    concerned, made = deed.concerned(Act.CALL_BACK, at), []
    for case in concerned:
        quiet = case.policy.quiet
        by_night = agreed_at is None and quiet is not None and quiet.stretch(ticks_of(at)) is not None
        its = Callback(
            id=new_id(),
            appeal_id=case.appeal.id,
            round=case.appeal.round,
            at=at,
            recorded_at=deed.now,
            by=caller.sub,
            result=result,
            satisfaction=satisfaction,
            opinion=opinion,
            failure_reason=failure_reason,
            agreed_at=agreed_at,
            quiet_hours=by_night,
        )
        tx.add(its)
        made.append(its)
        event = AppealCalledBack(**deed.facts(case, at), result=result, satisfaction=satisfaction)
        marks = {"result": result, "satisfaction": rating(satisfaction), "quiet_hours": by_night}
        deed.say(case, "called_back", at, event, callback_id=its.id, **marks)
    await deed.move(Act.CALL_BACK, at, concerned)
    await deed.stop("callback", at, concerned)
    await deed.settle()
    return made[0]
