"""Whether the facts bear a complaint or a report out (属实, 不属实): found with the answer, or later, until it is
closed."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.closing import JUDGED
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.faults import NothingToJudge
from appeal_tracker.appeals.insiders import demand_outside
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealJudged


async def check(deed: Deed, finding: str | None) -> None:
    """Raises `NothingToJudge` where a finding is given about what is no charge; `ConcludedFromOutside`."""
    if finding is None:
        return
    if deed.appeal.type not in JUDGED:
        raise NothingToJudge(appeal_type=deed.appeal.type)
    await demand_outside(deed.tx, deed.caller, deed.appeal)


async def judge(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, finding: str, note: str | None
) -> Appeal:
    """Records what was found out, in the place of what was found before; that stays in the timeline."""
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.JUDGE, deed.now)
    await check(deed, finding)
    said: dict[str, Any] = {"note": note} if note else {}
    event = AppealJudged(**deed.facts(deed.case, deed.now), finding=finding)
    deed.say(deed.case, "judged", deed.now, event, finding=finding, old_finding=deed.appeal.finding, **said)
    deed.appeal.finding = finding
    return await deed.done()
