"""Queries of suggestions; who sees the customer sees what is suggested of it. `unit` is always the caller's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Gone, Listing, Way, Window
from visit_api.appeals.models import Appeal
from visit_api.customers.models import Customer, CustomerLeaving
from visit_api.customers.repository import gone, kept_then
from visit_api.directory.models import Unit
from visit_api.risks.models import HeardAppeal, Suggestion
from visit_api.visits.models import Visit


def _seen(unit: str | None) -> Select[Any]:
    customers = select(Customer.id).where(within(Unit, unit, Customer.unit_code))
    return select(Suggestion).where(Suggestion.customer_id.in_(customers))


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Suggestion | None:
    """The suggestion `id` where the caller sees the customer."""
    query = _seen(unit).where(Suggestion.id == id)
    found: Suggestion | None = await tx.scalar(query.with_for_update(of=Suggestion) if lock else query)
    return found


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, *, state: str | None, customer_id: UUID | None
) -> Listing[Suggestion | Gone]:
    """The suggestions about customers that the caller sees; in a feed also those whose customer came there, and as gone
    those whose customer went elsewhere."""
    query = _seen(unit)
    if state is not None:
        query = query.where(Suggestion.state == state)
    if customer_id is not None:
        query = query.where(Suggestion.customer_id == customer_id)
    if not window.is_feed:
        return await window.fetch(tx, query, Suggestion)
    went = gone(partial(within, Unit, unit), Suggestion.id)
    about = Suggestion.customer_id == CustomerLeaving.customer_id
    return await window.follow(
        tx,
        Way(query, Suggestion.changed_xid, Suggestion.id, Suggestion.updated_at),
        went._replace(query=query.join(CustomerLeaving, about), gone=False),
        went._replace(query=went.query.join(Suggestion, about).where(kept_then(Suggestion.made_xid))),
    )


async def customers_of(tx: AsyncSession, visit_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Whom each of the visits was made to."""
    rows = await tx.execute(select(Visit.id, Visit.customer_id).where(Visit.id.in_(visit_ids)))
    return {row.id: row.customer_id for row in rows}


async def heard(tx: AsyncSession, appeal_ids: Collection[UUID]) -> dict[UUID, HeardAppeal]:
    """The appeals that were heard of already, held for a change."""
    query = select(HeardAppeal).where(HeardAppeal.appeal_id.in_(appeal_ids)).order_by(HeardAppeal.appeal_id)
    return {row.appeal_id: row for row in await tx.scalars(query.with_for_update())}


async def hold_customers(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Customer]:
    """The customers, held in one order, so that of each one suggestion is made at a time."""
    query = select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id)
    return (await tx.scalars(query.with_for_update())).all()


async def of_customer(tx: AsyncSession, customer_id: UUID) -> Sequence[HeardAppeal]:
    """All that was heard of a customer's appeals, but the hidden ones: an older version took in what is anonymous."""
    hidden = exists().where(Appeal.id == HeardAppeal.appeal_id, Appeal.hidden)
    return (await tx.scalars(select(HeardAppeal).where(HeardAppeal.customer_id == customer_id, ~hidden))).all()


async def outdated(tx: AsyncSession, since: datetime, most: int) -> Sequence[UUID]:
    """Customers with an open suggestion that names an appeal which is closed and was received before `since`."""
    named = func.jsonb_build_array(
        func.jsonb_build_object("appeals", func.jsonb_build_array(cast(HeardAppeal.appeal_id, Text)))
    )
    old = exists().where(
        HeardAppeal.customer_id == Suggestion.customer_id,
        HeardAppeal.is_open.is_(False),
        HeardAppeal.received_at < since,
        Suggestion.reasons.bool_op("@>")(named),
    )
    query = select(Suggestion.customer_id).where(text("state = 'open'"), old)
    return (await tx.scalars(query.order_by(Suggestion.customer_id).limit(most))).all()


async def latest(tx: AsyncSession, customer_id: UUID) -> Suggestion | None:
    """What was last suggested of a customer."""
    query = select(Suggestion).where(Suggestion.customer_id == customer_id).order_by(Suggestion.id.desc()).limit(1)
    found: Suggestion | None = await tx.scalar(query.with_for_update())
    return found
