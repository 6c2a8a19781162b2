"""Queries of plans; `unit` is always the caller's, None where a service sees all."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.plans.models import Adjustment, Item, Plan
from visit_api.plans.period import Slot

# One batch of customers, by id: what the rules ask for is put in, what they ask for no more is dropped, and neither
# where somebody adjusted it or there is a visit for it. Nothing is written that is so already. NOT IN, where nothing is
# null: it is hashed whatever the statistics say, and of a plan that was just made they say that there is none.
# A customer counts as of its kind, and besides as one at risk where a person marked it so (§4.4.2), and as an important
# one where a document determined it (§3.2).
# $1 plan, $2 unit, $3 the customer before the batch, $4 customers at most, $5 rules, $6 slots, $7 now.
_GENERATE = """
WITH batch AS MATERIALIZED (
    SELECT id, importance, ARRAY[kind]
        || CASE WHEN 'service_risk' = ANY (marks) THEN ARRAY['other.service_risk'] ELSE '{}' END
        || CASE WHEN importance IS NOT NULL
                    AND EXISTS (SELECT FROM importance_determinations AS d WHERE d.customer_id = customers.id)
                THEN ARRAY['other.important'] ELSE '{}' END AS kinds
    FROM customers
    WHERE unit_code = $2 AND removed_at IS NULL AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4
), edge AS MATERIALIZED (
    SELECT CASE WHEN count(*) = $4 THEN (array_agg(id ORDER BY id DESC))[1] END AS upto FROM batch
), wanted AS (
    SELECT DISTINCT ON (batch.id, rule.channel) batch.id AS customer_id, rule.*
    FROM batch JOIN jsonb_to_recordset($5::jsonb)
         AS rule (place int, name text, kinds text[], importance text[], channel text, form text, times int)
         ON batch.kinds && rule.kinds AND (rule.importance IS NULL OR batch.importance = ANY (rule.importance))
    ORDER BY batch.id, rule.channel, rule.place
), asked AS MATERIALIZED (
    SELECT wanted.*, slot.slot, slot.due_from, slot.due_by
    FROM wanted JOIN jsonb_to_recordset($6::jsonb) AS slot (times int, slot int, due_from date, due_by date)
         USING (times)
), dropped AS (
    UPDATE plan_items item
    SET dropped = true, version = item.version + 1, updated_at = $7, changed_xid = pg_current_xact_id()::text::bigint
    FROM edge
    WHERE item.plan_id = $1 AND ($3::uuid IS NULL OR item.customer_id > $3)
      AND (edge.upto IS NULL OR item.customer_id <= edge.upto)
      AND item.asked_channel IS NOT NULL AND NOT (item.adjusted OR item.dropped) AND item.taken_at IS NULL
      AND (item.customer_id, item.asked_channel, item.slot) NOT IN (SELECT customer_id, channel, slot FROM asked)
), put AS (
    INSERT INTO plan_items (id, plan_id, unit_code, customer_id, channel, form, due_from, due_by, rule, asked_channel,
                            slot, dropped, adjusted, version, content_digest, updated_at)
    SELECT gen_random_uuid(), $1, $2, customer_id, channel, form, due_from, due_by, name, channel, slot, false, false,
           1, '', $7
    FROM asked
    ON CONFLICT (plan_id, customer_id, asked_channel, slot) WHERE asked_channel IS NOT NULL DO UPDATE
    SET form = excluded.form, due_from = excluded.due_from, due_by = excluded.due_by, rule = excluded.rule,
        dropped = false, version = plan_items.version + 1, updated_at = excluded.updated_at,
        changed_xid = pg_current_xact_id()::text::bigint
    WHERE NOT plan_items.adjusted AND plan_items.taken_at IS NULL
      AND (plan_items.form, plan_items.due_from, plan_items.due_by, plan_items.rule, plan_items.dropped)
          IS DISTINCT FROM (excluded.form, excluded.due_from, excluded.due_by, excluded.rule, false)
)
SELECT upto FROM edge
"""


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Plan | None:
    """The plan `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Plan).where(Plan.id == id, within(Unit, unit, Plan.unit_code))
    found: Plan | None = await tx.scalar(query.with_for_update(of=Plan, key_share=True) if lock else query)
    return found


async def of_period(tx: AsyncSession, unit_code: str, period: str) -> Plan | None:
    """The plan of a unit for a period."""
    found: Plan | None = await tx.scalar(select(Plan).where(Plan.unit_code == unit_code, Plan.period == period))
    return found


async def find_all(tx: AsyncSession, unit: str | None, window: Window, **wanted: object) -> Listing[Plan]:
    """The plans that the caller sees, by period; of `wanted` columns, those that are not None."""
    query = select(Plan).where(within(Unit, unit, Plan.unit_code))
    for column, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Plan, column) == value)
    return await window.fetch(tx, query, Plan, Plan.period, Plan.id)


async def claim(tx: AsyncSession) -> Plan | None:
    """A plan that is being generated, and that nobody else holds."""
    query = select(Plan).where(Plan.generating.is_not(None)).order_by(Plan.id).limit(1)
    found: Plan | None = await tx.scalar(query.with_for_update(skip_locked=True, key_share=True))
    return found


async def generate(
    tx: AsyncSession, plan: Plan, rules: Sequence[dict[str, Any]], slots: Sequence[Slot], most: int, now: datetime
) -> UUID | None:
    """Brings the items of the plan's next `most` customers to what the rules ask for; the last of these customers,
    None where there are no more."""
    wanted = json.dumps([{**rule, "place": place} for place, rule in enumerate(rules)])
    when = json.dumps([slot._asdict() for slot in slots], default=str)
    its = await driver(tx)
    upto: UUID | None = await its.fetchval(
        _GENERATE, plan.id, plan.unit_code, plan.generating_from, most, wanted, when, now
    )
    return upto


async def find_item(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Item | None:
    """The item `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Item).where(Item.id == id, within(Unit, unit, Item.unit_code))
    found: Item | None = await tx.scalar(query.with_for_update(of=Item, key_share=True) if lock else query)
    return found


async def find_items(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    due_since: date | None,
    due_until: date | None,
    **wanted: object,
) -> Listing[Item]:
    """The items that the caller sees, by the day they are due by; of `wanted` columns, those that are not None. In a
    feed, the dropped ones too."""
    query = select(Item).where(within(Unit, unit, Item.unit_code))
    if not window.is_feed:
        query = query.where(Item.dropped.is_(False))
    for column, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Item, column) == value)
    if due_since is not None:
        query = query.where(Item.due_by >= due_since)
    if due_until is not None:
        query = query.where(Item.due_by <= due_until)
    return await window.fetch(tx, query, Item, Item.due_by, Item.id)


async def adjustments(tx: AsyncSession, item_id: UUID, window: Window) -> Listing[Adjustment]:
    """What was changed of an item by hand, in order."""
    return await window.fetch(tx, select(Adjustment).where(Adjustment.item_id == item_id), Adjustment)
