"""What is shown of several systems that speak of one customer, and what a unit decides of them."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from visit_api.customers.phones import masked, masked_address
from visit_api.customers.service import get_customer
from visit_api.imports import repository
from visit_api.imports.of_several import SUBJECT, opened
from visit_api.imports.ownership import SHIPPED, orders, winners
from visit_api.imports.reading import Said
from visit_api.imports.schemas import SaidByAll, SaidView, SourceRules
from visit_api.rulebooks import service as rulebooks


async def said_by_all(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str | None) -> SaidByAll:
    """What each system says of a customer, in full for a `reason`, with a line in the trail. Raises `NotFound`."""
    customer = await get_customer(tx, caller, id)
    rows = (await repository.said_of(tx, [id])).get(id, {})
    said = {source: await opened(tx, runtime, row) for source, row in rows.items()}
    rules = await rulebooks.counting(tx, customer.unit_code, SUBJECT, SHIPPED)
    best = winners(orders(rules.content), str(customer.source), said)
    if reason is not None and rows:
        act, where = "customer.sources_opened", customer.unit_code
        await trail.note(tx, runtime, caller, act=act, thing="customer", thing_id=id, unit_code=where, reason=reason)
    sources = [
        SaidView(
            source=source,
            source_no=row.source_no,
            owns=source == customer.source,
            said=said[source] if reason is not None else _masked(said[source]),
            counts=[field for field, its in best.items() if its == source],
            updated_at=row.updated_at,
        )
        for source, row in sorted(rows.items())
    ]
    return SaidByAll(sources=sources)


async def get_rules(tx: AsyncSession, caller: Principal, unit_code: str) -> dict[str, Any]:
    """Which system's word counts in a unit. Raises `NotFound`."""
    return await rulebooks.seen(tx, caller, unit_code, SUBJECT, SHIPPED)


async def set_rules(
    tx: AsyncSession, runtime: Runtime, caller: Principal, unit_code: str, rules: SourceRules, unchanged: Unchanged
) -> dict[str, Any]:
    """Decides it for a unit and those below it that decide nothing. Raises `NotFound`, `PreconditionFailed`."""
    content = rules.model_dump(mode="json")
    return await rulebooks.decide(tx, runtime, caller, unit_code, SUBJECT, SHIPPED, content, unchanged)


def _masked(said: Said) -> Said:
    hidden = {"phone": masked, "address": masked_address}
    return {field: hidden[field](value) if field in hidden else value for field, value in said.items()}
