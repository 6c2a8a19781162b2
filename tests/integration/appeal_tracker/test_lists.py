"""Lists for a handler's screen: by everything they ask for, page after page while others write, and as a table."""

import asyncio
import csv
import io
from collections import Counter
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import lists, owned, searching
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.owned import Hands
from appeal_tracker.words import service as words
from appeal_tracker.words.repository import having
from appeal_tracker.words.service import Said, Words
from chassis.ids import new_id
from chassis.vault import Place
from chassis.web.paging import MOST, Window
from chassis.web.tokens import Principal
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, raised
from tests.support.explaining import explained
from tests.support.turns import waits_its_turn

TEXTS = {"1": "连续三日停电，无人告知。", "2": "电表走字偏快。", "3": "=停电赔偿 ＡＢ"}


async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
    return [each["id"] for each in (await got(client.get("/appeals", params=query)))["items"]]


@pytest.fixture
async def said(desk: Desk) -> dict[str, str]:
    """Three that a hotline sent, one in confidence, and one without a name."""
    system = desk.client("integration", unit="374", sub="hotline")
    found = {}
    for number, text in {**TEXTS, "4": TEXTS["1"], "5": TEXTS["1"]}.items():
        new = {"source": "95598", "source_no": number, "type": "report", "summary": text, "unit_code": "37401"}
        its = {**new, "received_at": instant("10-09T09:30").isoformat()}
        its |= {"confidential": number == "4", "anonymous": number == "5"}
        found[number] = (await made(system.post("/appeals", json=its)))["id"]
    return found


async def test_they_are_found_by_what_was_said(desk: Desk, said: dict[str, str], owner: asyncpg.Connection) -> None:
    several = (
        ("赔偿 停电", "3"),
        ("停电　无人", "1"),
        ("停电 电表", ""),
        ("停 电", "13"),
    )  # all of them, wherever they stand
    one = (("停电", "13"), ("电表", "2"), ("电", "123"), ("停电无人", ""), ("ab", "3"), ("告停", ""))
    for text, numbers in one + several:
        assert await ids(desk.supervisor, words=text) == [said[number] for number in numbers], text
    assert await ids(desk.stranger, words="停电") == []
    for text in ("", " ", "\u3000", "\u00a0\t", "\x1f"):
        problem(await desk.supervisor.get("/appeals", params={"words": text}), 422, "unprocessable")
    await owner.execute("UPDATE appeals SET anonymous = true WHERE id = $1", UUID(said["2"]))
    assert await ids(desk.supervisor, words="电表") == [], "older code indexed what the anonymous say"


@pytest.mark.clause("002 6.4.5.5")
async def test_one_is_found_by_its_numbers_and_by_its_customer_unless_that_is_hidden(
    desk: Desk, said: dict[str, str], owner: asyncpg.Connection
) -> None:
    customer, other = new_id(), new_id()
    case, nameless = [await desk.raised(appeal_no=f"V{number}", customer_id=customer) for number in (1, 2)]
    await desk.raised(customer_id=other)
    assert await ids(desk.supervisor, appeal_no="V1") == [case]
    assert await ids(desk.stranger, appeal_no="V1") == []
    assert await ids(desk.supervisor, source="95598", source_no="4") == [said["4"]]
    assert await ids(desk.supervisor, source="12345", source_no="4") == []
    lone = await desk.supervisor.get("/appeals", params={"source_no": "4"})
    assert problem(lone, 422, "source-not-said")["errors"][0]["pointer"] == "/source"
    assert await ids(desk.first, customer_id=str(customer)) == [case, nameless]
    await owner.execute("UPDATE appeals SET anonymous = true WHERE id = $1", UUID(nameless))
    assert await ids(desk.first, customer_id=str(customer)) == [case], "older code kept whose it is"
    assert await ids(desk.supervisor, customer_id=str(customer), open=False) == []


async def test_a_search_goes_on_page_by_page(desk: Desk, said: dict[str, str]) -> None:
    first = await got(desk.supervisor.get("/appeals", params={"words": "停电", "limit": 1}))
    assert [each["id"] for each in first["items"]] == [said["1"]]
    query = {"words": "停电", "limit": 1, "cursor": first["next"]}
    assert await ids(desk.supervisor, **query) == [said["3"]]
    feed = {"words": "停电", "updated_since": "2026-10-01T00:00:00Z"}
    assert await ids(desk.supervisor, **feed) == [said["1"], said["3"]]


