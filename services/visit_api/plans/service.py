"""What is done with plans and with the visits that they want; items are generated in `generating`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.codes import Form
from visit_api.customers.service import hold_customer
from visit_api.directory.units import open_unit, require_unit
from visit_api.plans import errors, repository
from visit_api.plans.models import Adjustment, Item, Plan
from visit_api.plans.period import bounds
from visit_api.plans.schemas import ItemChange, NewItem, NewPlan, PlanItemView

_DECIDING = frozenset({"supervisor", "admin"})
_ADJUSTABLE = ("channel", "form", "due_from", "due_by", "dropped")


async def add_plan(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewPlan) -> Plan:
    """Begins a unit's plan of a period. Raises `PlanTaken`, `Unprocessable`."""
    await require_unit(tx, caller, new.unit_code)
    plan = await add(tx, Plan, new, runtime.clock.now(), state="draft")
    if plan is not None:
        return plan
    found = await repository.of_period(tx, new.unit_code, new.period)
    if found is None or not found.is_made_of(new):
        raise errors.PlanTaken
    return found


async def get_plan(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Plan:
    """The plan `id`, held for a change if `lock` says so. Raises `NotFound`."""
    plan = await repository.find(tx, caller.unit, id, lock=lock)
    if plan is None:
        raise NotFound
    return plan


async def approve(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Plan:
    """Approves a plan as it is; what is adjusted from then on a supervisor adjusts. Raises `NotFound`,
    `PlanIsGenerating`."""
    plan = await get_plan(tx, caller, id, lock=True)
    if plan.is_generating:
        raise errors.PlanIsGenerating
    if plan.state == "draft":
        plan.touch(runtime.clock.now())
        plan.state, plan.approved_at, plan.approved_by = "approved", plan.updated_at, caller.sub
    return plan


def require_changeable(caller: Principal, plan: Plan) -> None:
    """Raises `PlanIsApproved` for whoever may not change what was approved."""
    if plan.state == "approved" and not caller.roles & _DECIDING:
        raise errors.PlanIsApproved(approved_at=plan.approved_at)


async def add_item(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, new: NewItem) -> Item:
    """Adds by hand a visit that a plan is to want. Raises `NotFound`, `UnitMerged`, `PlanIsApproved`,
    `PlanItemTaken`, `Unprocessable`."""
    plan = await get_plan(tx, caller, id, lock=True)
    found = new.id and await repository.find_item(tx, caller.unit, new.id)
    if not found:
        require_changeable(caller, plan)
        await open_unit(tx, caller, plan.unit_code)
        customer = await hold_customer(tx, caller, new.customer_id, "/customer_id")
        now = runtime.clock.now()
        its = {"plan_id": plan.id, "unit_code": plan.unit_code, "customer_id": customer.id}
        due_from = bounds(plan.period)[0] if new.due_from is None else new.due_from
        _require_days(plan, due_from, new.due_by)
        item = await add(tx, Item, new.wanted, now, **its, due_from=due_from, dropped=False, adjusted=True)
        if item is not None:
            _note(tx, item, None, _adjustable(item), new.reason, caller, now)
            return item
        found = new.id and await repository.find_item(tx, caller.unit, new.id)
    if not found or found.plan_id != plan.id or not found.is_made_of(new.wanted):
        raise errors.PlanItemTaken
    return found


async def get_item(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Item:
    """The item `id`, held for a change if `lock` says so. Raises `NotFound`."""
    item = await repository.find_item(tx, caller.unit, id, lock=lock)
    if item is None:
        raise NotFound
    return item


async def adjust_item(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: ItemChange, unchanged: Unchanged
) -> Item:
    """Changes an item by hand; generating leaves it alone from then on. Raises `NotFound`, `PreconditionFailed`,
    `PlanIsApproved`, `Unprocessable`."""
    item = await get_item(tx, caller, id, lock=True)
    unchanged(item)
    plan = await get_plan(tx, caller, item.plan_id)
    require_changeable(caller, plan)
    _require_days(plan, change.get("due_from", item.due_from), change.get("due_by", item.due_by))
    before = _adjustable(item)
    for field in _ADJUSTABLE:
        if field in change:
            setattr(item, field, change[field])  # type: ignore[literal-required]
    item.adjusted = True
    item.touch(runtime.clock.now())
    after = _adjustable(item)
    changed = {field for field in _ADJUSTABLE if before[field] != after[field]}
    was, became = ({field: its[field] for field in changed} for its in (before, after))
    _note(tx, item, was, became, change["reason"], caller, item.updated_at)
    return item


async def list_adjustments(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Adjustment]:
    """What was changed of an item by hand. Raises `NotFound`."""
    await get_item(tx, caller, id)
    return await repository.adjustments(tx, id, window)


async def take_item(
    tx: AsyncSession,
    caller: Principal,
    id: UUID,
    customer_id: UUID,
    now: datetime,
    pointer: str,
    *,
    dropped_too: bool = False,
) -> None:
    """Notes that there is a visit for an item, which stays wanted from then on. Raises `Unprocessable`, pointing to the
    field, for one that is not wanted, or not of that customer. `dropped_too`: for what was done before."""
    item = await repository.find_item(tx, caller.unit, id, lock=True)
    if item is None or (item.dropped and not dropped_too):
        raise Unprocessable(errors.unknown_item(pointer))
    if item.customer_id != customer_id:
        raise Unprocessable(errors.other_customer(pointer))
    if item.taken_at is None:
        item.taken_at = now
        item.touch(now)


async def require_as_wanted(tx: AsyncSession, id: UUID, channel: str, form: str) -> None:
    """Raises `Unprocessable` for a visit of the item `id` by another channel than it wants, or in another form than the
    directed or special one that it wants (§7.2.1)."""
    item = await tx.get_one(Item, id)
    faults = [errors.other_channel("/channel")] if channel != item.channel else []
    if form != item.form and item.form != Form.ORDINARY:
        faults.append(errors.other_form("/form"))
    if faults:
        raise Unprocessable(*faults)


async def item_on_record(tx: AsyncSession, id: UUID) -> dict[str, Any]:
    """The item that a record names, as it is now."""
    item = await repository.find_item(tx, None, id)
    assert item is not None, "a record names an item by foreign key"
    return PlanItemView.model_validate(item).model_dump(mode="json")


def _require_days(plan: Plan, due_from: date, due_by: date) -> None:
    first, last = bounds(plan.period)
    if not (first <= due_from <= last and first <= due_by <= last):
        raise Unprocessable(errors.outside_period("/due_by"))
    if due_from > due_by:
        raise Unprocessable(errors.DAYS_BACKWARDS)


def _adjustable(item: Item) -> dict[str, Any]:
    view = PlanItemView.model_validate(item)
    return view.model_dump(mode="json", include=set(_ADJUSTABLE))


def _note(
    tx: AsyncSession,
    item: Item,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    reason: str,
    caller: Principal,
    now: datetime,
) -> None:
    tx.add(
        Adjustment(
            id=new_id(),
            item_id=item.id,
            unit_code=item.unit_code,
            before=before,
            after=after,
            reason=reason,
            recorded_at=now,
            recorded_by=caller.sub,
        )
    )
