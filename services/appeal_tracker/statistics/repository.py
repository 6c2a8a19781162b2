"""The one statement behind the statistics, put together from the dimensions that are asked for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

# Units that are heard of may form a cycle for a while: UNION finds nothing new in one, and ends.
_UNITS = """
below (code) AS (
    SELECT CAST(:unit AS text) UNION SELECT u.code FROM units u JOIN below b ON u.parent_code = b.code)"""
# Each unit with all below it; or the one that is asked about alone.
_PAIRS = """
pairs (unit_code, code) AS (
    SELECT code, code FROM below
    UNION SELECT p.unit_code, u.code FROM pairs p JOIN units u ON u.parent_code = p.code)"""
_PAIRS_OF_ONE = """
pairs (unit_code, code) AS (SELECT CAST(:unit AS text), code FROM below)"""

# What is not asked for is one value for all, and no NULL: those would not join.
_PERIODS = {
    None: "DATE '2007-01-01'",
    "day": "CAST(a.received_at AT TIME ZONE INTERVAL '8 hours' AS date)",
    "week": "CAST(date_trunc('week', a.received_at AT TIME ZONE INTERVAL '8 hours') AS date)",
    "month": "CAST(date_trunc('month', a.received_at AT TIME ZONE INTERVAL '8 hours') AS date)",
}

_STATEMENT = """
WITH RECURSIVE {units}, {pairs},
raised AS MATERIALIZED (
    SELECT a.id, a.unit_code AS code, a.state, a.recorded_at, {type} AS type, {period} AS period
    FROM appeals a
    WHERE a.received_at >= :since AND a.received_at < :until AND a.unit_code IN (SELECT code FROM below)
          AND (CAST(:type AS text) IS NULL OR a.type = :type)
), deadlines AS MATERIALIZED (
    SELECT c.id, r.code, r.type, r.period, r.recorded_at, c.milestone, c.late_arrival, c.state = 'met' AS met,
           c.state = 'breached' AS breached, c.state = 'cancelled' AS cancelled, c.state = 'held' AS held,
           c.state = 'met' AND c.breached_at IS NOT NULL AS corrected,
           c.provisional AND c.state IN ('running', 'held') AS provisional,
           c.state = 'running' OR c.state = 'breached' AND c.stopped_at IS NULL AND r.state <> 'closed' AS open,
           extract(epoch FROM c.due_at - CAST(:now AS timestamptz)) / 3600 AS hours_left,
           extract(epoch FROM c.stopped_at - c.started_at) AS took
    FROM raised r JOIN clocks c ON c.subject_id = r.id AND c.subject_kind = 'appeal'
), appeals_counted AS (
    SELECT p.unit_code, r.type, r.period, count(*) AS received, count(*) FILTER (WHERE r.state = 'closed') AS closed
    FROM raised r JOIN pairs p USING (code) GROUP BY p.unit_code, r.type, r.period
), deadlines_counted AS (
    SELECT p.unit_code, d.type, d.period,
           {milestones},
           count(*) FILTER (WHERE breached) AS breached,
           count(*) FILTER (WHERE corrected) AS corrected,
           count(*) FILTER (WHERE late_arrival) AS late_arrivals,
           count(*) FILTER (WHERE cancelled) AS cancelled,
           count(*) FILTER (WHERE provisional) AS provisional,
           count(*) FILTER (WHERE held) AS open_held,
           count(*) FILTER (WHERE open AND hours_left < 0) AS open_overdue,
           {buckets}
    FROM deadlines d JOIN pairs p USING (code) GROUP BY p.unit_code, d.type, d.period
), firings_counted AS (
    SELECT p.unit_code, d.type, d.period, count(*) AS timers_fired,
           percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (
               ORDER BY extract(epoch FROM t.fired_at - greatest(t.fire_at, d.recorded_at))) AS lateness
    FROM deadlines d JOIN timers t ON t.clock_id = d.id JOIN pairs p USING (code)
    WHERE t.state = 'fired' GROUP BY p.unit_code, d.type, d.period
)
SELECT * FROM appeals_counted LEFT JOIN deadlines_counted USING (unit_code, type, period)
    LEFT JOIN firings_counted USING (unit_code, type, period)
ORDER BY unit_code, type, period LIMIT :most
"""

_MILESTONE = """
           count(*) FILTER (WHERE milestone = '{milestone}') AS {milestone}_deadlines,
           count(*) FILTER (WHERE milestone = '{milestone}' AND met AND NOT corrected) AS {milestone}_in_time,
           count(*) FILTER (WHERE milestone = '{milestone}' AND corrected) AS {milestone}_corrected,
           count(*) FILTER (WHERE milestone = '{milestone}' AND breached) AS {milestone}_breached,
           percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY took) FILTER (WHERE milestone = '{milestone}')
               AS {milestone}_took"""
MILESTONES = ("contact", "answer")
HOURS = (4, 24, 72, 168)  # that are left at most; what is left beyond is `later`


def _buckets() -> str:
    bounds = [0, *HOURS]
    within = [
        f"count(*) FILTER (WHERE open AND hours_left >= {low} AND hours_left < {high}) AS open_within_{high}h"
        for low, high in zip(bounds, HOURS, strict=False)
    ]
    return ",\n           ".join([*within, f"count(*) FILTER (WHERE open AND hours_left >= {HOURS[-1]}) AS open_later"])


def statement(by: Collection[str], period: str | None) -> str:
    """The statement for these dimensions."""
    return _STATEMENT.format(
        units=_UNITS,
        pairs=_PAIRS if "unit" in by else _PAIRS_OF_ONE,
        type="a.type" if "type" in by else "''",
        period=_PERIODS[period],
        milestones=",".join(_MILESTONE.format(milestone=each) for each in MILESTONES),
        buckets=_buckets(),
    )


async def counted(
    tx: AsyncSession,
    unit: str,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    type: str | None,
    by: Collection[str],
    period: str | None,
    most: int,
) -> Sequence[Row[Any]]:
    """What came of the appeals that `unit` and those below it raised between two instants."""
    values = {"unit": unit, "since": since, "until": until, "now": now, "type": type, "most": most}
    return (await tx.execute(text(statement(by, period)), values)).all()
