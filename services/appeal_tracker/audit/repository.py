"""SQL of the self-audit. It takes some subjects at a time and finds all it asks about them by index, never by reading a
table from end to end; only what it writes it locks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit.invariants import Expected, Finding, Invariant
from appeal_tracker.audit.models import FoundWrong, Walk
from appeal_tracker.directory.models import Unit
from chassis import scope
from chassis.db import driver

# Which table holds the subjects of a kind. None of them is ever deleted.
TABLES = {"appeal": "appeals", "visit": "visits"}

MOST = 200  # findings of one kind in a look; those left out are found by a later one

_FIRST = UUID(int=0)  # no subject is called so


def next_of(kind: str, most: int) -> str:
    """The statement that finds the subjects of a kind after $1. The limit stands in the text, for a plan that does not
    know it would rather read the whole table."""
    return f"SELECT id FROM {TABLES[kind]} WHERE id > $1 ORDER BY id LIMIT {most:d}"  # noqa: S608 - a constant and a number


# What a policy gives an appeal of a type, as far as it has come, be it held there, by the labels of the policies: $2 to
# $5. A later round may do without a contact, where the customer was contacted in an earlier one; an anonymous appeal
# does always, and without a callback. A clock that was cancelled is none: the appeal is open, and whatever ended its
# clocks ended them by another policy.
CLOCK_MISSING = """
SELECT a.id AS subject_id, e.milestone || '#' || a.round AS place, NULL::uuid AS clock_id, e.milestone
FROM appeals a JOIN unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS e (policy, type, state, milestone)
     ON e.policy = a.policy AND e.type = a.type AND e.state = coalesce(a.held_in, a.state)
WHERE a.id = ANY ($1::uuid[])
    AND NOT (e.milestone = 'contact' AND a.round > 1 AND coalesce(a.held_in, a.state) <> 'open')
    AND NOT (e.milestone IN ('contact', 'callback') AND a.anonymous)
    AND NOT EXISTS (
        SELECT FROM clocks c WHERE c.subject_id = a.id AND c.subject_kind = 'appeal' AND c.round = a.round
            AND c.milestone = e.milestone AND c.state <> 'cancelled')
"""

# What was done about a breach, too late, leaves the deadline to the record.
DEADLINES = """
SELECT id, state = 'breached' AS breached FROM clocks
WHERE subject_id = ANY ($1::uuid[]) AND subject_kind = $2
    AND (state IN ('running', 'held') OR state = 'breached' AND stopped_at IS NULL)
"""

# The timeline is the record: the outbox is emptied after some days. A clock that goes on in a later round brings its
# breach along, which was recorded of the clock before.
BREACH_UNTOLD = """
SELECT c.subject_id, c.milestone || '#' || c.round AS place, c.id AS clock_id, c.milestone
FROM clocks c
WHERE c.subject_id = ANY ($1::uuid[]) AND c.subject_kind = $2 AND (c.state = 'breached' OR c.breached_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM timeline t JOIN clocks b ON b.id = (t.data ->> 'clock_id')::uuid
        WHERE t.appeal_id = c.subject_id AND t.kind = 'deadline_breached'
            AND b.milestone = c.milestone AND b.breached_at = c.breached_at)
"""

STEP_FIRED_TWICE = """
SELECT t.appeal_id AS subject_id, t.data ->> 'clock_id' || ' ' || (t.data ->> 'step') AS place,
       (t.data ->> 'clock_id')::uuid AS clock_id, min(t.data ->> 'milestone') AS milestone
FROM timeline t
WHERE t.appeal_id = ANY ($1::uuid[]) AND t.kind IN ('deadline_warned', 'deadline_breached', 'deadline_escalated')
GROUP BY t.appeal_id, t.data ->> 'clock_id', t.data ->> 'step' HAVING count(*) > 1
"""

# A timer's place is its clock and its step. What was set only lately could not have been fired before, and hides
# nothing that could.
_UNFIRED = """
SELECT c.subject_kind, c.subject_id, t.clock_id::text || ' ' || t.step AS place, t.clock_id, c.milestone
FROM timers t JOIN clocks c ON c.id = t.clock_id
WHERE t.state = 'pending' AND t.fire_at <= $1 AND coalesce(t.set_at, t.fire_at) <= $1 AND c.subject_kind <> 'canary'
"""
# Those that were found before are looked at again, however many are due by now.
TIMER_UNFIRED = f"""
({_UNFIRED} ORDER BY t.fire_at LIMIT {MOST})
UNION
{_UNFIRED} AND (t.clock_id, t.step) IN (
    SELECT clock_id, substr(place, 38) FROM audit_findings WHERE invariant = 'timer_unfired' AND gone_at IS NULL)
"""  # noqa: S608 - made of constants

# Until it is done, also while it is tried again; and what of it could not be done, where it came so far. In an order
# that no further try changes: what is found is told once.
RECALCULATION_FAILING = f"""
(SELECT 'recalculation' AS subject_kind, id AS subject_id, NULL::uuid AS clock_id, NULL::text AS milestone,
        cause AS place
 FROM recalculations WHERE retry_at IS NOT NULL AND state <> 'done' ORDER BY id LIMIT {MOST})
