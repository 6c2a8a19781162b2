"""What is done with appeals here: they are raised, and what the tracker tells of them is followed."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from chassis.web.work import Statements
from contracts.appeals import AppealRaised
from visit_api import moments
from visit_api.appeals import repository, sealing
from visit_api.appeals.confidence import confidence, heard
from visit_api.appeals.errors import NO_REASON, UNKNOWN_HEARER, AppealTaken
from visit_api.appeals.following import Told, appeal_of, took_over
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import NewAppeal
from visit_api.base import digest, key_digest
from visit_api.visits.service import get_visit


async def raise_appeal(
    statements: Statements, runtime: Runtime, caller: Principal, visit_id: UUID, new: NewAppeal
) -> Mapping[str, Any]:
    """Stores what a customer raised on a visit and tells it, in one statement. Its first-contact person (§8.2.4), named
    in `raised_by` wherever it is told, is who heard it: the caller, if nobody else is named.

    Possible in every state of the visit, also after it was archived: a complaint is never turned away.
    Raises `NotFound`, `AppealTaken`, `Unprocessable`.
    """
    now = runtime.clock.now()
    moments.received(new.received_at, now)
    if new.type == "consultation" and new.reason_not_answered is None:
        raise Unprocessable(NO_REASON, clause="7.2.3")
    heard_by = new.heard_by or caller.sub
    if heard_by != caller.sub:
        await _require_hearer(statements, caller, visit_id, heard_by)
    raised = repository.Raised(
        **new.model_dump(exclude={"id", "heard_by"}),
        id=new.id or new_id(),
        recorded_at=now,
        raised_by=heard_by,
        typed_by=None if heard_by == caller.sub else caller.sub,
        content_digest=digest(new),
    )
    told = runtime.outbox.row(_told(visit_id, raised), now)
    row = await repository.add(statements, caller.unit, visit_id, raised, told)
    if row is None:
        raise NotFound
    if row["id"] is None:
        row = await _same(statements, runtime, visit_id, raised)
    statements.committed(runtime.outbox.wake)
    return row


async def list_raised(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, window: Window
) -> Listing[Appeal]:
    """What was raised on a visit, as far as the caller may know of it. Raises `NotFound`."""
    await get_visit(tx, caller, visit_id)
    found = await repository.find_all(tx, caller.unit, window, visit_id, known=await confidence(tx, caller))
    await sealing.show(tx, runtime, found.items)
    await note_read(tx, runtime, caller, found.items)
    return found


async def note_read(tx: AsyncSession, runtime: Runtime, caller: Principal, appeals: Iterable[Appeal]) -> None:
    """Notes in the trail which hidden appeals the caller is shown, beside those that they heard themselves."""
    for appeal in appeals:
        if appeal.hidden and not heard(caller.sub, appeal):
            unit = appeal.unit_code
            await trail.note(tx, runtime, caller, act="appeal.read", thing="appeal", thing_id=appeal.id, unit_code=unit)


async def get_appeal(tx: AsyncSession, caller: Principal, id: UUID) -> Appeal:
    """An appeal, its words not opened. Raises `NotFound`."""
    appeal = await repository.find(tx, caller.unit, id)
    if appeal is None:
        raise NotFound
    return appeal


async def get_words(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Appeal:
    """The same with its words. Raises `NotFound`."""
    appeal = await get_appeal(tx, caller, id)
    await sealing.show(tx, runtime, [appeal])
    return appeal


async def all_raised(tx: AsyncSession, visit_id: UUID) -> Sequence[Appeal]:
    """All that was raised on a visit, whoever may know of it; no words are opened."""
    return await repository.of_visit(tx, visit_id)


async def visits_of(tx: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """The visits on which the appeals `ids` were raised, as far as they were raised on visits."""
    return await repository.visits_of(tx, ids)


async def follow(tx: AsyncSession, heard: Sequence[Told], now: datetime) -> AsyncIterator[tuple[Appeal, Told]]:
    """Takes over what the tracker told, one by one; gives each that changed something here, and the appeal as it left
    it. Appeals from other sources are not ours."""
    known = {appeal.id: appeal for appeal in await repository.among(tx, {appeal_of(event) for event in heard})}
    for event in heard:
        appeal = known.get(appeal_of(event))
        if appeal is not None and took_over(appeal, event):
            appeal.updated_at = now
            yield appeal, event


async def _require_hearer(statements: Statements, caller: Principal, visit_id: UUID, staff_no: str) -> None:
    known = await repository.may_have_heard(statements, caller.unit, visit_id, staff_no)
    if known is None:
        raise NotFound
    if not known:
        raise Unprocessable(UNKNOWN_HEARER)


async def _same(
    statements: Statements, runtime: Runtime, visit_id: UUID, raised: repository.Raised
) -> Mapping[str, Any]:
    """The appeal that has the id, if it is the same; of one whose words are sealed already they are opened. Raises
    `AppealTaken`."""
    tx = await statements.transaction()
    keyed = await key_digest(tx, runtime, raised.content_digest)
    row = await repository.find_same(statements, visit_id, raised.id, (raised.content_digest, keyed))
    if row is None:
        raise AppealTaken(id=raised.id)
    if row["words_sealed"] is None:
        return row
    return {**row, **(await sealing.opened(tx, runtime, raised.id, row["words_sealed"]))._asdict()}


def _told(visit_id: UUID, raised: repository.Raised) -> AppealRaised:
    """What is told, but for what only the statement that stores it knows: number, unit and customer."""
    return AppealRaised(
        appeal_id=raised.id,
        appeal_no="",
        visit_id=None if raised.hidden else visit_id,
        customer_id=None,
        unit_code="",
        appeal_type=raised.type,
        received_at=raised.received_at,
        recorded_at=raised.recorded_at,
        raised_by=raised.raised_by,
        confidential=raised.confidential,
        anonymous=raised.anonymous,
    )
