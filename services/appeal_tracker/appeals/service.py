"""What is done about appeals, and what is asked about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences import service as absences
from appeal_tracker.appeals import counting, judging, repeating, repository, showing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.confidence import Shown
from appeal_tracker.appeals.counting import first_answered as first_answered
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import AppealNotFound
from appeal_tracker.appeals.faults import NotCategorised
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import SUBJECT, Answer, Appeal, Contact
from appeal_tracker.appeals.responsible import is_responsible
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import timeline as its_timeline
from appeal_tracker.clocks.service import Deadline
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealAccepted, AppealAnswered, AppealContacted

COMPLAINT = "complaint"


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> Appeal:
    """An appeal with its clocks. Raises `AppealNotFound`, also for another unit's."""
    found = await repository.find(tx, id, caller.unit)
    if found is None:
        raise AppealNotFound
    (shown,) = await showing.appeals(tx, caller, [found])
    return shown  # type: ignore[no-any-return]


async def timeline(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """What the tracker knows of an appeal, in the order it learned of it. Raises `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    return await showing.facts(tx, runtime, caller, appeal, await its_timeline.page(tx, id, window))


async def contacts(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded contacts and attempts, in the order of their true times; in confidence without their notes. Raises
    `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    its = await repository.contacts_page(tx, id, window)
    return await showing.in_confidence(tx, runtime, caller, appeal, "contacts", its, "evidence", "note")


async def answers(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded answers, in the order of their true times; in confidence without their content. Raises
    `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    its = await repository.answers_page(tx, id, window)
    return await showing.in_confidence(tx, runtime, caller, appeal, "answers", its, "content")


async def deadlines(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Deadline]:
    """The clocks of an appeal, with their ladders; a feed gives all of them when any may have changed. Raises
    `AppealNotFound`."""
    await show(tx, caller, id)
    return await clocks.deadlines(tx, SUBJECT, id, window)


async def contact(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    at: datetime,
    channel: str,
    result: str,
    evidence: str | None = None,
    note: str | None = None,
) -> Any:
    """Records a contact or an attempt; the contact clock stops by it if the policy accepts it, or enough in vain.

    One made by somebody who is not responsible is recorded and stops nothing (see `is_responsible`).
    """
    deed = await begin(tx, runtime, caller, id, at)
    counts = is_responsible(deed.caller, deed.appeal) or await _stands_in(deed, at)
    its = {"channel": channel, "result": result, "counts": counts}
    said = {"evidence": evidence, "note": note}
    made = []
    for case in deed.concerned(Act.ATTEMPT, at):
        made.append(await _contact(deed, case, at, its))
        deed.write(case, made[-1].id, said)
    await deed.settle()
    return Shown(made[0], **said)


async def _stands_in(deed: Deed, at: datetime) -> bool:
    """Whether the caller stood in then for somebody whose contact counts."""
    covered = await absences.covered_by(deed.tx, deed.caller.sub, at)
    return bool(covered & {deed.appeal.handler, deed.appeal.first_contact})


async def _contact(deed: Deed, case: Case, at: datetime, values: dict[str, Any]) -> Contact:
    appeal = case.appeal
    made = Contact(
        id=new_id(),
        appeal_id=appeal.id,
        round=appeal.round,
        at=at,
        recorded_at=deed.now,
        by=deed.caller.sub,
        **values,
    )
    deed.tx.add(made)
    event = AppealContacted(**deed.facts(case, at), result=made.result, counts=made.counts)
    deed.say(case, "contacted", at, event, contact_id=made.id, **values)
    if not await deed.contact_by_now(case):
        await deed.move(Act.ATTEMPT, at, [case])
    return made


async def answer(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    at: datetime,
    content: str,
    finding: str | None = None,
) -> Any:
    """Records an answer given to the customer, which is also a contact. Raises `NothingToJudge`,
    `ConcludedFromOutside`."""
    deed = await begin(tx, runtime, caller, id, at)
    await judging.check(deed, finding)
    concerned = deed.concerned(Act.ANSWER, at)
    made = []
    for case in concerned:
        its = Answer(
            id=new_id(),
            appeal_id=case.appeal.id,
            round=case.appeal.round,
            at=at,
            recorded_at=deed.now,
            by=caller.sub,
            finding=finding if case is deed.case else None,
        )
        tx.add(its)
        made.append(its)
        deed.write(case, its.id, {"content": content})
        event = AppealAnswered(**deed.facts(case, at), finding=its.finding)
        judged = {"finding": its.finding} if its.finding else {}
        case.appeal.finding = its.finding or case.appeal.finding
        deed.say(case, "answered", at, event, answer_id=its.id, **judged)
    await deed.move(Act.ANSWER, at, concerned)
    await deed.stop("contact", at, concerned)
    await deed.stop("answer", at, concerned)
    for case in concerned:
        if case.stood is State.ANSWERED:  # it may be this answer that the customer was called back about by then
            await counting.called_back_since(deed, case, at)
    await deed.settle()
    return Shown(made[0], content=content)


async def accept(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, note: str | None, category: str | None = None
) -> Appeal:
    """Records that the appeal was accepted (受理), and of a complaint what it is about; that moves no clock. Raises
    `NotCategorised`."""
    deed = await begin(tx, runtime, caller, id)
    appeal = deed.appeal
    said: dict[str, Any] = {"note": note} if note else {}
    if category is not None:
        if appeal.type != COMPLAINT:
            raise NotCategorised(appeal_type=appeal.type)
        said |= {"category": category, "old_category": appeal.category}
        appeal.category = category
    told = AppealAccepted(**deed.facts(deed.case, deed.now))
    deed.say(deed.case, "accepted", deed.now, told, **said)
    appeal.accepted_at = appeal.accepted_at or deed.now
    await deed.move(Act.ACCEPT, deed.now)
    if category is not None:
        await repeating.look(deed)
    return await deed.done()
