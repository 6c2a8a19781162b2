"""The lists about one appeal: whole, in pages, and followed by what changed."""

from typing import Any

import httpx
import pytest

from tests.integration.appeal_tracker.desk import Desk, got, instant, made

LISTS = ["timeline", "deadlines", "contacts", "answers", "callbacks"]
SINCE = "2026-10-09T00:00:00+08:00"


async def busy(desk: Desk) -> str:
    """An appeal with two of everything."""
    case = await desk.raised()
    for minute in (40, 45):
        await desk.contact(case, f"10-09T09:{minute}")
        await desk.answer(case, f"10-09T09:{minute}")
    for minute in (50, 55):
        called = {"at": instant(f"10-09T09:{minute}").isoformat(), "result": "completed"}
        await made(desk.first.post(f"/appeals/{case}/callbacks", json=called))
    return case


async def pages(client: httpx.AsyncClient, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """The pages of a list, from the first to the last."""
    found = []
    while True:
        page = await got(client.get(path, params=query))
        found.append(page["items"])
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_about_an_appeal_is_whole_and_comes_in_pages_where_asked(desk: Desk, name: str) -> None:
    case = await busy(desk)
    path = f"/appeals/{case}/{name}"
    (whole,) = await pages(desk.first, path)
    assert len(whole) >= 2
    single = await pages(desk.first, path, limit=1)
    assert single == [[item] for item in whole]


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_about_an_appeal_is_followed_by_what_changed(desk: Desk, name: str) -> None:
    case = await busy(desk)
    path = f"/appeals/{case}/{name}"
    whole = (await got(desk.first.get(path)))["items"]
    feed = await got(desk.first.get(path, params={"updated_since": SINCE}))
    assert sorted(map(str, feed["items"])) == sorted(map(str, whole))
    assert feed["next"] is not None
    rest = await got(desk.first.get(path, params={"cursor": feed["next"]}))
    assert (rest["items"], rest["next"]) == ([], feed["next"])
    future = await got(desk.first.get(path, params={"updated_since": "2026-10-09T10:00:01+08:00"}))
    assert future["items"] == []

    desk.later(minutes=5)
    await desk.contact(case, "10-09T10:01")
    await desk.answer(case, "10-09T10:02")
    called = {"at": instant("10-09T10:03").isoformat(), "result": "refused"}
    await made(desk.first.post(f"/appeals/{case}/callbacks", json=called))
    news = (await got(desk.first.get(path, params={"cursor": feed["next"]})))["items"]
    now = (await got(desk.first.get(path)))["items"]
    assert sorted(map(str, news)) == sorted(map(str, now if name == "deadlines" else now[len(whole) :]))


async def test_a_feed_about_an_appeal_stops_before_whoever_is_still_writing(desk: Desk) -> None:
    case = await desk.raised()
    path = f"/appeals/{case}/timeline"
    async with desk.runtime.db.connection() as other, other.transaction():
        await other.execute("SELECT pg_current_xact_id()")  # it may yet write to the appeal, with an older number
        await desk.contact(case, "10-09T09:40")
        feed = await got(desk.first.get(path, params={"updated_since": SINCE}))
        assert [item["kind"] for item in feed["items"]] == ["opened"]
        assert len((await got(desk.first.get(path)))["items"]) > 1, "whoever only looks sees what is there"
    news = await got(desk.first.get(path, params={"cursor": feed["next"]}))
    assert news["items"][0]["kind"] == "contacted"


async def test_a_warning_that_fired_is_news_of_the_deadlines(desk: Desk) -> None:
    case = await desk.raised()
    path = f"/appeals/{case}/deadlines"
    feed = await got(desk.first.get(path, params={"updated_since": SINCE}))
    await desk.at("10-09T21:30")
    news = await got(desk.first.get(path, params={"cursor": feed["next"]}))
    assert "fired" in {timer["state"] for clock in news["items"] for timer in clock["timers"]}
