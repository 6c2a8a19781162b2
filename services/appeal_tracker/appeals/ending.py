"""An appeal comes to its end: it was answered and is closed (办结), the customer withdraws it (撤诉), or it was a
mistake and is void (作废). Each is told as `appeal.closed` with its outcome; nothing of what was recorded goes away.

With an appeal end those merged into it; but what was a mistake ends alone, so others are taken out of it first. Clocks
that run are cancelled. A breach that was recorded stays, and so does one that fell due before the end.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import showing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.closing import Missing, missing
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import (
    AppealIncomplete,
    CallbackAskedFor,
    NotYoursToVoid,
    NotYoursToWithdraw,
    OthersFollow,
)
from appeal_tracker.appeals.insiders import demand_outside, may_take_back, may_void
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.responsible import supervises
from appeal_tracker.clocks import service as clocks
from appeal_tracker.tasks import service as tasks
from appeal_tracker.tasks.models import TaskKind
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealClosed

RESOLVED, MERGED, WITHDRAWN, VOID = "resolved", "merged", "withdrawn", "void"


async def close(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, note: str | None = None) -> Appeal:
    """Ends an appeal that was answered, and called back where the policy requires it; what is asked for and not
    demanded is listed in the timeline. Raises `AppealIncomplete` with what is missing, each with its clause; for a
    merged one with its number besides; `ConcludedFromOutside`, `CallbackAskedFor`.
    """
    deed = await begin(tx, runtime, caller, id)
    await demand_outside(tx, deed.caller, deed.appeal)
    await _demand_nobody_asked(deed)
    await resolve(deed, **({"note": note} if note else {}))
    return await deed.done()


async def resolve(deed: Deed, **said: Any) -> None:
    """The same, within an act. Raises `AppealIncomplete`."""
    closing = deed.concerned(Act.CLOSE, deed.now)
    lacks = await _lacking(deed, closing)
    await deed.move(Act.CLOSE, deed.now, closing)
    if lacks:
        raise AppealIncomplete(missing=lacks)
    for case in closing:
        asked = [lack.what for lack in case.appeal.lacks]
        lacking = {"lacking": asked} if asked else {}
        await _end(deed, case, RESOLVED if case is deed.case else MERGED, deed.now, **lacking, **said)


async def _demand_nobody_asked(deed: Deed) -> None:
    """Raises `CallbackAskedFor` where a supervisor asked for a callback and nobody made it: none but a supervisor drops
    it. Older code also asked for one of the anonymous, whom nobody can call."""
    if supervises(deed.caller):
        return
    its = await tasks.of_appeals(deed.tx, [case.appeal.id for case in deed.group if not case.appeal.anonymous])
    for task in its:
        if task.kind == TaskKind.CALLBACK and task.asked_by is not None:
            raise CallbackAskedFor(task_id=str(task.id), asked_by=task.asked_by)


async def may_resolve(deed: Deed) -> bool:
    """Whether nothing is missing that closing asks for, of those merged with it either."""
    return not await _lacking(deed, deed.concerned(Act.CLOSE, deed.now))


async def withdraw(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime, channel: str, note: str | None
) -> Appeal:
    """Ends an appeal that the customer took back: when and by which channel they said so, and who recorded it. Raises
    `NotYoursToWithdraw`."""
    deed = await begin(tx, runtime, caller, id, at)
    ending = deed.concerned(Act.WITHDRAW, deed.now)
    await deed.move(Act.WITHDRAW, at, ending)
    if not await may_take_back(tx, deed.caller, deed.appeal, [case.appeal for case in ending]):
        raise NotYoursToWithdraw
    said: dict[str, Any] = {"note": note} if note else {}
    for case in ending:
        outcome = WITHDRAWN if case is deed.case else MERGED
        await _end(deed, case, outcome, max(at, case.appeal.since), channel=channel, **said)
    return await deed.done()


async def void(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, reason: str) -> Appeal:
    """Declares an appeal a mistake, for a reason; its record stays (002 §6.4.5.6). Raises `NotYoursToVoid`,
    `OthersFollow`."""
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.VOID, deed.now)
    if not await may_void(tx, deed.caller, deed.appeal):
        raise NotYoursToVoid
    if len(deed.group) > 1:
        raise OthersFollow
    await _end(deed, deed.case, VOID, deed.now, reason=reason)
    return await deed.done()


async def _end(deed: Deed, case: Case, outcome: str, at: datetime, **said: object) -> None:
    case.appeal.outcome, case.appeal.closed_at = outcome, deed.now
    cancelled = await clocks.cancel(deed.tx, case.clocks, at)
    event = AppealClosed(**deed.facts(case, at), outcome=outcome)
    milestones = [clock.milestone for clock in cancelled]
    deed.say(case, "closed", at, event, outcome=outcome, cancelled=milestones, **said)


async def _lacking(deed: Deed, closing: Sequence[Case]) -> list[dict[str, Any]]:
    """What is missing, of the appeal itself and of each that is merged into it; of those that the caller does not see,
    of how many."""
    others = [case.appeal for case in closing if case is not deed.case]
    seen = await showing.sight(deed.tx, deed.caller, (appeal.id for appeal in others))
    named = {appeal.id: {"appeal_id": str(appeal.id), "appeal_no": appeal.appeal_no} for appeal in others}
    lacks, elsewhere = [], Counter[Missing]()
    for case in closing:
        appeal = case.appeal
        for lack in missing(appeal.standing.progress, appeal.type, case.policy, anonymous=appeal.anonymous):
            if case is deed.case or appeal.id in seen:
                lacks.append(msgspec.structs.asdict(lack) | named.get(appeal.id, {}))
            else:
                elsewhere[lack] += 1
    return lacks + [msgspec.structs.asdict(lack) | {"elsewhere": count} for lack, count in elsewhere.items()]
