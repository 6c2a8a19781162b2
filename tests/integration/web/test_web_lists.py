"""Lists that page, feeds that skip nothing, and units that see only what is theirs."""

import asyncio
import base64
import json
import random
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import column, table, text

from chassis.scope import ancestors, is_top_level, sight
from tests.integration.web.conftest import Client
from tests.integration.web.things import Thing, Unit

EVER = "1970-01-01T00:00:00Z"
NAIVE, EARLIEST = "2026-01-01T00:00:00", "0001-01-01T00:00:00+08:00"
INSERT = "INSERT INTO things (id, name, unit_code, updated_at) VALUES ($1, $2, $3, now())"


async def add(database: asyncpg.Connection, *names: str, unit: str = "32") -> list[UUID]:
    ids = [uuid4() for _ in names]
    for new, name in zip(ids, names, strict=True):
        await database.execute(INSERT, new, name, unit)
    return ids


async def pages(client: httpx.AsyncClient, **query: Any) -> list[list[str]]:
    """The names on each page, to the end of a list or to the first empty page of a feed."""
    found: list[list[str]] = []
    cursor = None
    while True:
        page = (await client.get("/v1/things", params={**query, **({"cursor": cursor} if cursor else {})})).json()
        if not page["items"] and "updated_since" in query:
            return found
        found.append([item["name"] for item in page["items"]])
        cursor = page["next"]
        if cursor is None:
            return found


