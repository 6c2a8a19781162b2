"""Queries of imports; `unit` is always the caller's. What goes by the thousand goes in one statement: numbers, in which
no line ends, as lines of a text.

Each of a thousand numbers is looked for by itself (LATERAL, OFFSET 0), by the index of it: what a table holds is not
known while it is being filled, and a plan made then would rather go through all that a file has brought so far.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import IntFlag
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver, lines
from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.customers.models import Customer
from visit_api.directory.models import Unit
from visit_api.imports.models import CustomerSaid, Import, ImportFault, ImportNumber, ImportUnit

_NAME = """
INSERT INTO import_numbers (import_id, customer_no)
SELECT $1, number FROM unnest(string_to_array($2, E'\\n')) AS number ON CONFLICT DO NOTHING
"""
# As `chassis.scope.ancestors` walks, for many units at once.
_OWNERS = """
WITH RECURSIVE above AS (
    SELECT code AS unit, code, parent_code, 0 AS height FROM units WHERE code = ANY($1::text[])
    UNION ALL
    SELECT above.unit, units.code, units.parent_code, above.height + 1
    FROM above JOIN units ON units.code = above.parent_code WHERE above.height < 32
)
SELECT unit, (array_agg(code ORDER BY height DESC))[1] FROM above
GROUP BY unit HAVING $2::text IS NULL OR bool_or(code = coalesce((SELECT merged_into FROM units WHERE code = $2), $2))
"""
_NAMED = """
SELECT number FROM unnest(string_to_array($2, E'\\n')) AS number
CROSS JOIN LATERAL (SELECT FROM import_numbers WHERE import_id = $1 AND customer_no = number OFFSET 0) AS named
"""
_TAKE_UP = "DELETE FROM import_units WHERE import_id = $1 AND line = ANY($2::int[])"
_KNOWN = """
SELECT id, source_no, content_digest, unit_code, kind, version, removed_at IS NOT NULL AS removed, import_id,
       EXISTS (SELECT FROM customer_said AS s WHERE s.customer_id = customers.id) AS contested
FROM customers WHERE id = ANY(ARRAY(
    SELECT its.id FROM unnest(string_to_array($2, E'\\n')) AS number
    CROSS JOIN LATERAL (SELECT id FROM customers WHERE source = $1 AND source_no = number OFFSET 0) AS its
)) ORDER BY id FOR UPDATE
"""
_OTHERS = "SELECT EXISTS (SELECT FROM imports WHERE thing = 'customers' AND source <> $1)"
# What the system said of a customer of another's, and whose number it names besides: never one that was typed in. Of
# one that is out of use no word is kept, so that it is found by its number alone.
_ELSEWHERE = """
SELECT s.source_no AS number, c.id, c.unit_code, false AS removed, true AS linked
FROM unnest(string_to_array($2, E'\\n')) AS number
CROSS JOIN LATERAL (SELECT * FROM customer_said WHERE source = $1 AND source_no = number OFFSET 0) AS s
JOIN customers AS c ON c.id = s.customer_id
UNION ALL
SELECT c.customer_no, c.id, c.unit_code, c.removed_at IS NOT NULL, false
FROM unnest(string_to_array($2, E'\\n')) AS number
CROSS JOIN LATERAL (SELECT * FROM customers WHERE customer_no = number OFFSET 0) AS c
WHERE c.source <> $1
  AND NOT EXISTS (SELECT FROM customer_said AS s WHERE s.customer_id = c.id AND s.source = $1 OFFSET 0)
