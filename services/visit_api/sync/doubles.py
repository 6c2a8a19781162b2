"""Visits planned at desks that may be one: looked at in the order in which they change, a moment later, so that no
planning waits for it. What a device brings is suspected at once (`suspecting`)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

MOST = 500  # visits of a look

# In the order of the feed, and no further than it: what commits late is met late, and is never passed over. Two that a
# plan wants apart are two; of many on one day three are enough to say that somebody should look.
# $1 visits at most, $2 now, $3 and $4 the last that was looked at.
_LOOK = """
WITH looked AS MATERIALIZED (
    SELECT * FROM visits
    WHERE (changed_xid, id) > ($3, $4) AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY changed_xid, id LIMIT $1
), pairs AS (
    SELECT DISTINCT least(v.id, other.id) AS first_id, greatest(v.id, other.id) AS second_id, v.customer_id, v.channel,
           v.day, v.unit_code
    FROM (SELECT *, (scheduled_at AT TIME ZONE INTERVAL '8 hours')::date AS day FROM looked
          WHERE state NOT IN ('cancelled', 'missed')) v
    CROSS JOIN LATERAL (
        SELECT o.id FROM visits o
        WHERE o.customer_id = v.customer_id AND o.channel = v.channel AND o.id <> v.id
          AND (o.scheduled_at AT TIME ZONE INTERVAL '8 hours')::date = v.day
          AND o.state NOT IN ('cancelled', 'missed') AND o.unit_code = v.unit_code
          AND (o.plan_item_id = v.plan_item_id OR num_nulls(o.plan_item_id, v.plan_item_id) > 0)
        LIMIT 3
    ) other
), noted AS (
    INSERT INTO sync_suspicions (id, first_id, second_id, customer_id, channel, day, unit_code, state, recorded_at,
                                 updated_at)
    SELECT gen_random_uuid(), first_id, second_id, customer_id, channel, day, unit_code, 'open', $2, $2 FROM pairs
    WHERE NOT EXISTS (SELECT FROM sync_suspicions s
                      WHERE s.first_id IN (pairs.first_id, pairs.second_id)
                        AND s.second_id IN (pairs.first_id, pairs.second_id))
    ON CONFLICT DO NOTHING
), moved AS (
    INSERT INTO sync_looked (changed_xid, visit_id)
    SELECT changed_xid, id FROM looked ORDER BY changed_xid DESC, id DESC LIMIT 1
    ON CONFLICT (one) DO UPDATE SET changed_xid = excluded.changed_xid, visit_id = excluded.visit_id
)
SELECT count(*) FROM looked
"""


async def look(tx: AsyncSession, now: datetime) -> bool:
    """Looks at some visits that changed next; whether there may be more."""
    its = await driver(tx)
    last = await its.fetchrow("SELECT changed_xid, visit_id FROM sync_looked") or (0, UUID(int=0))
    return bool(await its.fetchval(_LOOK, MOST, now, *last) == MOST)
