"""A slice with a table of its own, written as services write theirs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import ForeignKey, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Tracked
from chassis.ids import new_id
from chassis.scope import is_top_level, within
from chassis.web.auth import Caller, require
from chassis.web.errors import NotFound
from chassis.web.etag import Match
from chassis.web.paging import Listing, Page, Paging, Window
from chassis.web.route import Router
from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from chassis.web.tokens import Principal
from chassis.web.work import HotStatements, Tx

DDL = """
CREATE TABLE units (code text PRIMARY KEY, parent_code text, merged_into text, moved bigint);
CREATE TABLE things (
    id uuid PRIMARY KEY, name text NOT NULL, unit_code text NOT NULL,
    -- refused only by COMMIT
    next_id uuid REFERENCES things DEFERRABLE INITIALLY DEFERRED,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX things_changed ON things (changed_xid, id);
"""


class Base(DeclarativeBase): ...


class Unit(Base):
    __tablename__ = "units"
    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None]
    merged_into: Mapped[str | None]
    moved: Mapped[int | None]


class Thing(Tracked, Base):
    __tablename__ = "things"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    unit_code: Mapped[str]
    next_id: Mapped[UUID | None] = mapped_column(ForeignKey("things.id"))


class NewThing(Body):
    name: Annotated[str, Text(50)]
    unit_code: Code
    id: Id | None = None
    next_id: Id | None = None


class ThingView(View):
    id: UUID
    name: str
    unit_code: str
    updated_at: Instant


async def list_things(tx: AsyncSession, caller: Principal, window: Window) -> Listing[Thing]:
    return await window.fetch(tx, _seen_by(caller), Thing)


async def find_thing(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Thing:
    query = _seen_by(caller).where(Thing.id == id)
    thing = await tx.scalar(query.with_for_update() if lock else query)
    if thing is None:
        raise NotFound(id=id)
    return thing


async def rename(
    tx: AsyncSession, caller: Principal, id: UUID, name: str, unchanged: Callable[[object], None]
) -> Thing:
    thing = await find_thing(tx, caller, id, lock=True)
    unchanged(thing)
    thing.name, thing.updated_at = name, datetime.now(UTC)
    return thing


def _seen_by(caller: Principal) -> Select[Thing]:
    return select(Thing).where(within(Unit, caller.unit, Thing.unit_code))


_INSERT = """
INSERT INTO things (id, name, unit_code, updated_at) VALUES ($1, $2, $3, now())
RETURNING id, name, unit_code, updated_at
"""

AnyReader = Annotated[Principal, Depends(require("visitor", "service"))]

router = Router(prefix="/v1/things", tags=["things"])


@router.post("", status_code=201, response_model=ThingView)
async def add_thing(body: NewThing, tx: Tx, caller: Caller) -> Thing:
    values = body.model_dump() | {"id": body.id or new_id(), "updated_at": datetime.now(UTC)}
    tx.add(thing := Thing(**values))
    await tx.flush()
    return thing


@router.post("/hot", status_code=201, response_model=ThingView)
async def add_thing_hot(body: NewThing, statements: HotStatements, caller: Caller, request: Request) -> dict[str, Any]:
    row = await statements.fetchrow(_INSERT, body.id or new_id(), body.name, body.unit_code)
    assert row is not None
    statements.committed(lambda: request.app.state.told.append(row["name"]))
    return dict(row)


@router.post("/hot/fail")
async def add_thing_hot_and_fail(
    body: NewThing, tx: Tx, statements: HotStatements, caller: Caller, request: Request
) -> None:
    await add_thing_hot(body, statements, caller, request)
    raise NotFound


@router.get("", response_model=Page[ThingView])
async def read_things(tx: Tx, caller: AnyReader, page: Paging) -> Listing[Thing]:
    return await list_things(tx, caller, page)


@router.get("/{id}", response_model=ThingView)
async def read_thing(id: UUID, tx: Tx, caller: Caller) -> Thing:
    return await find_thing(tx, caller, id)


@router.put("/{id}", response_model=ThingView)
async def rename_thing(id: UUID, body: NewThing, tx: Tx, caller: Caller, match: Match) -> Thing:
    return await rename(tx, caller, id, body.name, match.on(ThingView))


@router.post("/{id}/fail")
async def add_and_fail(id: UUID, body: NewThing, tx: Tx, caller: Caller) -> None:
    await add_thing(body, tx, caller)
    raise NotFound


@router.get("/unit/top")
async def top_level(tx: Tx, caller: Annotated[Principal, Depends(require("admin"))]) -> bool:
    return await is_top_level(tx, Unit, caller.unit)


@router.post("/gated", status_code=201, response_model=ThingView)
async def add_thing_gated(body: NewThing, tx: Tx, caller: Caller, request: Request) -> Thing:
    thing = await add_thing(body, tx, caller)
    request.app.state.entered.set()
    await request.app.state.gate.wait()
    return thing


@router.post("/raw")
async def take_bytes(caller: Caller, request: Request) -> int:
    return len(await request.body())