"""


class Takes(IntFlag):
    """Which fields of a customer are taken from a line; the others stay."""

    NAME, UNIT, PHONE, ADDRESS, IMPORTANCE, SUPPLY = (1 << place for place in range(6))


def _taken(field: Takes, column: str, value: str = "") -> str:
    return f"{column} = CASE WHEN new.takes & {field:d} > 0 THEN {value or f'new.{column}'} ELSE c.{column} END"


# What a local government determined by document counts for more than a code (§3.2).
_CHANGE = f"""
UPDATE customers AS c
SET {_taken(Takes.NAME, "name")},
    {_taken(Takes.NAME, "name_sealed")},
    {_taken(Takes.UNIT, "unit_code")},
    phone = CASE WHEN new.takes & {Takes.PHONE:d} > 0 THEN NULL ELSE c.phone END,
    {_taken(Takes.PHONE, "phone_sealed")},
    {_taken(Takes.PHONE, "phone_index")},
    {_taken(Takes.ADDRESS, "address_sealed")},
    {_taken(Takes.SUPPLY, "supply", "new.supply::jsonb")},
    importance = CASE WHEN new.takes & {Takes.IMPORTANCE:d} > 0
                      AND NOT EXISTS (SELECT FROM importance_determinations AS d WHERE d.customer_id = c.id)
                      THEN new.importance ELSE c.importance END,
    kind = new.kind, customer_no = new.customer_no, content_digest = new.digest, import_id = $14,
    version = c.version + 1, updated_at = $15, changed_xid = pg_current_xact_id()::text::bigint
FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[],
            $9::bytea[], $10::text[], $11::text[], $12::bytea[], $13::int[])
     AS new (id, name, name_sealed, kind, unit_code, customer_no, phone_sealed, phone_index, address_sealed,
             importance, supply, digest, takes)
WHERE c.id = new.id
"""  # noqa: S608 - made of constants
_NEW = (
    *("id", "name", "name_sealed", "kind", "unit_code", "customer_no", "phone_sealed", "phone_index", "address_sealed"),
    *("importance", "source", "source_no", "supply", "import_id", "version", "content_digest", "updated_at"),
)
_ASIDE = ("import_id", "line", "code", "name", "parent_code")
_FAULT = ("id", "import_id", "line", "field", "reason", "recorded_at")


class Known(NamedTuple):
    """A customer that the system sent before; `import_id` is the file that said so last."""

    id: UUID
    source_no: str
    digest: bytes
    unit_code: str
    kind: str
    version: int
    removed: bool
    import_id: UUID | None
    contested: bool


class Elsewhere(NamedTuple):
    """A customer whom another system sent under a number that this one names too; `linked` where it spoke of it
    before."""

    number: str
    id: UUID
    unit_code: str
    removed: bool
    linked: bool


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> Import | None:
    """The import `id`, where the caller sees it."""
    found: Import | None = await tx.scalar(select(Import).where(Import.id == id, within(Unit, unit, Import.unit_code)))
    return found


async def find_all(tx: AsyncSession, unit: str | None, window: Window) -> Listing[Import]:
    """The imports that the caller sees."""
    return await window.fetch(tx, select(Import).where(within(Unit, unit, Import.unit_code)), Import)


async def faults(tx: AsyncSession, id: UUID, window: Window) -> Listing[ImportFault]:
    """The lines of an import that were not taken, in their order."""
    query = select(ImportFault).where(ImportFault.import_id == id)
    return await window.fetch(tx, query, ImportFault, ImportFault.line)


async def claim(tx: AsyncSession, id: UUID | None = None) -> Import | None:
    """The first of the imports that wait, or the one that is named, held for a change; None where there is none, or
    somebody else reads it: files are read one after the other, so that of two that name a customer the later one
    counts."""
    first = id or select(Import.id).where(text("state = 'waiting'")).order_by(Import.id).limit(1).scalar_subquery()
    query = select(Import).where(Import.id == first, text("state = 'waiting'"))
    found: Import | None = await tx.scalar(query.with_for_update(skip_locked=True))
    return found


async def plan_anew(tx: AsyncSession) -> None:
    """Has each statement of the transaction, up to `as_planned`, be planned for what it is given: a plan that was made
    while there were few customers would go through all of them once there are many."""
    await tx.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


async def as_planned(tx: AsyncSession) -> None:
    """Ends `plan_anew`, before new rows are stored: of each it would be planned anew how its unit is looked for."""
    await (await driver(tx)).execute("SET LOCAL plan_cache_mode TO DEFAULT")


async def waiting(tx: AsyncSession) -> set[str]:
    """The ids of the imports that wait."""
    return {str(each) for each in await tx.scalars(select(Import.id).where(text("state = 'waiting'")))}


async def owners(tx: AsyncSession, unit: str | None, codes: Collection[str]) -> dict[str, str]:
    """Of `codes`, the units that there are and that the sender sees, each with the unit at the top of its tree."""
    return dict(await (await driver(tx)).fetch(_OWNERS, [*codes], unit))


async def closed(tx: AsyncSession, codes: Collection[str]) -> set[str]:
    """Those of the units `codes` that merged into another."""
    return set(await tx.scalars(select(Unit.code).where(Unit.code.in_(codes), Unit.merged_into.is_not(None))))


async def seen(tx: AsyncSession, unit: str | None, codes: Collection[str]) -> set[str]:
    """Those of `codes` that the sender sees."""
    return set(await tx.scalars(select(Unit.code).where(Unit.code.in_(codes), within(Unit, unit, Unit.code))))


async def name(tx: AsyncSession, id: UUID, numbers: Sequence[str]) -> None:
    """Notes numbers that a file names."""
    if numbers:
        await (await driver(tx)).execute(_NAME, id, lines(numbers))


async def named(tx: AsyncSession, id: UUID, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` that the file has named before."""
    return {row[0] for row in await (await driver(tx)).fetch(_NAMED, id, lines(numbers))}


