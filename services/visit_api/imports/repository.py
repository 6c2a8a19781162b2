"""Queries of imports; `unit` is always the caller's. What goes by the thousand goes as arrays, in one statement."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.scope import ancestors, within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.imports.models import Import, ImportFault, ImportNumber

_NAME = """
INSERT INTO import_numbers (import_id, customer_no)
SELECT $1, number FROM unnest($2::text[]) AS number ON CONFLICT DO NOTHING RETURNING customer_no
"""
_KNOWN = """
SELECT id, source_no, content_digest, unit_code, kind, version, removed_at IS NOT NULL AS removed
FROM customers WHERE source = $1 AND source_no = ANY($2::text[]) ORDER BY id FOR UPDATE
"""
# What a local government determined by document counts for more than a code (§3.2).
_CHANGE = """
UPDATE customers AS c
SET name = new.name, unit_code = new.unit_code, customer_no = new.number, phone = NULL,
    phone_sealed = new.phone_sealed, phone_index = new.phone_index, supply = new.supply::jsonb,
    content_digest = new.digest, version = c.version + 1, updated_at = $9,
    changed_xid = pg_current_xact_id()::text::bigint,
    importance = CASE WHEN EXISTS (SELECT FROM importance_determinations AS d WHERE d.customer_id = c.id)
                      THEN c.importance ELSE new.importance END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::text[], $8::text[],
            $10::bytea[])
     AS new (id, name, unit_code, number, phone_sealed, phone_index, importance, supply, digest)
WHERE c.id = new.id
"""
_NEW = (
    *("id", "name", "kind", "unit_code", "customer_no", "accounts", "phone_sealed", "phone_index", "particulars"),
    *("marks", "importance", "source", "source_no", "supply", "version", "content_digest", "updated_at"),
)
_FAULT = ("id", "import_id", "line", "field", "reason", "recorded_at")


class Known(NamedTuple):
    """A customer that the system sent before."""

    id: UUID
    source_no: str
    digest: bytes
    unit_code: str
    kind: str
    version: int
    removed: bool


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


async def claim(tx: AsyncSession) -> Import | None:
    """The first of the imports that wait, held for a change; None where there is none, or somebody else reads it: files
    are read one after the other, so that of two that name a customer the later one counts."""
    first = select(Import.id).where(text("state = 'waiting'")).order_by(Import.id).limit(1).scalar_subquery()
    query = select(Import).where(Import.id == first, text("state = 'waiting'"))
    found: Import | None = await tx.scalar(query.with_for_update(skip_locked=True))
    return found


async def waiting(tx: AsyncSession) -> set[str]:
    """The ids of the imports that wait."""
    return {str(each) for each in await tx.scalars(select(Import.id).where(text("state = 'waiting'")))}


async def owners(tx: AsyncSession, unit: str | None, codes: Collection[str]) -> dict[str, str]:
    """Of `codes`, the units that there are and that the sender sees, each with the unit at the top of its tree."""
    query = select(Unit.code).where(Unit.code.in_(codes), within(Unit, unit, Unit.code))
    return {code: (await ancestors(tx, Unit, code))[-1] for code in await tx.scalars(query)}


async def seen(tx: AsyncSession, unit: str | None, codes: Collection[str]) -> set[str]:
    """Those of `codes` that the sender sees."""
    return set(await tx.scalars(select(Unit.code).where(Unit.code.in_(codes), within(Unit, unit, Unit.code))))


async def name(tx: AsyncSession, id: UUID, numbers: Sequence[str]) -> set[str]:
    """Notes the customer numbers that a file names; those that it has not named before."""
    return {row[0] for row in await (await driver(tx)).fetch(_NAME, id, numbers)}


async def forget_numbers(tx: AsyncSession, id: UUID) -> None:
    """Lets go of them, once the file is read."""
    await tx.execute(delete(ImportNumber).where(ImportNumber.import_id == id))


async def known(tx: AsyncSession, source: str, numbers: Sequence[str]) -> dict[str, Known]:
    """The customers that a system sent before, held for a change."""
    return {row[1]: Known(*row) for row in await (await driver(tx)).fetch(_KNOWN, source, numbers)}


async def store(tx: AsyncSession, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]) -> None:
    """Writes customers, new ones and ones that are there; each as the columns that it has."""
    its = await driver(tx)
    if new:
        rows = [tuple(row[column] for column in _NEW) for row in new]
        await its.copy_records_to_table("customers", records=rows, columns=_NEW)
    if changed:
        names = ("id", "name", "unit_code", "customer_no", "phone_sealed", "phone_index", "importance", "supply")
        columns = [[row[column] for row in changed] for column in names]
        await its.execute(_CHANGE, *columns, changed[0]["updated_at"], [row["content_digest"] for row in changed])


async def note(tx: AsyncSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """Writes down faults."""
    if rows:
        await (await driver(tx)).copy_records_to_table("import_faults", records=rows, columns=_FAULT)
