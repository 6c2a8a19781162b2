"""Which materials suit a customer: by the needs heard from it, its traits of use and its industry (T/SDPEA §7.2.2)."""

from uuid import UUID

from sqlalchemy import ColumnElement, false
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.web.errors import NotFound
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.customers.service import get_customer
from visit_api.directory.models import Unit
from visit_api.materials import repository as materials
from visit_api.materials.models import Material
from visit_api.profiles.service import profile_of
from visit_api.steps.service import needs_heard


async def list_materials(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    window: Window,
    *,
    unit_code: str | None,
    topic: str | None,
    published: bool | None,
    for_customer: UUID | None,
) -> Listing[Material]:
    """What the caller's unit and those below it keep; or what is in force for a customer that the caller sees, kept by
    the customer's unit or one above it."""
    suiting = None if for_customer is None else await _suiting(tx, runtime, caller, for_customer)
    return await materials.find_all(
        tx, caller.unit, window, unit_code=unit_code, topic=topic, published=published, suiting=suiting
    )


async def _suiting(tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID) -> ColumnElement[bool]:
    try:
        customer = await get_customer(tx, caller, customer_id)
    except NotFound:
        return false()
    profile, needs = await profile_of(tx, customer_id), await needs_heard(tx, customer_id)
    units = await ancestors(tx, Unit, customer.unit_code)
    return materials.suits(units, runtime.clock.now(), needs, profile.traits, profile.industry)