async def test_a_list_is_paged_to_its_end(client: Client, database: asyncpg.Connection) -> None:
    """Bug class: result caps."""
    await add(database, *"abcdefg")
    found = await pages(client(), limit=3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(chain(*found)) == list("abcdefg")
    assert [len(page) for page in await pages(client(), limit=7)] == [7], "a full last page has no next"


async def test_an_empty_list_ends_at_once(client: Client) -> None:
    assert (await client().get("/v1/things")).json() == {"items": [], "next": None}


async def test_a_row_added_meanwhile_disturbs_no_page(client: Client, database: asyncpg.Connection) -> None:
    await add(database, *"abcd")
    first = (await client().get("/v1/things", params={"limit": 2})).json()
    await database.execute(INSERT, UUID(int=0), "before", "32")
    second = (await client().get("/v1/things", params={"limit": 2, "cursor": first["next"]})).json()
    assert sorted(item["name"] for item in first["items"] + second["items"]) == list("abcd")


async def test_a_feed_goes_on_for_ever(client: Client, database: asyncpg.Connection) -> None:
    reader = client()
    page = (await reader.get("/v1/things", params={"updated_since": EVER})).json()
    assert page["items"] == []
    seen: list[str] = []
    ids = await add(database, "a", "b", "c")
    for change in ("", "a", "c"):
        if change:
            old = ids["abc".index(change)]
            tag = (await reader.get(f"/v1/things/{old}")).headers["etag"]
            body = {"name": change * 2, "unit_code": "32"}
            assert (await reader.put(f"/v1/things/{old}", json=body, headers={"if-match": tag})).status_code == 200
        page = (await reader.get("/v1/things", params={"cursor": page["next"]})).json()
        seen += [item["name"] for item in page["items"]]
    assert seen == ["a", "b", "c", "aa", "cc"]
    same = (await reader.get("/v1/things", params={"cursor": page["next"]})).json()
    assert same == {"items": [], "next": page["next"]}


async def test_a_feed_begins_at_the_time_asked_for(client: Client, database: asyncpg.Connection) -> None:
    await add(database, "old")
    await database.execute("UPDATE things SET updated_at = now() - interval '1 hour'")
    (since,) = await add(database, "new")
    moment = await database.fetchval("SELECT updated_at FROM things WHERE id = $1", since)
    page = (await client().get("/v1/things", params={"updated_since": moment.isoformat()})).json()
    assert [item["name"] for item in page["items"]] == ["new"]


async def test_a_feed_never_passes_the_oldest_running_transaction(
    client: Client, database: asyncpg.Connection, dsn: str
) -> None:
    reader, slow = client(), await asyncpg.connect(dsn)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(INSERT, uuid4(), "late", "32")
        await add(database, "early")
        page = (await reader.get("/v1/things", params={"updated_since": EVER})).json()
        assert page["items"] == []
        await transaction.commit()
    finally:
        await slow.close()
    page = (await reader.get("/v1/things", params={"cursor": page["next"]})).json()
    assert [item["name"] for item in page["items"]] == ["late", "early"]


async def test_a_follower_misses_nothing_under_writers_with_random_delays(client: Client, app: FastAPI) -> None:
    async def write(writer: int) -> None:
        for number in range(10):
            async with app.state.runtime.db.transaction() as tx:
                tx.add(Thing(id=uuid4(), name=f"{writer}.{number}", unit_code="32", updated_at=datetime.now(UTC)))
                await tx.flush()
                await asyncio.sleep(random.uniform(0, 0.02))

    writing = asyncio.gather(*(write(writer) for writer in range(3)))
    reader, query, seen = client(), {"updated_since": EVER}, list[str]()
    while True:
        finished = writing.done()
        page = (await reader.get("/v1/things", params={**query, "limit": "4"})).json()
        seen += [item["name"] for item in page["items"]]
        if finished and not page["items"]:
            break
        query = {"cursor": page["next"]}
    await writing
    assert sorted(seen) == sorted(f"{writer}.{number}" for writer in range(3) for number in range(10))


@pytest.mark.parametrize(
    "position", [[], ["x"], [1], ["2026", "x"], [None], [-1, "x"], [2**63, "x"], [[], {}], [NAIVE], [EARLIEST]]
)
@pytest.mark.parametrize("kind", ["list", "feed", "since", "other"])
async def test_a_cursor_nobody_gave_is_422(client: Client, kind: str, position: list[Any]) -> None:
    forged = base64.urlsafe_b64encode(json.dumps([kind, position]).encode()).decode()
    answer = await client().get("/v1/things", params={"cursor": forged})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/cursor")


async def test_a_list_cursor_is_not_a_feed(client: Client, database: asyncpg.Connection) -> None:
    await add(database, "a", "b")
    cursor = (await client().get("/v1/things", params={"limit": 1})).json()["next"]
    answer = await client().get("/v1/things", params={"cursor": cursor, "updated_since": EVER})
    assert answer.status_code == 422


# Units


@pytest.fixture
async def tree(database: asyncpg.Connection) -> None:
    #     3 - 32 - 3201 - 320101,  33,  and a cycle A - B - C - A
    units = [("3", None), ("32", "3"), ("3201", "32"), ("320101", "3201"), ("33", None)]
    cycle = [("A", "C"), ("B", "A"), ("C", "B")]
    await database.executemany("INSERT INTO units VALUES ($1, $2)", units + cycle)


@pytest.mark.parametrize(
    ("unit", "sees"),
    [
        ("3", {"3", "32", "3201", "320101"}),
        ("32", {"32", "3201", "320101"}),
        ("320101", {"320101"}),
        ("33", {"33"}),
        ("A", {"A", "B", "C"}),
        ("new", {"new"}),
        (None, {"3", "32", "3201", "320101", "33", "A", "B", "C", "new"}),
    ],
)
async def test_a_unit_sees_its_own_and_those_below(
    client: Client, database: asyncpg.Connection, tree: None, unit: str | None, sees: set[str]
) -> None:
    for code in ("3", "32", "3201", "320101", "33", "A", "B", "C", "new"):
        await add(database, code, unit=code)
    found = await pages(client(unit=unit, roles=("visitor" if unit else "service",)))
    assert set(chain(*found)) == sees


async def test_another_units_thing_looks_like_a_missing_one(
    client: Client, database: asyncpg.Connection, tree: None
) -> None:
    (theirs,) = await add(database, "secret", unit="33")
    hidden = await client(unit="32").get(f"/v1/things/{theirs}")
    missing = await client(unit="32").get(f"/v1/things/{uuid4()}")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    for answer in (hidden, missing):
        assert answer.json().keys() == {"type", "title", "status", "trace_id", "id"}
    mine = {"name": "mine", "unit_code": "32"}
    answer = await client(unit="32").put(f"/v1/things/{theirs}", json=mine, headers={"if-match": "*"})
    assert answer.status_code == 404
    assert (await client(unit="33").get(f"/v1/things/{theirs}")).status_code == 200


async def followed(reader: httpx.AsyncClient, cursor: str | None = None) -> tuple[list[str], str]:
    """The names that a feed gives next, and where it goes on."""
    query = {"updated_since": EVER} if cursor is None else {"cursor": cursor}
    answer = await reader.get("/v1/things", params=query)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]], answer.json()["next"]