async def test_they_are_found_by_whose_they_are_and_how_they_stand(desk: Desk) -> None:
    mine, theirs, ended = [await desk.raised() for _ in range(3)]
    await desk.act(theirs, "transfer", handler="E202", handling_unit_code="37402", reason="轮岗")
    await desk.act(ended, "void", reason="重复登记")
    await desk.act(mine, "accept", category="content")
    await desk.act(theirs, "supervise")
    for query, found in (
        ({"owner": "E101", "open": True}, [mine]),
        ({"owner": "E202"}, [theirs]),
        ({"open": False}, [ended]),
        ({"open": True}, [mine, theirs]),
        ({"state": "open"}, [mine, theirs]),
        ({"state": "closed"}, [ended]),
        ({"category": "content"}, [mine]),
        ({"supervised": True}, [theirs]),
        ({"source": "visit", "unit": "37402"}, [theirs]),
        ({"type": "complaint", "due_before": instant("10-10T09:30").isoformat()}, []),
        ({"due_before": instant("10-10T09:31").isoformat()}, [mine, theirs]),
    ):
        assert await ids(desk.supervisor, **query) == sorted(found), query


SAID = """
INSERT INTO appeals (id, appeal_no, unit_code, handling_unit_code, first_contact, type, state, round, received_at,
                     recorded_at, confidential, anonymous, policy, updated_at)
SELECT id, 'V1', '37401', '37401', 'E101', 'opinion', 'open', 1, now(), now(), false, false, 't-sdpea@1', now()
FROM unnest($1::uuid[]) AS id
"""


