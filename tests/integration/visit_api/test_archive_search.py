"""What is archived is sealed, and found by category, time, person, customer and words."""

from typing import Any

import asyncpg
import httpx
import pytest

from chassis.web.paging import Window
from tests.integration.visit_api.test_archive import closed, ended, entries
from tests.integration.visit_api.test_online import group, inquiry
from tests.integration.visit_api.world import World, made, pointers
from visit_api.archive import repository


async def archived(
    world: World, summary: str = "三天两头停电", *, anonymous: bool = False, **fields: Any
) -> dict[str, Any]:
    """A visit that was archived, with an appeal."""
    visit = await ended(world, **fields)
    appeal = await world.raised(visit["id"], summary=summary, anonymous=anonymous)
    await world.hear(closed(world, appeal))
    return await world.act(visit["id"], "archive")


async def found(world: World, **query: str) -> list[str]:
    """The visits of the records that a supervisor finds."""
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    answer = await supervisor.get("/archive", params=query)
    assert answer.status_code == 200, answer.text
    return [each["visit_id"] for each in answer.json()["items"]]


@pytest.mark.clause("7.2.6", "004 3.4")
async def test_a_record_is_found_by_category_time_person_and_customer(world: World) -> None:
    first = await archived(world, visitor_ids=["E101"])
    world.later(days=2)
    second = await archived(world, visitor_ids=["E102"], channel="phone")
    for query in (
        {"filed_as": "ordinary.phone"},
        {"visited_from": "2026-10-11T00:00:00+08:00"},
        {"staff_no": "E102"},
        {"customer_id": second["customer_id"]},
    ):
        assert await found(world, **query) == [second["id"]], query
    assert await found(world, visited_before="2026-10-11T00:00:00+08:00") == [first["id"]]
    for query in ({"customer_kind": "other.important"}, {"appeal_type": "complaint"}):
        assert await found(world, **query) == [first["id"], second["id"]]
    for query in ({"customer_kind": "government"}, {"appeal_type": "report"}, {"staff_no": "E201"}):
        assert await found(world, **query) == []


@pytest.mark.clause("7.2.6", "004 4.2")
async def test_a_record_is_found_by_its_words_which_are_nowhere_to_be_read(
    world: World, owner: asyncpg.Connection
) -> None:
    first = await archived(world, summary="变压器噪声大，夜间无法入睡")
    second = await archived(world, summary="电压不稳，ＬＥＤ灯闪烁")
    for words, visits in (
        ("变压器", [first]),
        ("噪声 入睡", [first]),
        ("led灯", [second]),
        ("电压 变压", []),
        ("入无法", []),
        ("齐鲁机床", [first, second]),
    ):
        assert await found(world, words=words) == [visit["id"] for visit in visits], words
    for words in ("变", "变压器 大", " "):
        answer = await world.admin.get("/archive", params={"words": words})
        assert pointers(answer) == [("/words", "too_short")]
    stored = await owner.fetch("SELECT row_to_json(archive_entries)::text FROM archive_entries")
    assert not [row for row in stored if "变压" in row[0] or "齐鲁" in row[0]]
    looked = await world.rows("SELECT DISTINCT by, thing_id, reason FROM trail WHERE act = 'archive.search'")
    assert [tuple(row) for row in looked] == [("E110", "37401", None)], "who looked, and not for what"


@pytest.mark.clause("7.2.6", "6.3.2.3")
async def test_a_record_is_found_by_what_was_answered(world: World) -> None:
    visit = await ended(world, channel="online")
    content = {"kind": "consultation", "topic": "prices_and_bills", "question": "怎么算", "answer": "谷段自零时起"}
    await made(world.visitor.post(f"/visits/{visit['id']}/steps", json={"content": content}))
    circle = await group(world, customer_ids=[visit["customer_id"]])
    asked = await inquiry(world, circle["id"], visit["completed_at"], visit_id=visit["id"])
    await world.visitor.post(f"/online/inquiries/{asked['id']}/answer", json={"answer": "检修后合闸"})
    await world.act(visit["id"], "archive")
    for words in ("谷段", "合闸 零时"):
        assert await found(world, words=words) == [visit["id"]], words


@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_no_cursor_tells_of_what_was_found_and_is_hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = [await archived(world, "班长索要好处", anonymous=True) for _ in range(3)]
    shown = await archived(world, "班长态度生硬")
    hidden.append(await archived(world, "班长索要好处", anonymous=True))
    theirs, above = (world.client("supervisor", unit=unit, sub="E110") for unit in ("37401", "374"))

    async def page(client: httpx.AsyncClient, **query: str) -> tuple[list[str], str | None]:
        answer = (await client.get("/archive", params={"limit": "1", **query})).json()
        return [each["visit_id"] for each in answer["items"]], answer["next"]

    for query in ({"words": "好处"}, {"words": "班长"}, {"appeal_type": "complaint"}):
        (first,), following = await page(above, **query)
        assert (first, following is None) == (hidden[0]["id"], False)
        nothing = query == {"words": "好处"}
        assert await page(theirs, **query) == ([] if nothing else [shown["id"]], None), "as if there were no others"
    since = {"updated_since": "2026-10-01T00:00:00Z"}
    visits, following = await page(theirs, words="班长", **since)
    assert visits == [shown["id"]]
    assert await page(theirs, words="班长", cursor=str(following)) == ([], following)
    assert await page(theirs, words="好处", **since) == await page(theirs, words="无此事", **since)

    looks, fetch = list[int | None](), Window.fetch

    async def fetched(window: Window, *its: Any) -> Any:
        looks.append(window.limit)
        return await fetch(window, *its)

    monkeypatch.setattr(Window, "fetch", fetched)
    await page(theirs, words="班长")
    assert looks == [2, 100], "not one by one, though one is asked for"
    monkeypatch.setattr(repository, "LOOKED_AT", 2)
    pages = [await page(theirs, words="班长")]
    while pages[-1][1] is not None:
        pages.append(await page(theirs, words="班长", cursor=pages[-1][1]))
    assert [visits for visits, _ in pages] == [[], [shown["id"]], []], "so many are looked at at once, and no more"


@pytest.mark.clause("004 4.2")
async def test_whoever_reads_a_record_leaves_a_trail(world: World) -> None:
    visit = await archived(world)
    await entries(world, visit["id"])
    (line,) = await world.rows("SELECT act, thing_id, unit_code FROM trail")
    assert tuple(line) == ("archive.read", visit["id"], "37401")


@pytest.mark.parametrize("beside", ["NULL", "sealed"], ids=["alone", "with sealed text put beside"])
async def test_what_was_archived_before_it_was_sealed_is_read_as_it_is(
    world: World, owner: asyncpg.Connection, beside: str
) -> None:
    visit = await archived(world)
    record = (await entries(world, visit["id"]))["record"]["record"]
    await owner.execute(
        f"UPDATE archive_entries SET record = jsonb_build_object('visit', 'old'), sealed = {beside}, said_digest = NULL"
    )
    assert record["visit"]["id"] == visit["id"]
    assert (await entries(world, visit["id"]))["record"]["record"] == {"visit": "old"}