@pytest.mark.parametrize("told", [True, False])
async def test_a_copy_begins_again_where_other_units_are_in_sight(
    client: Client, database: asyncpg.Connection, tree: None, told: bool
) -> None:
    own = {"own"} if told else set()
    await add(database, *own)
    await add(database, "theirs", unit="33")
    reader, above, beside = client(unit="32"), client(unit="3"), client(unit="3201")
    first = {each: await followed(each) for each in (reader, above, beside)}
    assert first[reader][0] == [*own]
    moves = (
        ("33 comes below 32", "UPDATE units SET parent_code = '32', moved = 1 WHERE code = '33'", {"theirs"}),
        (
            "33 goes",
            "UPDATE units SET parent_code = '3' WHERE code = '33'; UPDATE units SET moved = 2 WHERE code = '32'",
            set(),
        ),
    )
    cursors = {each: cursor for each, (_, cursor) in first.items()}
    for what, move, theirs in moves:
        await database.execute(move)
        for each in (reader, above):
            expired = await each.get("/v1/things", params={"cursor": cursors[each]})
            assert (expired.status_code, expired.json()["type"]) == (410, "/problems/feed-expired"), what
            names, cursors[each] = await followed(each)
            assert await followed(each, cursors[each]) == ([], cursors[each])
            assert set(names) == own | ({"theirs"} if each is above else theirs)
        assert (await followed(beside, cursors[beside]))[0] == [], "what those see stayed what it was"
    await database.execute("INSERT INTO units VALUES ('3202', '32')")
    await add(database, "new", unit="3202")
    assert (await followed(reader, cursors[reader]))[0] == ["new"], "of a unit that is new there was nothing before"


async def test_a_copy_begins_again_where_its_reader_is_of_another_unit(
    client: Client, database: asyncpg.Connection, tree: None
) -> None:
    await add(database, "own")
    _, cursor = await followed(client(unit="3201"))
    for other in (client(unit="32"), client(unit=None, roles=("service",))):
        assert (await other.get("/v1/things", params={"cursor": cursor})).status_code == 410


async def test_a_cursor_of_before_goes_on_and_remembers_from_then_on(
    client: Client, database: asyncpg.Connection, tree: None
) -> None:
    (id_,) = await add(database, "own")
    xid = await database.fetchval("SELECT changed_xid FROM things")
    old = base64.urlsafe_b64encode(json.dumps(["feed", [xid, str(id_)]]).encode()).decode().rstrip("=")
    reader = client(unit="32")
    names, cursor = await followed(reader, old)
    assert names == []
    await database.execute("UPDATE units SET moved = 1 WHERE code = '32'")
    assert (await followed(reader, old))[0] == []
    assert (await reader.get("/v1/things", params={"cursor": cursor})).status_code == 410


async def test_where_moves_have_no_number_each_unit_that_is_heard_of_counts(app: FastAPI, tree: None) -> None:
    heard = table("units", column("code"), column("parent_code"), column("merged_into"))
    async with app.state.runtime.db.transaction() as tx:
        before = {unit: await sight(tx, heard, unit) for unit in ("32", "33", "B")}
        assert len(set(before.values())) == 3
        await tx.execute(text("INSERT INTO units VALUES ('3202', '3201')"))
        after = {unit: await sight(tx, heard, unit) for unit in before}
        assert {unit for unit in before if before[unit] != after[unit]} == {"32"}
        await tx.rollback()


async def test_the_line_upward_ends_even_in_a_cycle(app: FastAPI, tree: None) -> None:
    async with app.state.runtime.db.transaction() as tx:
        assert await ancestors(tx, Unit, "320101") == ["320101", "3201", "32", "3"]
        assert await ancestors(tx, Unit, "B") == ["B", "A", "C"]
        assert await ancestors(tx, Unit.__table__, "new") == ["new"]


async def test_a_top_level_unit_is_known_and_has_none_above(app: FastAPI, tree: None) -> None:
    async with app.state.runtime.db.transaction() as tx:
        tops = {unit: await is_top_level(tx, Unit, unit) for unit in ("3", "33", "32", "A", "new", None)}
    assert tops == {"3": True, "33": True, "32": False, "A": False, "new": False, None: False}
