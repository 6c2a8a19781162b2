"""What is done about appeals, and what is asked about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.acting import Deed, begin
from appeal_tracker.appeals.closing import missing
from appeal_tracker.appeals.confidence import may_read, veiled
from appeal_tracker.appeals.errors import (
    AppealIncomplete,
    AppealNotFound,
    NobodyNamed,
    UnknownHandlingUnit,
)
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import Answer, Appeal, Contact, TimelineEntry
from appeal_tracker.appeals.responsible import is_responsible
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.acceptance import Attempt, contacted_at
from appeal_tracker.clocks.service import Deadline
from appeal_tracker.directory import service as directory
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealAccepted, AppealAnswered, AppealClosed, AppealContacted

RESOLVED = "resolved"


async def listing(tx: AsyncSession, caller: Principal, window: Window, **filters: Any) -> Listing[Appeal]:
    """The appeals that `caller` may see, with their clocks, filtered as `repository.listed` says."""
    return await window.fetch(tx, repository.listed(caller.unit, **filters), Appeal)


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> Appeal:
    """An appeal with its clocks. Raises `AppealNotFound`, also for another unit's."""
    found = await repository.find(tx, id, caller.unit)
    if found is None:
        raise AppealNotFound
    return found


async def timeline(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[TimelineEntry]:
    """What the tracker knows of an appeal, in the order it learned of it. Raises `AppealNotFound`."""
    await show(tx, caller, id)
    return await repository.timeline_page(tx, id, window)


async def contacts(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Contact]:
    """The recorded contacts and attempts, in the order of their true times. Raises `AppealNotFound`."""
    await show(tx, caller, id)
    return await repository.contacts_page(tx, id, window)


async def answers(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Any]:
    """The recorded answers, in the order of their true times; in confidence without their content. Raises
    `AppealNotFound`."""
    appeal = await show(tx, caller, id)
    return await in_confidence(tx, caller, appeal, await repository.answers_page(tx, id, window), "content")


async def answered_by(tx: AsyncSession, id: UUID) -> set[str]:
    """Who gave the recorded answers."""
    return {answer.by for answer in await repository.answers(tx, id)}


async def in_confidence(
    tx: AsyncSession, caller: Principal, appeal: Appeal, rows: Listing[Any], *words: str
) -> Listing[Any]:
    """`rows` about an appeal, without their `words` where `caller` may not read them (see `confidence`)."""
    if not appeal.confidential:
        return rows
    inside = caller.unit is not None and await directory.may_see_unit(tx, caller.unit, appeal.unit_code)
    if may_read(caller, appeal, outside=not inside):
        return rows
    return Listing([*veiled(caller, rows.items, *words)], rows.next)


async def deadlines(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Deadline]:
    """The clocks of an appeal, with their ladders; a feed gives all of them when any may have changed. Raises
    `AppealNotFound`."""
    await show(tx, caller, id)
    its = await repository.clocks_page(tx, id, window)
    return Listing(await clocks.deadlines(tx, its.items), its.next)


async def contact(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime, channel: str, result: str
) -> Contact:
    """Records a contact or an attempt; the contact clock stops by it if the policy accepts it, or enough in vain.

    One made by somebody who is not responsible is recorded and stops nothing (see `is_responsible`).
    """
    deed = await begin(tx, runtime, caller, id, at)
    appeal, counts = deed.appeal, is_responsible(caller, deed.appeal)
    made = Contact(
        id=new_id(),
        appeal_id=id,
        round=appeal.round,
        at=at,
        recorded_at=deed.now,
        by=caller.sub,
        channel=channel,
        result=result,
        counts=counts,
    )
    tx.add(made)
    event = AppealContacted(**deed.facts(at), result=result, counts=counts)
    deed.say("contacted", at, event, contact_id=made.id, channel=channel, result=result, counts=counts)
    recorded = [each for each in await repository.contacts(tx, id) if each.round == appeal.round and each.counts]
    clock = deed.clock("contact")
    start, end = (clock.started_at, clock.due_at) if clock else (appeal.received_at, deed.now)
    attempts = [Attempt(each.at, each.result) for each in recorded]
    contacted = contacted_at(attempts, deed.policy.contact, start, end)
    await deed.move(Act.ATTEMPT if contacted is None else Act.CONTACT, contacted or at)
    if contacted is not None:
        await deed.stop("contact", contacted)
    await deed.settle()
    return made


async def answer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, at: datetime, content: str
) -> Answer:
    """Records an answer given to the customer, which is also a contact."""
    deed = await begin(tx, runtime, caller, id, at)
    made = Answer(
        id=new_id(),
        appeal_id=id,
        round=deed.appeal.round,
        at=at,
        recorded_at=deed.now,
        by=caller.sub,
        content=content,
    )
    tx.add(made)
    deed.say("answered", at, AppealAnswered(**deed.facts(at)), answer_id=made.id)
    await deed.move(Act.ANSWER, at)
    await deed.stop("contact", at)
    await deed.stop("answer", at)
    await deed.settle()
    return made


