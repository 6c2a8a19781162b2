"""Queries of appeals; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.outbox import INSERT
from chassis.scope import within
from chassis.web.paging import Listing, Window
from chassis.web.work import Statements
from visit_api.appeals.confidence import Confidence
from visit_api.appeals.models import Appeal
from visit_api.directory.models import Unit

# One statement, one round trip, one commit. The visit's row is held first, so that between a raise and an act on the
# visit the order of the outbox is the order of the commits; then comes the appeal, then what is told of it. The payload
# holds what the caller knows; number, unit and customer are known here only.
# $1 the visit, $2 the caller's unit, $3-$13 the appeal, $14-$22 the outbox row, $23 if the customer is named in it.
_RAISE = f"""
WITH RECURSIVE visit AS MATERIALIZED (
    SELECT id, unit_code, customer_id FROM visits WHERE id = $1 FOR SHARE
), above (code) AS (
    SELECT unit_code FROM visit UNION SELECT units.parent_code FROM units JOIN above USING (code)
), seen AS (
    SELECT * FROM visit WHERE $2::text IS NULL OR unit_code = $2 OR $2 IN (SELECT code FROM above)
        OR (SELECT merged_into FROM units WHERE code = $2) IN (SELECT code FROM above)
), appeal AS (
    INSERT INTO appeals (id, type, summary, reason_not_answered, received_at, recorded_at, raised_by, typed_by,
                         confidential, anonymous, content_digest, visit_id, unit_code, updated_at)
    SELECT $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, seen.id, seen.unit_code, $8 FROM seen
    ON CONFLICT (id) DO NOTHING
    RETURNING *
), told AS (
    {INSERT}
    SELECT $14, $15, $16, $17, $18, $19, $20,
           convert_to((convert_from($21, 'UTF8')::jsonb || jsonb_build_object(
               'appeal_no', appeal.appeal_no,
               'unit_code', appeal.unit_code,
               'customer_id', CASE WHEN $23 THEN seen.customer_id END))::text, 'UTF8'),
           $22
    FROM appeal, seen
)
SELECT appeal.* FROM seen LEFT JOIN appeal ON true
"""  # noqa: S608 - made of constants
# Whether somebody is of the visit's unit, or of one above or below it, whether or not they have left since.
# $1 the visit, $2 the caller's unit, $3 the staff number.
_HEARER = """
WITH RECURSIVE visit AS MATERIALIZED (
    SELECT unit_code FROM visits WHERE id = $1
), above (code) AS (
    SELECT unit_code FROM visit UNION SELECT units.parent_code FROM units JOIN above USING (code)
), below (code) AS (
    SELECT unit_code FROM visit UNION SELECT units.code FROM units JOIN below ON units.parent_code = below.code
)
SELECT EXISTS (SELECT FROM staff WHERE staff_no = $3 AND unit_code IN (TABLE above UNION TABLE below)) AS known
FROM visit WHERE $2::text IS NULL OR $2 IN (TABLE above)
    OR (SELECT merged_into FROM units WHERE code = $2) IN (TABLE above)
"""
_SAME = "SELECT * FROM appeals WHERE id = $1 AND visit_id = $2 AND content_digest = ANY($3::bytea[])"


class Raised(NamedTuple):
    """What is stored of an appeal beside what its visit says; in the order of the statement."""

    id: UUID
    type: str
    summary: str
    reason_not_answered: str | None
    received_at: datetime
    recorded_at: datetime
    raised_by: str
    typed_by: str | None
    confidential: bool
    anonymous: bool
    content_digest: bytes

    @property
    def hidden(self) -> bool:
        """As of the row that it becomes."""
        return self.confidential or self.anonymous


async def add(
    statements: Statements, unit: str | None, visit_id: UUID, raised: Raised, told: tuple[Any, ...]
) -> Mapping[str, Any] | None:
    """Stores and tells what was raised on a visit: the new row; one without an `id` where its id is taken; None where
    the caller sees no such visit."""
    row = await statements.fetchrow(_RAISE, visit_id, unit, *raised, *told, not raised.hidden)
    return None if row is None else dict(row)


async def may_have_heard(statements: Statements, unit: str | None, visit_id: UUID, staff_no: str) -> bool | None:
    """Whether somebody can have heard what was raised on a visit; None where the caller sees no such visit."""
    row = await statements.fetchrow(_HEARER, visit_id, unit, staff_no)
    return None if row is None else bool(row["known"])


async def find_same(
    statements: Statements, visit_id: UUID, id: UUID, digests: Collection[bytes]
) -> Mapping[str, Any] | None:
    """The appeal that has the id, if it was raised on that visit with content known by one of `digests`."""
    row = await statements.fetchrow(_SAME, id, visit_id, [*digests])
    return None if row is None else dict(row)


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> Appeal | None:
    """The appeal `id`, where the caller sees its unit's."""
    found: Appeal | None = await tx.scalar(select(Appeal).where(Appeal.id == id, within(Unit, unit, Appeal.unit_code)))
    return found


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, visit_id: UUID, *, known: Confidence
) -> Listing[Appeal]:
    """What was raised on a visit, as far as it is `known`."""
    query = select(Appeal).where(Appeal.visit_id == visit_id, within(Unit, unit, Appeal.unit_code), ~known.hidden)
    return await window.fetch(tx, query, Appeal)


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[Appeal]:
    """All that was raised on a visit, in the order of the numbers."""
    return (await tx.scalars(select(Appeal).where(Appeal.visit_id == visit_id).order_by(Appeal.appeal_no))).all()


async def visits_of(tx: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """The visits on which the appeals among `ids` were raised."""
    return set(await tx.scalars(select(Appeal.visit_id).where(Appeal.id.in_(ids))))


async def among(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Appeal]:
    """The appeals among `ids` that were raised on visits."""
    return (await tx.scalars(select(Appeal).where(Appeal.id.in_(ids)))).all()
