"""Whoever is at work on an appeal is told to see to it: it is urged (催办), and supervised (督办). No clock moves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.faults import ReportTooEarly
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealSupervised, AppealUrged


async def urge(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, customer: bool, note: str | None
) -> Appeal:
    """Has the appeal hurried, for somebody here or because the `customer` asked; how often in this round is counted."""
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.URGE, deed.now)
    deed.appeal.urged += 1
    event = AppealUrged(**_at_work(deed), times=deed.appeal.urged)
    said: dict[str, Any] = {"note": note} if note else {}
    deed.say(deed.case, "urged", deed.now, event, times=deed.appeal.urged, by_customer=customer, **said)
    return await deed.done()


async def supervise(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, report_by: datetime | None, note: str | None
) -> Appeal:
    """Has a supervisor watch over the appeal, who wants to hear of it by `report_by`. Raises `ReportTooEarly`."""
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.SUPERVISE, deed.now)
    if report_by is not None and report_by <= deed.now:
        raise ReportTooEarly
    appeal = deed.appeal
    appeal.supervised_by, appeal.supervised_at, appeal.report_by = caller.sub, deed.now, report_by
    event = AppealSupervised(**_at_work(deed), report_by=report_by)
    said: dict[str, Any] = {"note": note} if note else {}
    deed.say(deed.case, "supervised", deed.now, event, report_by=report_by, **said)
    return await deed.done()


def _at_work(deed: Deed) -> dict[str, Any]:
    appeal = deed.appeal
    its = {"owner": appeal.owner, "first_contact": appeal.first_contact}
    return {**deed.facts(deed.case, deed.now), "handling_unit_code": appeal.handling_unit_code, **its}