UNION ALL
(SELECT CASE WHEN EXISTS (SELECT FROM visits v WHERE v.id = f.subject_id OFFSET 0) THEN 'visit' ELSE 'appeal' END,
        f.subject_id, c.id, c.milestone, r.id::text || ' ' || f.item
 FROM recalculations r JOIN recalculation_failures f ON f.recalculation_id = r.id AND f.settled_at IS NULL
      LEFT JOIN LATERAL (SELECT * FROM clocks WHERE clocks.id = f.item OFFSET 0) AS c ON true
 WHERE r.retry_at IS NOT NULL AND r.state <> 'done' ORDER BY r.id, f.item LIMIT {MOST})
"""  # noqa: S608 - made of constants

# What comes with the service was there before anything was heard of.
_RULES_CHANGED = """
SELECT greatest(
    (SELECT max(assigned_at) FROM policy_assignments WHERE unit_code = ANY ($1::text[])),
    (SELECT max(published_at) FROM policies WHERE published_by IS NOT NULL),
    (SELECT max(withdrawn_at) FROM policy_withdrawals),
    (SELECT max(greatest(moved_at, merged_at)) FROM units WHERE code = ANY ($1::text[])))
"""

_WALKS = "INSERT INTO audit_walks (kind) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_BEGIN = """
SELECT kind, after FROM audit_walks
WHERE $1::interval IS NULL OR looked_at IS NULL OR looked_at <= now() - $1::interval
ORDER BY kind FOR UPDATE
"""
_WALKED = """
UPDATE audit_walks SET after = $2, looked_at = now(),
    came_round_at = CASE WHEN $2::uuid IS NULL THEN now() ELSE came_round_at END
WHERE kind = $1
"""

_UNITS = """
SELECT id, unit_code FROM appeals WHERE id = ANY ($1::uuid[])
UNION ALL SELECT id, unit_code FROM visits WHERE id = ANY ($1::uuid[])
"""

_SUSPECTS = """
SELECT DISTINCT subject_kind, subject_id FROM audit_findings
WHERE gone_at IS NULL AND invariant = ANY ($1::text[]) LIMIT $2
"""

# What is new: not found before, or gone since.
_REPORT = """
INSERT INTO audit_findings AS f (invariant, subject_id, place, subject_kind, clock_id, unit_code, found_at)
SELECT n.*, now() FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[]) AS n
ON CONFLICT (invariant, subject_id, place) DO UPDATE SET found_at = excluded.found_at, gone_at = NULL
    WHERE f.gone_at IS NOT NULL
RETURNING invariant, subject_id, place
"""

_GONE = """
UPDATE audit_findings AS f SET gone_at = now()
WHERE f.gone_at IS NULL AND f.invariant = ANY ($1::text[]) AND ($2::uuid[] IS NULL OR f.subject_id = ANY ($2::uuid[]))
    AND NOT EXISTS (
        SELECT FROM unnest($3::text[], $4::uuid[], $5::text[]) AS n (invariant, subject_id, place)
        WHERE n.invariant = f.invariant AND n.subject_id = f.subject_id AND n.place = f.place)