async def forget(tx: AsyncSession, id: UUID) -> None:
    """Lets go of what was noted of a file, once it is read."""
    await tx.execute(delete(ImportNumber).where(ImportNumber.import_id == id))
    await tx.execute(delete(ImportUnit).where(ImportUnit.import_id == id))


async def lay_aside(tx: AsyncSession, rows: Sequence[tuple[object, ...]]) -> None:
    """Keeps units that a file names until they can be made."""
    await (await driver(tx)).copy_records_to_table("import_units", records=rows, columns=_ASIDE)


async def aside(tx: AsyncSession, id: UUID) -> Sequence[tuple[int, str, str, str | None]]:
    """Those of a file: line, code, name and the one above."""
    its = (ImportUnit.line, ImportUnit.code, ImportUnit.name, ImportUnit.parent_code)
    found = await tx.execute(select(*its).where(ImportUnit.import_id == id).order_by(ImportUnit.line))
    return [tuple(row) for row in found]  # type: ignore[misc]


async def take_up(tx: AsyncSession, id: UUID, numbers: Sequence[int]) -> None:
    """Lets go of the lines that were made, or never can be."""
    await (await driver(tx)).execute(_TAKE_UP, id, numbers)


async def known(tx: AsyncSession, source: str, numbers: Sequence[str]) -> dict[str, Known]:
    """The customers that a system sent before, held for a change."""
    return {row[1]: Known(*row) for row in await (await driver(tx)).fetch(_KNOWN, source, lines(numbers))}


async def elsewhere(tx: AsyncSession, source: str, numbers: Sequence[str]) -> Sequence[Elsewhere]:
    """The customers of other systems that a system names by `numbers`."""
    its = await driver(tx)
    if not numbers or not await its.fetchval(_OTHERS, source):
        return ()
    return [Elsewhere(*row) for row in await its.fetch(_ELSEWHERE, source, lines(numbers))]


async def customers(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """Customers, held for a change."""
    query = select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id).with_for_update(of=Customer)
    return {each.id: each for each in await tx.scalars(query)}


async def said_of(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, dict[str, CustomerSaid]]:
    """What each system said of customers of whom several speak."""
    found: dict[UUID, dict[str, CustomerSaid]] = {}
    for row in await tx.scalars(select(CustomerSaid).where(CustomerSaid.customer_id.in_(ids))):
        found.setdefault(row.customer_id, {})[row.source] = row
    return found


async def store(
    tx: AsyncSession,
    new: Sequence[tuple[object, ...]],
    changed: Sequence[tuple[object, ...]],
    import_id: UUID,
    now: datetime,
) -> None:
    """Writes customers: new ones as the columns of `_NEW`, `as_planned`; ones that are there as what `_CHANGE` unnests,
    planned anew."""
    its = await driver(tx)
    if changed:
        await its.execute(_CHANGE, *zip(*changed, strict=True), import_id, now)
        await as_planned(tx)
    if new:
        await its.copy_records_to_table("customers", records=new, columns=_NEW)


async def note(tx: AsyncSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """Writes down faults."""
    if rows:
        await (await driver(tx)).copy_records_to_table("import_faults", records=rows, columns=_FAULT)
