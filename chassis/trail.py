"""The trail: who read or did what with personal data, when and why. It is written in the transaction of what it tells
of, and the service's role can neither change nor remove a line."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.chain.links import Source
from chassis.db import driver
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

DDL = """
CREATE TABLE trail (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    by text NOT NULL,
    unit_code text,
    act text NOT NULL,
    thing text NOT NULL,
    thing_id text NOT NULL,
    reason text,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX trail_thing_id ON trail (thing_id, id);
CREATE INDEX trail_by ON trail (by, id);
CREATE INDEX trail_unit_code ON trail (unit_code, id);
CREATE INDEX trail_feed ON trail (changed_xid, id);
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON trail FROM %I', current_database() || '_service'); END $$;
"""

# How a service that chains its trail has each line hashed.
CHAINED = Source("trail", {1: ("id", "at", "by", "unit_code", "act", "thing", "thing_id", "reason")})

_NOTE = """
INSERT INTO trail (id, at, by, unit_code, act, thing, thing_id, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_NOTE_EACH = """
INSERT INTO trail (id, at, by, unit_code, act, thing, thing_id)
SELECT id, $4, $5, unit_code, $6, $7, thing_id
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS its (id, thing_id, unit_code)
"""


async def note(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    *,
    act: str,
    thing: str,
    thing_id: UUID | str,
    unit_code: str | None,
    reason: str | None = None,
) -> None:
    """Notes that `caller` did `act` (`contact.read`, …) with a thing of `unit_code`, whose auditors see the line; it
    holds no personal data itself."""
    line = (new_id(), runtime.clock.now(), caller.sub, unit_code, act, thing, str(thing_id), reason)
    await (await driver(tx)).execute(_NOTE, *line)


async def note_each(
    tx: AsyncSession, runtime: Runtime, caller: Principal, *, act: str, thing: str, things: Iterable[tuple[UUID, str]]
) -> None:
    """Notes the same of each of `things`, an id with the unit that it is of, whose auditors see that line."""
    lines = [(new_id(), str(thing_id), unit_code) for thing_id, unit_code in things]
    if lines:
        columns = [list(column) for column in zip(*lines, strict=True)]
        await (await driver(tx)).execute(_NOTE_EACH, *columns, runtime.clock.now(), caller.sub, act, thing)