"""


async def begin(tx: AsyncSession, older: timedelta | None) -> dict[str, UUID | None]:
    """After which subject each walk goes on, held until the transaction ends; nothing if the last step was taken less
    than `older` ago."""
    connection = await driver(tx)
    await connection.execute(_WALKS, [*TABLES])
    return {row["kind"]: row["after"] for row in await connection.fetch(_BEGIN, older)}


async def following(tx: AsyncSession, kind: str, after: UUID | None, most: int) -> list[UUID]:
    """The next subjects of a walk; fewer than `most` at its end."""
    return [row["id"] for row in await (await driver(tx)).fetch(next_of(kind, most), after or _FIRST)]


async def walked(tx: AsyncSession, kind: str, after: UUID | None) -> None:
    """Keeps how far a walk has come; None when it has come round."""
    await (await driver(tx)).execute(_WALKED, kind, after)


async def suspects(tx: AsyncSession, invariants: Collection[Invariant], most: int) -> dict[str, list[UUID]]:
    """Subjects of which something was found and is not gone, by kind."""
    found: dict[str, list[UUID]] = {kind: [] for kind in TABLES}
    for row in await (await driver(tx)).fetch(_SUSPECTS, [*invariants], most):
        found[row["subject_kind"]].append(row["subject_id"])
    return found


async def without_clocks(tx: AsyncSession, appeals: Sequence[UUID], expected: Collection[Expected]) -> list[Finding]:
    """What `appeals` lack of the clocks that are `expected`."""
    rows = await (await driver(tx)).fetch(
        CLOCK_MISSING,
        appeals,
        [each.policy for each in expected],
        [each.appeal_type for each in expected],
        [each.state for each in expected],
        [each.milestone for each in expected],
    )
    return [_finding(Invariant.CLOCK_MISSING, "appeal", row) for row in rows]


async def rules_changed(tx: AsyncSession, line: Sequence[str]) -> datetime | None:
    """When the rules last changed that may count for a unit, `line` being itself and those above it, or that line did;
    None where all of them came with the service."""
    changed: datetime | None = await (await driver(tx)).fetchval(_RULES_CHANGED, line)
    return changed


async def untold_breaches(tx: AsyncSession, kind: str, subjects: Sequence[UUID]) -> list[Finding]:
    """Breached clocks of `subjects` without a breach in their timeline."""
    rows = await (await driver(tx)).fetch(BREACH_UNTOLD, subjects, kind)
    return [_finding(Invariant.BREACH_UNTOLD, kind, row) for row in rows]


async def steps_fired_twice(tx: AsyncSession, kind: str, subjects: Sequence[UUID]) -> list[Finding]:
    """Steps that the timelines of `subjects` hold more than once."""
    rows = await (await driver(tx)).fetch(STEP_FIRED_TWICE, subjects)
    return [_finding(Invariant.STEP_FIRED_TWICE, kind, row) for row in rows]


async def unfired_timers(tx: AsyncSession, before: datetime) -> list[Finding]:
    """Timers that were due at an instant and still are: the first ones, and all that were found before."""
    rows = await (await driver(tx)).fetch(TIMER_UNFIRED, before)
    return [_finding(Invariant.TIMER_UNFIRED, row["subject_kind"], row) for row in rows]


async def failing_recalculations(tx: AsyncSession) -> list[Finding]:
    """Jobs that follow by themselves, have failed and are not done yet, and what they could not do."""
    rows = await (await driver(tx)).fetch(RECALCULATION_FAILING)
    return [_finding(Invariant.RECALCULATION_FAILING, row["subject_kind"], row) for row in rows]


async def deadlines(tx: AsyncSession, kind: str, subjects: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
    """The clocks of `subjects` that are open; and those that were breached, and wait still."""
    rows = await (await driver(tx)).fetch(DEADLINES, subjects, kind)
    return [row["id"] for row in rows if not row["breached"]], [row["id"] for row in rows if row["breached"]]


async def units(tx: AsyncSession, subjects: Collection[UUID]) -> dict[UUID, str]:
    """The units of appeals and visits."""
    return {row["id"]: row["unit_code"] for row in await (await driver(tx)).fetch(_UNITS, [*subjects])}


async def report(tx: AsyncSession, findings: Sequence[Finding], units: Mapping[UUID, str]) -> list[Finding]:
    """Stores what was found; returns what is new of it."""
    rows = await (await driver(tx)).fetch(
        _REPORT,
        *_places(findings),
        [each.subject_kind for each in findings],
        [each.clock_id for each in findings],
        [units.get(each.subject_id) for each in findings],
    )
    new = {(row["invariant"], row["subject_id"], row["place"]) for row in rows}
    return [each for each in findings if (each.invariant, each.subject_id, each.place) in new]


async def clear(
    tx: AsyncSession, invariants: Collection[Invariant], subjects: Sequence[UUID] | None, findings: Sequence[Finding]
) -> None:
    """Marks as gone what was found of `subjects` (None: of any) before and is not among `findings` any more."""
    await (await driver(tx)).execute(_GONE, [*invariants], subjects, *_places(findings))


async def last_look(tx: AsyncSession) -> datetime | None:
    """When the audit last took a step, in real time."""
    return await tx.scalar(select(func.max(Walk.looked_at)))


async def came_round(tx: AsyncSession) -> datetime | None:
    """Since when everything there is was looked at; None while the first round goes on."""
    rounds = [at for at in await tx.scalars(select(Walk.came_round_at)) if at is not None]
    return min(rounds) if len(rounds) == len(TABLES) else None


async def counts(tx: AsyncSession, unit: str | None) -> dict[str, int]:
    """How much that a caller of `unit` may see is wrong now, by invariant."""
    query = select(FoundWrong.invariant, func.count()).where(FoundWrong.gone_at.is_(None), _visible(unit))
    return {row[0]: row[1] for row in await tx.execute(query.group_by(FoundWrong.invariant))}


async def first(tx: AsyncSession, invariant: Invariant, unit: str | None, most: int) -> Sequence[FoundWrong]:
    """The first of those."""
    query = select(FoundWrong).where(FoundWrong.invariant == invariant, FoundWrong.gone_at.is_(None), _visible(unit))
    return (await tx.scalars(query.order_by(FoundWrong.found_at, FoundWrong.subject_id).limit(most))).all()


def _visible(unit: str | None) -> ColumnElement[bool]:
    # What belongs to no unit is everybody's.
    return or_(FoundWrong.unit_code.is_(None), scope.within(Unit, unit, FoundWrong.unit_code))


def _finding(invariant: Invariant, kind: str, row: Record) -> Finding:
    return Finding(invariant, kind, row["subject_id"], row["place"], row["clock_id"], row["milestone"])


def _places(findings: Sequence[Finding]) -> tuple[list[str], list[UUID], list[str]]:
    return (
        [each.invariant for each in findings],
        [each.subject_id for each in findings],
        [each.place for each in findings],
    )