async def test_a_search_that_finds_much_and_little_of_it_is_bounded_and_lets_others_have_their_turn(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", 130)
    cases = sorted(new_id() for _ in range(200))
    await owner.execute(SAID, cases)
    async with desk.runtime.db.transaction() as tx:
        its = [Said(case, "37401", False, Words("跳闸" if case == cases[-1] else "停电")) for case in cases]
        await words.keep(tx, desk.runtime, its)
    turns, opened, vault = 0, list[int](), desk.runtime.vault
    opening = vault.open

    async def opens(*of: Any) -> str:
        opened.append(turns)
        return await opening(*of)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(vault, "open", opens)
    beside = asyncio.create_task(others())
    page = await got(desk.supervisor.get("/appeals", params={"words": "闸"}))
    assert (page["items"], len(opened)) == ([], 130)
    query = {"words": "闸", "cursor": page["next"]}
    assert await ids(desk.supervisor, **query) == [str(cases[-1])]
    table = await desk.supervisor.get("/appeals", params={"words": "闸"}, headers={"Accept": "text/csv"})
    assert len(table.text.splitlines()) == 2
    beside.cancel()
    assert max(Counter(opened).values()) <= words.TURN


async def test_a_search_in_a_unit_opens_nothing_of_another_and_misses_nothing(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", 70)
    cases = sorted(new_id() for _ in range(200))
    await owner.execute(SAID, cases)
    its = [case for number, case in enumerate(cases) if number % 20 == 0 or number > 160]
    await owner.execute("UPDATE appeals SET unit_code = '37402', handling_unit_code = '37402' WHERE id = ANY ($1)", its)
    async with desk.runtime.db.transaction() as tx:
        await words.keep(tx, desk.runtime, [Said(case, "37401", False, Words("停电")) for case in cases])
    vault, opened = desk.runtime.vault, list[UUID]()
    opening = vault.open

    async def opens(tx: AsyncSession, place: Place, sealed: bytes) -> str:
        opened.append(UUID(str(place.row)))
        return await opening(tx, place, sealed)

    monkeypatch.setattr(vault, "open", opens)
    query, found = {"words": "停电", "unit": "37402", "limit": 10}, list[str]()
    while True:
        page = await got(desk.supervisor.get("/appeals", params=query))
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == [str(case) for case in its]
    assert opened == its


MANY = """
INSERT INTO appeals (id, appeal_no, unit_code, handling_unit_code, first_contact, type, state, round, received_at,
                     recorded_at, confidential, anonymous, policy, updated_at)
SELECT ('a' || lpad(to_hex(n), 31, '0'))::uuid, n::text, CASE WHEN n % 2000 = 0 THEN '37401' ELSE '37402' END,
       '37402', 'E' || n % 200, 'complaint', CASE WHEN n % 40 = 0 THEN 'open' ELSE 'closed' END, 1, now(), now(), false,
       false, 't-sdpea@1', now()
FROM generate_series(1, 20000) AS n;
INSERT INTO appeal_words (appeal_id, summary, pairs, stored_at)
SELECT id, NULL, ARRAY[row_number() OVER () % 500], now() FROM appeals;
ANALYZE appeals;
ANALYZE appeal_words;
"""


@pytest.mark.parametrize(
    ("unit", "wanted", "index"),
    [
        ("374", Wanted(owner="E17", is_open=True), "appeals_owner"),
        ("374", Wanted(is_open=True), "appeals_open"),
        ("37401", Wanted(), "appeals_unit_code"),
        ("374", Wanted(supervised=True), "appeals_supervised"),
        ("374", Wanted(category="attitude"), "appeals_category"),
        ("374", Wanted(owner="E17"), "appeals_of_owner"),
        ("374", Wanted(appeal_no="17"), "appeals_appeal_no"),
        ("374", Wanted(source="95598", source_no="17"), "appeals_source_no"),
        ("374", Wanted(customer=new_id()), "appeals_customer_id"),
    ],
)
async def test_what_a_screen_asks_for_is_found_by_an_index(
    desk: Desk, owner: asyncpg.Connection, unit: str, wanted: Wanted, index: str
) -> None:
    await owner.execute(MANY)
    async with desk.runtime.db.transaction() as tx:
        query = await lists.listed(tx, unit, wanted)
        plan = await explained(tx, query.order_by(Appeal.id).limit(51))
    assert index in plan, plan
    assert "Seq Scan on appeals" not in plan


async def test_a_supervisors_day_is_found_by_indexes(desk: Desk, owner: asyncpg.Connection) -> None:
    await owner.execute(MANY)
    async with desk.runtime.db.transaction() as tx:
        plan = await explained(tx, owned.of("374", Hands("E17", {"E17"}, ["37401", "37402"])))
        concluding = await explained(tx, owned.to_conclude("374", ["37401", "37402"], ["374"]))
    for index in ("appeals_owner", "appeals_workload"):
        assert index in plan, plan
    assert "appeals_to_conclude" in concluding, concluding
    assert "Seq Scan on appeals" not in plan + concluding


async def test_rare_words_are_found_by_an_index(desk: Desk, owner: asyncpg.Connection) -> None:
    await owner.execute(MANY)
    async with desk.runtime.db.transaction() as tx:
        about = partial(lists.about, await lists.listed(tx, "374", Wanted()))
        plan = await explained(tx, having([17], Window(), 1001, about))
    assert "appeal_words_pairs" in plan, plan
    assert "appeals_pkey" in plan, plan


async def test_pages_stand_still_while_others_write(desk: Desk) -> None:
    cases = sorted(str(new_id()) for _ in range(4))
    for case in cases[1:]:
        await desk.raised(appeal_id=UUID(case))
    first = await got(desk.supervisor.get("/appeals", params={"limit": 2}))
    await desk.hear(raised(appeal_id=UUID(cases[0])), raised())
    rest = await got(desk.supervisor.get("/appeals", params={"limit": 2, "cursor": first["next"]}))
    assert [each["id"] for each in first["items"]] == cases[1:3]
    assert rest["items"][0]["id"] == cases[3]
    assert len(rest["items"]) == 2


async def test_a_table_waits_its_turn_and_holds_no_connection_while_it_is_read(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    await owner.execute(SAID, [new_id() for _ in range(MOST + 1)])
    caller = Principal("E001", "374", frozenset({"supervisor"}))
    async with aclosing(searching.table(desk.runtime, caller, Wanted())) as parts:  # type: ignore[type-var]
        for rows in (MOST, 1):
            assert len(await waits_its_turn(desk.runtime, anext(parts))) == rows
            assert desk.runtime.db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_as_a_table_no_text_is_a_formula(desk: Desk, said: dict[str, str]) -> None:
    await desk.raised(appeal_no="=1+1")
    answer = await desk.supervisor.get("/appeals", params={"open": True}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (len(rows), head[:3], head[-1]) == (6, ["appeal_no", "source", "source_no"], "id")
    assert {row[-1] for row in rows} >= {*said.values()}
    assert [row[0] for row in rows if "1+1" in row[0]] == ["'=1+1"]
    assert all(text not in answer.text for text in TEXTS.values())
