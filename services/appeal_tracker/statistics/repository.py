"""The statements behind the statistics, put together from the dimensions that are asked for.

They are three, each for its own figures: a year of a million appeals takes all of them together longer than a statement
may last, and each of them a fraction of that.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

# Units that are heard of may form a cycle for a while: UNION finds nothing new in one, and ends. From here on a unit is
# a number, for numbers are sorted and compared many times faster than texts.
_UNITS = """
below (code) AS (
    SELECT CAST(:unit AS text) UNION SELECT u.code FROM units u JOIN below b ON u.parent_code = b.code
), numbered AS MATERIALIZED (SELECT code, row_number() OVER () AS unit FROM below)"""
# Each unit with all below it; or the one that is asked about alone.
_PAIRS = """
lines (above, code) AS (
    SELECT code, code FROM below UNION SELECT l.above, u.code FROM lines l JOIN units u ON u.parent_code = l.code
), pairs AS MATERIALIZED (
    SELECT a.unit AS whole, b.unit
    FROM lines l JOIN numbered a ON a.code = l.above JOIN numbered b ON b.code = l.code)"""
_PAIRS_OF_ONE = """
pairs AS MATERIALIZED (
    SELECT (SELECT unit FROM numbered WHERE code = CAST(:unit AS text)) AS whole, unit FROM numbered)"""

# What is not asked for is one value for all, and no NULL: those would not join.
_PERIODS = {
    None: "DATE '2007-01-01'",
    "day": "CAST(a.received_at AT TIME ZONE INTERVAL '8 hours' AS date)",
    "week": "CAST(date_trunc('week', a.received_at AT TIME ZONE INTERVAL '8 hours') AS date)",
    "month": "CAST(date_trunc('month', a.received_at AT TIME ZONE INTERVAL '8 hours') AS date)",
}

# What is counted is counted for each unit by itself first, and added up for those above it; so is the lateness of
# timers, of which there are many, by tenths of a second: once where a clock goes on in a later round, which keeps what
# was told before; since it could have fired, which older rows know of their appeals alone. How long things took has to
# be sorted for each of them.
_DEADLINES = """
WITH RECURSIVE {units}, {pairs},
raised AS (
    SELECT a.id, n.unit, a.round, a.state = 'closed' AS closed, a.recorded_at, {type} COLLATE "C" AS type,
           {period} AS period
    FROM appeals a JOIN numbered n ON n.code = a.unit_code
    WHERE a.received_at >= :since AND a.received_at < :until AND (CAST(:type AS text) IS NULL OR a.type = :type)
), deadlines AS (
    SELECT c.id, c.subject_id, c.round, r.unit, r.type, r.period, r.recorded_at, c.milestone,
           c.late_arrival AND c.breached_at IS NOT NULL AS late_arrival,
           c.state = 'met' AS met, c.state = 'breached' AS breached, c.state = 'cancelled' AS cancelled,
           c.state = 'held' AS held,
           c.state = 'met' AND c.breached_at IS NOT NULL AS corrected,
           c.provisional AND c.state IN ('running', 'held') AS provisional,
           c.round = r.round AND (c.state = 'running' OR c.state = 'breached' AND c.stopped_at IS NULL AND NOT r.closed)
               AS open,
           c.due_at - CAST(:now AS timestamptz) AS remaining,
           date_part('epoch', c.stopped_at - c.started_at) AS took
    FROM raised r JOIN clocks c ON c.subject_id = r.id AND c.subject_kind = 'appeal'
)"""
_COUNTED = """, appeals_alone AS (
    SELECT unit, type, period, count(*) AS received, count(*) FILTER (WHERE closed) AS closed
    FROM raised GROUP BY unit, type, period
), deadlines_alone AS (
    SELECT unit, type, period, {counts} FROM deadlines GROUP BY unit, type, period
), appeals_counted AS (
    SELECT whole, type, period, sum(received) AS received, sum(closed) AS closed
    FROM appeals_alone JOIN pairs USING (unit) GROUP BY whole, type, period
), deadlines_counted AS (
    SELECT whole, type, period, {sums} FROM deadlines_alone JOIN pairs USING (unit) GROUP BY whole, type, period
)
SELECT n.code AS unit_code, *
FROM appeals_counted c JOIN numbered n ON n.unit = c.whole LEFT JOIN deadlines_counted d USING (whole, type, period)
ORDER BY n.code, type, period LIMIT :most
"""
_TAKEN = """
SELECT n.code AS unit_code, type, period, {percentiles}
FROM deadlines JOIN pairs USING (unit) JOIN numbered n ON n.unit = whole
WHERE took IS NOT NULL AND milestone IN ({milestones})
GROUP BY n.code, type, period
"""
_FIRED = """, fired_alone AS (
    SELECT unit, type, period, count(*) AS fired,
           CAST(ceil(10 * date_part('epoch', t.fired_at - greatest(t.fire_at, t.set_at, d.recorded_at))) AS bigint)
               AS tenths
    FROM deadlines d JOIN timers t ON t.clock_id = d.id
    WHERE t.state = 'fired' AND NOT (d.round > 1 AND EXISTS (
        SELECT FROM clocks c JOIN timers o ON o.clock_id = c.id AND o.step = t.step AND o.fired_at = t.fired_at
        WHERE c.subject_id = d.subject_id AND c.subject_kind = 'appeal' AND c.milestone = d.milestone
            AND c.round < d.round))
    GROUP BY unit, type, period, tenths
), fired_ranked AS (
    SELECT whole, type, period, tenths,
           sum(sum(fired)) OVER (its ORDER BY tenths) AS up_to, sum(sum(fired)) OVER its AS n
    FROM fired_alone JOIN pairs USING (unit) GROUP BY whole, type, period, tenths
    WINDOW its AS (PARTITION BY whole, type, period)
)
SELECT u.code AS unit_code, type, period, max(n) AS timers_fired,
       ARRAY[min(tenths) FILTER (WHERE up_to >= 0.5 * n), min(tenths) FILTER (WHERE up_to >= 0.99 * n)] AS late_tenths