async def accept(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, note: str | None) -> Appeal:
    """Records that the appeal was accepted (受理); that moves no clock."""
    deed = await begin(tx, runtime, caller, id)
    deed.say("accepted", deed.now, AppealAccepted(**deed.facts(deed.now)), **({"note": note} if note else {}))
    await deed.move(Act.ACCEPT, deed.now)
    await deed.settle()
    return await _acted_on(tx, id)


async def dispatch(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    handler: str | None,
    handling_unit_code: str | None,
) -> Appeal:
    """Hands the appeal to a handler, a unit, or both (派发, 转派); no clock moves, and the first-contact person stays.

    A handler named alone takes it to their unit, if the directory knows them; a unit named alone has no handler yet.
    It goes to a unit that `caller` sees, to one above or beside the caller's own, or back to the raising one: whoever
    it is handed to sees it from then on. Another unit looks like one that is not there.
    """
    deed = await begin(tx, runtime, caller, id)
    if handler is None and handling_unit_code is None:
        raise NobodyNamed
    if handling_unit_code is not None and not await _may_take(deed, handling_unit_code):
        raise UnknownHandlingUnit
    known = await directory.staff_member(tx, handler) if handler is not None else None
    theirs = known.unit_code if known and await _may_take(deed, known.unit_code) else None
    appeal = deed.appeal
    appeal.handler = handler
    appeal.handling_unit_code = handling_unit_code or theirs or appeal.handling_unit_code
    deed.say("dispatched", deed.now, handler=handler, handling_unit_code=appeal.handling_unit_code)
    await deed.move(Act.DISPATCH, deed.now)
    await deed.settle()
    return await _acted_on(tx, id)


async def _may_take(deed: Deed, unit: str) -> bool:
    return unit == deed.appeal.unit_code or await directory.may_hand_to(deed.tx, unit, deed.caller.unit)


async def close(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Appeal:
    """Ends an appeal that was answered, and called back where the policy requires it; what still runs is cancelled.

    Raises `AppealIncomplete` with what is missing, each with its clause.
    """
    deed = await begin(tx, runtime, caller, id)
    appeal, state = deed.appeal, State(deed.appeal.state)
    await deed.move(Act.CLOSE, deed.now)
    if lacks := missing(state, appeal.type, deed.policy, anonymous=appeal.anonymous):
        raise AppealIncomplete(missing=[msgspec.structs.asdict(lack) for lack in lacks])
    appeal.outcome, appeal.closed_at = RESOLVED, deed.now
    cancelled = await clocks.cancel(tx, deed.clocks, deed.now)
    event = AppealClosed(**deed.facts(deed.now), outcome=RESOLVED)
    deed.say("closed", deed.now, event, outcome=RESOLVED, cancelled=[clock.milestone for clock in cancelled])
    await deed.settle()
    return await _acted_on(tx, id)


async def _acted_on(tx: AsyncSession, id: UUID) -> Appeal:
    # Whoever handed it to a unit that they do not see is shown it once more.
    found = await repository.find(tx, id, None)
    assert found is not None, "it is locked"
    return found
