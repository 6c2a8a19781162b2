"""What is done about appeals, and what is asked about them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository, showing
from appeal_tracker.appeals.acting import Case, Deed, begin
from appeal_tracker.appeals.closing import Missing, missing
from appeal_tracker.appeals.errors import AppealIncomplete, AppealNotFound
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import SUBJECT, Answer, Appeal, Contact
from appeal_tracker.appeals.responsible import is_responsible
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import timeline as its_timeline
from appeal_tracker.clocks.acceptance import Attempt, contacted_at
from appeal_tracker.clocks.service import Deadline
from appeal_tracker.clocks.timeline import TimelineEntry
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealAccepted, AppealAnswered, AppealClosed, AppealContacted

RESOLVED, MERGED = "resolved", "merged"


async def listing(tx: AsyncSession, caller: Principal, window: Window, **filters: Any) -> Listing[Appeal]:
    """The appeals that `caller` may see, with their clocks, filtered as `repository.listed` says."""
    page = await window.fetch(tx, repository.listed(caller.unit, **filters), Appeal)
    return Listing(await showing.appeals(tx, caller, page.items), page.next)


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> Appeal:
    """An appeal with its clocks. Raises `AppealNotFound`, also for another unit's."""
    found = await repository.find(tx, id, caller.unit)
    if found is None:
        raise AppealNotFound
    (shown,) = await showing.appeals(tx, caller, [found])
    return shown  # type: ignore[no-any-return]


async def timeline(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[TimelineEntry]:
    """What the tracker knows of an appeal, in the order it learned of it. Raises `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    return await showing.facts(tx, caller, appeal, await its_timeline.page(tx, id, window))


async def contacts(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Contact]:
    """The recorded contacts and attempts, in the order of their true times. Raises `AppealNotFound`."""
    await show(tx, caller, id)
    return await repository.contacts_page(tx, id, window)


async def answers(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded answers, in the order of their true times; in confidence without their content. Raises
    `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    return await showing.in_confidence(tx, caller, appeal, await repository.answers_page(tx, id, window), "content")


async def answered_by(tx: AsyncSession, id: UUID) -> set[str]:
    """Who gave the recorded answers."""
    return {answer.by for answer in await repository.answers(tx, id)}


async def deadlines(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Deadline]:
    """The clocks of an appeal, with their ladders; a feed gives all of them when any may have changed. Raises
    `AppealNotFound`."""
    await show(tx, caller, id)
    return await clocks.deadlines(tx, SUBJECT, id, window)


async def contact(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime, channel: str, result: str
) -> Contact:
    """Records a contact or an attempt; the contact clock stops by it if the policy accepts it, or enough in vain.

    One made by somebody who is not responsible is recorded and stops nothing (see `is_responsible`).
    """
    deed = await begin(tx, runtime, caller, id, at)
    counts = is_responsible(caller, deed.appeal)
    made = [
        await _contact(deed, case, at, channel=channel, result=result, counts=counts)
        for case in deed.concerned(Act.ATTEMPT, at)
    ]
    await deed.settle()
    return made[0]


async def _contact(deed: Deed, case: Case, at: datetime, *, channel: str, result: str, counts: bool) -> Contact:
    appeal = case.appeal
    made = Contact(
        id=new_id(),
        appeal_id=appeal.id,
        round=appeal.round,
        at=at,
        recorded_at=deed.now,
        by=deed.caller.sub,
        channel=channel,
        result=result,
        counts=counts,
    )
    deed.tx.add(made)
    event = AppealContacted(**deed.facts(case, at), result=result, counts=counts)
    deed.say(case, "contacted", at, event, contact_id=made.id, channel=channel, result=result, counts=counts)
    its = await repository.contacts(deed.tx, appeal.id)
    attempts = [Attempt(each.at, each.result) for each in its if each.round == appeal.round and each.counts]
    clock = case.clock("contact")
    start, end = (clock.started_at, clock.due_at) if clock else (appeal.since, deed.now)
    contacted = contacted_at(attempts, case.policy.contact, start, end)
    await deed.move(Act.ATTEMPT if contacted is None else Act.CONTACT, contacted or at, [case])
    if contacted is not None:
        await deed.stop("contact", contacted, [case])
    return made


async def answer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime, content: str
) -> Answer:
    """Records an answer given to the customer, which is also a contact."""
    deed = await begin(tx, runtime, caller, id, at)
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
            content=content,
        )
        tx.add(its)
        made.append(its)
        deed.say(case, "answered", at, AppealAnswered(**deed.facts(case, at)), answer_id=its.id)
    await deed.move(Act.ANSWER, at, concerned)
    await deed.stop("contact", at, concerned)
    await deed.stop("answer", at, concerned)
    await deed.settle()
    return made[0]


async def accept(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, note: str | None) -> Appeal:
    """Records that the appeal was accepted (受理); that moves no clock."""
    deed = await begin(tx, runtime, caller, id)
    told = AppealAccepted(**deed.facts(deed.case, deed.now))
    deed.say(deed.case, "accepted", deed.now, told, **({"note": note} if note else {}))
    await deed.move(Act.ACCEPT, deed.now)
    return await deed.done()


async def close(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Appeal:
    """Ends an appeal that was answered, and called back where the policy requires it, and with it those merged into it;
    what still runs is cancelled.

    Raises `AppealIncomplete` with what is missing, each with its clause; for a merged one with its number besides.
    """
    deed = await begin(tx, runtime, caller, id)
    closing = deed.concerned(Act.CLOSE, deed.now)
    lacks = await _lacking(deed, closing)
    await deed.move(Act.CLOSE, deed.now, closing)
    if lacks:
        raise AppealIncomplete(missing=lacks)
    for case in closing:
        outcome = RESOLVED if case is deed.case else MERGED
        case.appeal.outcome, case.appeal.closed_at = outcome, deed.now
        cancelled = await clocks.cancel(tx, case.clocks, deed.now)
        event = AppealClosed(**deed.facts(case, deed.now), outcome=outcome)
        milestones = [clock.milestone for clock in cancelled]
        deed.say(case, "closed", deed.now, event, outcome=outcome, cancelled=milestones)
    return await deed.done()


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
