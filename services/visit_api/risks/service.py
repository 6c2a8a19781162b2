"""Whom appeals suggest to be at risk (§4.4.2): derived from what is heard, decided by a person, who alone marks the
customer."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal
from contracts.appeals import AppealCalledBack, AppealClosed, AppealOpened, AppealReclassified, AppealReopened
from contracts.deadlines import DeadlineBreached, DeadlineCorrected
from contracts.envelope import Event
from visit_api.customers.models import Customer
from visit_api.customers.service import get_customer, mark
from visit_api.risks import repository
from visit_api.risks.errors import AlreadyDecided
from visit_api.risks.models import HeardAppeal, Suggestion
from visit_api.risks.signals import Heard, counting_since, named_in, reasons, shipped

HEARD = (
    AppealOpened,
    AppealClosed,
    AppealReopened,
    AppealCalledBack,
    AppealReclassified,
    DeadlineBreached,
    DeadlineCorrected,
)
_DISSATISFIED = ("1", "2")


async def hear(tx: AsyncSession, runtime: Runtime, events: Sequence[Event]) -> None:
    """Takes in what was told of appeals, and derives anew what that suggests of their customers."""
    visits = {event.visit_id for event in events if isinstance(event, AppealOpened) and event.visit_id}
    customers = await repository.customers_of(tx, visits)
    known = await repository.heard(tx, {_appeal_of(event) for event in events})
    touched: set[UUID] = set()
    for event in events:
        appeal = known.get(_appeal_of(event))
        if appeal is None:
            appeal = _first_heard(event, customers)
            if appeal is None:
                continue  # hidden, of no visit, or opened before anybody listened
            tx.add(appeal)
            known[appeal.appeal_id] = appeal
        _take_in(appeal, event)
        touched.add(appeal.customer_id)
    await tx.flush()
    for customer in await repository.hold_customers(tx, touched):
        await _derive(tx, runtime, customer)


async def review(tx: AsyncSession, runtime: Runtime, most: int) -> bool:
    """Derives anew what is suggested of customers by appeals that count no more for their age; False where there are
    none left."""
    since = counting_since(runtime.clock.now(), shipped())
    ids = await repository.outdated(tx, since, most)
    for customer in await repository.hold_customers(tx, ids):
        await _derive(tx, runtime, customer)
    return len(ids) == most


async def get_suggestion(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Suggestion:
    """One suggestion. Raises `NotFound`."""
    found = await repository.find(tx, caller.unit, id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def decide(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    state: Literal["confirmed", "dismissed"],
    note: str | None,
) -> Suggestion:
    """What a person decided; a confirmation marks the customer. Raises `NotFound`, `AlreadyDecided`."""
    seen = await get_suggestion(tx, caller, id)
    customer = await get_customer(tx, caller, seen.customer_id, lock=True)  # first the customer, as whoever derives
    suggestion = await get_suggestion(tx, caller, id, lock=True)
    await tx.refresh(suggestion)
    if suggestion.state != "open":
        raise AlreadyDecided(state=suggestion.state)
    now = runtime.clock.now()
    suggestion.state, suggestion.note = state, note
    suggestion.decided_at = suggestion.updated_at = now
    suggestion.decided_by = caller.sub
    if state == "confirmed":
        await mark(tx, runtime, customer, "service_risk")
    return suggestion


def _appeal_of(event: Event) -> UUID:
    its: UUID = event.subject_id if isinstance(event, (DeadlineBreached, DeadlineCorrected)) else event.appeal_id  # type: ignore[attr-defined]
    return its


def _first_heard(event: Event, customers: dict[UUID, UUID]) -> HeardAppeal | None:
    if not isinstance(event, AppealOpened) or event.hidden or event.visit_id not in customers:
        return None
    return HeardAppeal(
        appeal_id=event.appeal_id,
        customer_id=customers[event.visit_id],
        type=event.appeal_type,
        received_at=event.received_at,
        is_open=True,
        outcome=None,
        overdue=False,
        breached=[],
        reopened=0,
        dissatisfied=0,
    )


def _take_in(appeal: HeardAppeal, event: Event) -> None:
    match event:
        case AppealClosed():
            appeal.is_open, appeal.outcome = False, event.outcome
        case AppealReopened():
            appeal.is_open, appeal.outcome, appeal.overdue, appeal.breached = True, None, False, []
            appeal.reopened += 1
        case DeadlineBreached():
            appeal.breached = [*{*appeal.breached, event.clock_id}]
            appeal.overdue = True
        case DeadlineCorrected():  # one of them; the others stay as they are
            appeal.breached = [each for each in appeal.breached if each != event.clock_id]
            appeal.overdue = bool(appeal.breached)
        case AppealReclassified():  # it was that from the beginning: its old deadlines were not its own
            appeal.type, appeal.overdue, appeal.breached = event.appeal_type, False, []
        case AppealCalledBack() if event.satisfaction in _DISSATISFIED:
            appeal.dissatisfied += 1
        case _:
            pass


async def _derive(tx: AsyncSession, runtime: Runtime, customer: Customer) -> None:
    now = runtime.clock.now()
    fields = Heard.__struct_fields__
    heard = [Heard(*(getattr(row, name) for name in fields)) for row in await repository.of_customer(tx, customer.id)]
    found = reasons(heard, shipped(), now)
    last = await repository.latest(tx, customer.id)
    if last is not None and last.state == "open":
        if found != last.reasons:
            last.state = "open" if found else "lapsed"
            last.reasons, last.updated_at = found or last.reasons, now
        return
    at_risk = customer.kind == "other.service_risk" or "service_risk" in customer.marks
    known = named_in(last.reasons) if last is not None and last.state != "lapsed" else set()
    if customer.removed_at or at_risk or not named_in(found) - known:
        return
    its = {"customer_id": customer.id, "state": "open", "reasons": found}
    tx.add(Suggestion(id=new_id(), **its, suggested_at=now, updated_at=now))
