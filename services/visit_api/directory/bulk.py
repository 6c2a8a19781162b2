"""Units and staff by the thousand, as files bring them; told as any change is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.ids import new_id
from chassis.runtime import Runtime
from contracts.directory import UnitChanged
from visit_api.base import digest, keyed_digest
from visit_api.directory import repository, sealing
from visit_api.directory.models import Reach, Staff
from visit_api.directory.schemas import NewStaff, NewUnit
from visit_api.directory.staff import staff_changed

# In one statement: units of a file name each other, and a row's parent must be there when the statement ends.
_PUT = """
INSERT INTO units (id, code, name, parent_code, version, content_digest, updated_at)
SELECT id, code, name, parent_code, 1, digest, $6
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS new (id, code, name, parent_code, digest)
ON CONFLICT (code) DO UPDATE
SET name = excluded.name, parent_code = excluded.parent_code, version = units.version + 1,
    updated_at = excluded.updated_at, changed_xid = pg_current_xact_id()::text::bigint
RETURNING code, id, version
"""


class Named(NamedTuple):
    """A unit by its name, the one above it, and the one that it merged into."""

    name: str
    parent_code: str | None
    merged_into: str | None = None


async def hold_tree(tx: AsyncSession) -> dict[str, Named]:
    """All units there are, whoever sees them; nobody else changes one until the transaction ends."""
    await repository.hold_units(tx)
    rows = await (await driver(tx)).fetch("SELECT code, name, parent_code, merged_into FROM units")
    return {code: Named(*its) for code, *its in rows}


async def put_units(tx: AsyncSession, runtime: Runtime, units: Mapping[str, Named], now: datetime) -> None:
    """Makes units by their code, or changes those that are there and open, and tells of them in this order; the tree is
    held, and has no cycle with them."""
    if not units:
        return
    rows = []
    for code, its in units.items():
        new = NewUnit.model_construct(code=code, name=its.name, parent_code=its.parent_code)
        rows.append((new_id(), code, its.name, its.parent_code, digest(new)))
    put = {row["code"]: row for row in await (await driver(tx)).fetch(_PUT, *zip(*rows, strict=True), now)}
    events = [
        UnitChanged(id=put[code]["id"], unit_code=code, parent_code=its.parent_code, version=put[code]["version"])
        for code, its in units.items()
    ]
    await runtime.outbox.append(tx, events, at=now)


async def hold_staff(tx: AsyncSession, runtime: Runtime, numbers: Collection[str]) -> dict[str, Staff]:
    """The staff who have `numbers`, whoever sees them, held for a change; how they are reached is opened."""
    query = select(Staff).where(Staff.staff_no.in_(numbers)).order_by(Staff.staff_no)
    found = {member.staff_no: member for member in await tx.scalars(query.with_for_update(of=Staff, key_share=True))}
    await sealing.show(tx, runtime, found.values())
    return found


async def put_staff(
    tx: AsyncSession, runtime: Runtime, there: Mapping[str, Staff], said: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Makes staff of what is `said` of each, or changes those who are `there`, who keep what is not said; how many of
    them are new or changed."""
    owners = {unit: await sealing.owner(tx, unit) for unit in {fields["unit_code"] for fields in said}}
    touched = []
    for fields in said:
        member, owner = there.get(fields["staff_no"]), owners[fields["unit_code"]]
        if member is None:
            member = await _made(tx, runtime, owner, fields, now)
        elif not await _changed(tx, runtime, owner, member, fields):
            continue
        else:
            member.touch(now)
        touched.append(member)
    tx.add_all(touched)
    await tx.flush()
    await runtime.outbox.append(tx, [staff_changed(member) for member in touched], at=now)
    return len(touched)


async def _made(tx: AsyncSession, runtime: Runtime, owner: str, fields: Mapping[str, Any], now: datetime) -> Staff:
    its = {"roles": [], "phone": None, "email": None, "post": None, "active": True, **fields}
    new = NewStaff.model_construct(**{name: value for name, value in its.items() if name != "active"})
    digest = await keyed_digest(tx, runtime, new)
    columns = {name: value for name, value in its.items() if name not in Reach._fields}
    member = Staff(**columns, id=new_id(), content_digest=digest, version=1, updated_at=now)
    await sealing.change(tx, runtime, owner, member, fields)
    return member


async def _changed(tx: AsyncSession, runtime: Runtime, owner: str, member: Staff, fields: Mapping[str, Any]) -> bool:
    """Whether anything is said that is not so; now it is."""
    new = {name: value for name, value in fields.items() if getattr(member, name) != value}
    if new:
        await sealing.change(tx, runtime, owner, member, new)
    for name in new.keys() - {*Reach._fields}:
        setattr(member, name, new[name])
    return bool(new)
