"""What customers ask in groups, and what is answered (T/SDPEA §6.3.2)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api import moments
from visit_api.base import add
from visit_api.customers.service import hold_customer
from visit_api.directory.units import are_in_line
from visit_api.online import repository
from visit_api.online.errors import OTHER_CUSTOMER, OTHER_UNIT, InquiryAnswered, InquiryTaken, before_its_beginning
from visit_api.online.models import Group, Inquiry
from visit_api.online.schemas import NewInquiry, Reply
from visit_api.online.service import get_group
from visit_api.texts import service as texts
from visit_api.visits.lateness import came_late, came_late_to
from visit_api.visits.lifecycle import Act
from visit_api.visits.models import Visit
from visit_api.visits.service import hold_visit, require_recordable


async def ask(tx: AsyncSession, runtime: Runtime, caller: Principal, group_id: UUID, new: NewInquiry) -> Inquiry:
    """Records what a customer asked in a group. Raises `NotFound`, `InquiryTaken`, `ActRefused`,
    `Unprocessable`."""
    group, now = await get_group(tx, caller, group_id), runtime.clock.now()
    found = new.id and await repository.find(tx, caller.unit, Inquiry, new.id)
    if not found:
        moments.received(new.received_at, now)
        visit = await _its_visit(tx, caller, group, new)
        if new.customer_id is not None:
            await hold_customer(tx, caller, new.customer_id, "/customer_id")
        inquiry = await _add(tx, runtime, caller, group, new, now)
        if inquiry is not None:
            if visit is not None:
                await came_late(tx, visit, "online", caller.sub, now)
            return inquiry
        found = new.id and await repository.find(tx, caller.unit, Inquiry, new.id)
    if not found or found.group_id != group_id or not await texts.is_made_of(tx, runtime, found, new):
        raise InquiryTaken(id=new.id)
    await texts.show(tx, runtime, [found])
    return found


async def list_inquiries(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    window: Window,
    *,
    unit_code: str | None,
    group_id: UUID | None,
    answered: bool | None,
) -> Listing[Inquiry]:
    """What was asked in the groups that the caller sees."""
    found = await repository.find_inquiries(
        tx, caller.unit, window, unit_code=unit_code, group_id=group_id, answered=answered
    )
    await texts.show(tx, runtime, found.items)
    return found


async def answer(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reply: Reply) -> Inquiry:
    """Records the answer to a question, once. Raises `NotFound`, `InquiryAnswered`, `Unprocessable`."""
    inquiry, now = await repository.find(tx, caller.unit, Inquiry, id, lock=True), runtime.clock.now()
    if inquiry is None:
        raise NotFound
    if inquiry.answered_at is not None:
        raise InquiryAnswered
    at = happened(reply.at or max(now, inquiry.received_at), now)
    if at < inquiry.received_at:
        raise Unprocessable(before_its_beginning("/at"))
    kept = await texts.kept(tx, runtime, Inquiry, id, inquiry.unit_code, {"answer": reply.answer})
    for column, value in kept.items():
        setattr(inquiry, column, value)
    inquiry.answered_at, inquiry.answered_by, inquiry.updated_at = at, caller.sub, now
    await tx.flush()
    if inquiry.visit_id is not None:
        await came_late_to(tx, inquiry.visit_id, "online", caller.sub, now)
    await texts.show(tx, runtime, [inquiry])
    return inquiry


async def _its_visit(tx: AsyncSession, caller: Principal, group: Group, new: NewInquiry) -> Visit | None:
    """The visit on which it was asked: to the customer who is named, and to whom a direct line is, and made by a unit
    of the group's, or one above or below it. Raises `ActRefused`, `Unprocessable`."""
    if new.visit_id is None:
        return None
    line = group.customer_ids if group.kind == "direct" else []
    visit = await hold_visit(tx, caller, new.visit_id, line, "/visit_id")
    if new.customer_id not in (None, visit.customer_id):
        raise Unprocessable(OTHER_CUSTOMER)
    if not await are_in_line(tx, visit.unit_code, group.unit_code):
        raise Unprocessable(OTHER_UNIT)
    require_recordable(Act.ANSWER, visit, new.received_at)
    return visit


async def _add(
    tx: AsyncSession, runtime: Runtime, caller: Principal, group: Group, new: NewInquiry, now: datetime
) -> Inquiry | None:
    id = new.id or new_id()  # noqa: A001
    its = {"id": id, "group_id": group.id, "unit_code": group.unit_code, "recorded_at": now, "recorded_by": caller.sub}
    kept = await texts.kept(tx, runtime, Inquiry, id, group.unit_code, {"question": new.question})
    digest = await texts.digest(tx, runtime, new)
    inquiry = await add(tx, Inquiry, new, now, **its, **kept, content_digest=digest)
    if inquiry is not None:
        await texts.show(tx, runtime, [inquiry])
    return inquiry