FROM fired_ranked JOIN numbered u ON u.unit = whole GROUP BY u.code, type, period
"""

MILESTONES = ("contact", "answer")
HOURS = (4, 24, 72, 168)  # that are left at most; what is left beyond is `later`


def _counts() -> dict[str, str]:
    """What is counted, and the condition by which a deadline is."""
    counts = {
        "breached": "breached",
        "corrected": "corrected",
        "late_arrivals": "late_arrival",
        "cancelled": "cancelled",
        "provisional": "provisional",
        "open_held": "held",
        "open_overdue": "open AND remaining < INTERVAL '0'",
        "open_later": f"open AND remaining >= INTERVAL '{HOURS[-1]} hours'",
    }
    for low, high in zip((0, *HOURS), HOURS, strict=False):
        counts[f"open_within_{high}h"] = (
            f"open AND remaining >= INTERVAL '{low} hours' AND remaining < INTERVAL '{high} hours'"
        )
    for milestone in MILESTONES:
        its = f"milestone = '{milestone}'"
        counts[f"{milestone}_deadlines"] = its
        counts[f"{milestone}_in_time"] = f"{its} AND met AND NOT corrected"
        counts[f"{milestone}_corrected"] = f"{its} AND corrected"
        counts[f"{milestone}_breached"] = f"{its} AND breached"
    return counts


def statements(by: Collection[str], period: str | None) -> tuple[str, str, str]:
    """The statements for these dimensions: what is counted, how long things took, how late timers fired."""
    counts = _counts()
    percentiles = [
        f"percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY took) FILTER (WHERE milestone = '{milestone}')"
        f" AS {milestone}_took"
        for milestone in MILESTONES
    ]
    deadlines = _DEADLINES.format(
        units=_UNITS,
        pairs=_PAIRS if "unit" in by else _PAIRS_OF_ONE,
        type="a.type" if "type" in by else "''",
        period=_PERIODS[period],
    )
    counted = _COUNTED.format(
        counts=", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in counts.items()),
        sums=", ".join(f"sum({name}) AS {name}" for name in counts),
    )
    milestones = ", ".join(f"'{milestone}'" for milestone in MILESTONES)
    taken = _TAKEN.format(percentiles=", ".join(percentiles), milestones=milestones)
    return deadlines + counted, deadlines + taken, deadlines + _FIRED


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
) -> list[dict[str, Any]]:
    """What came of the appeals that `unit` and those below it raised between two instants, by groups; of more than
    `most` one more, and of those what is counted alone."""
    values = {"unit": unit, "since": since, "until": until, "now": now, "type": type}
    # A month of a large company is sorted in memory.
    await tx.execute(text("SET LOCAL work_mem = '64MB'"))
    counts, *others = statements(by, period)
    rows = (await tx.execute(text(counts), {**values, "most": most + 1})).mappings()
    groups = {_group(row): {**row, "timers_fired": 0} for row in rows}
    for sql in others if len(groups) <= most else ():
        for row in (await tx.execute(text(sql), values)).mappings():
            if (its := groups.get(_group(row))) is not None:  # what came in since the first has no group yet
                its.update(row)
    return [*groups.values()]


# A call of before the answer was not about it, here as everywhere.
_TARGETS = f"""
WITH RECURSIVE {_UNITS}, answered AS (
    SELECT a.id, a.type, a.anonymous, min(w.at) AS at
    FROM appeals a JOIN numbered n ON n.code = a.unit_code JOIN answers w ON w.appeal_id = a.id
    WHERE a.received_at >= :since AND a.received_at < :until AND (CAST(:type AS text) IS NULL OR a.type = :type)
        AND a.merged_into IS NULL AND a.outcome IS DISTINCT FROM 'void'
    GROUP BY a.id
), asked AS (
    SELECT w.id, w.type = 'complaint' AS complaint, w.anonymous,
           coalesce(bool_or(c.result = 'completed'), false) AS reached,
           coalesce(bool_or(c.result = 'refused'), false) AS refused,
           (array_agg(CAST(c.satisfaction AS integer) ORDER BY c.at DESC, c.id DESC)
                FILTER (WHERE c.satisfaction IN ('1', '2', '3', '4', '5')))[1] AS rating
    FROM answered w LEFT JOIN callbacks c ON c.appeal_id = w.id AND c.at >= w.at GROUP BY w.id, w.type, w.anonymous
)
SELECT count(*) FILTER (WHERE reached OR NOT anonymous AND NOT refused) AS to_call_back,
       count(*) FILTER (WHERE reached) AS called_back, count(rating) AS rated,
       count(*) FILTER (WHERE rating >= 4) AS satisfied,
       count(rating) FILTER (WHERE complaint) AS complaints_rated,
       count(*) FILTER (WHERE complaint AND rating >= 4) AS complaints_satisfied,
       count(*) FILTER (WHERE rating = 5) AS promoters, count(*) FILTER (WHERE rating <= 3) AS detractors
FROM asked
"""  # noqa: S608 - made of constants


async def called_back(
    tx: AsyncSession, unit: str, since: datetime, until: datetime, type: str | None
) -> dict[str, Any]:
    """What customers said of the answers to the appeals that `unit` and those below it raised between two instants."""
    values = {"unit": unit, "since": since, "until": until, "type": type}
    return dict((await tx.execute(text(_TARGETS), values)).mappings().one())


def _group(row: RowMapping) -> tuple[Any, ...]:
    return row["unit_code"], row["type"], row["period"]
