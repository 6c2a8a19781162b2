"""A device's copy: all that its visitor needs, then what changed, a late commit too, and what is theirs no more."""

import base64
import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.world import World, made, problem


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


MINE: dict[str, Any] = {"visitor_ids": ["E101"]}


async def test_a_copy_begins_whole_and_follows(world: World, phone: Phone) -> None:
    mine, other = await world.visit(**MINE), await world.visit(visitor_ids=["E102"])
    new = {"unit_code": "374", "title": "分时电价", "topic": "prices", "summary": "峰谷", "valid_from": "2026-01-01"}
    material = await made(world.admin.post("/materials", json=new))
    assert (await world.admin.post(f"/materials/{material['id']}/publish")).status_code == 200
    long_over = await world.visit(**MINE)
    await world.act(long_over["id"], "cancel")
    world.later(days=31)
    kinds = [each["kind"] for each in await phone.pull(limit=2)]
    assert kinds == ["unit"] * 2 + ["material", "customer", "visit", "standard"]
    assert phone.ids("visit") == {mine["id"]}
    assert phone.ids("unit") == {"374", "37401"}
    assert phone.copy["visit", mine["id"]]["preparation"]["kit"][0]["item"] == "handheld"
    assert phone.copy["customer", mine["customer_id"]]["name"] == "齐鲁机床"
    cursor = phone.cursor
    assert await phone.pull() == []
    assert phone.cursor == cursor, "nothing happened: the same answer, and a 304 where it is asked for"

    # An older visit of a customer that nobody changed becomes theirs, with what was answered of it.
    answers = {"answers": [{"item": "on_site.kit", "answer": "yes"}]}
    assert (await world.admin.post(f"/visits/{other['id']}/checklist", json=answers)).status_code == 200
    await phone.pull()
    handing = {"visitor_ids": ["E101"], "reason": "轮岗"}
    assert (await world.admin.post(f"/visits/{other['id']}/hand-over", json=handing)).status_code == 200
    away = {"visitor_ids": ["E102"], "reason": "轮岗"}
    assert (await world.admin.post(f"/visits/{mine['id']}/hand-over", json=away)).status_code == 200
    assert (await world.admin.post(f"/materials/{material['id']}/withdraw", json={"reason": "过期"})).status_code == 200
    given = await phone.pull()
    assert [(each["kind"], each.get("gone", False)) for each in given] == [
        ("visit", True),
        ("material", True),
        ("customer", False),
        ("visit", False),
        ("answer", False),
    ]
    assert phone.ids("visit") == {other["id"]}
    assert (phone.ids("material"), len(phone.ids("answer"))) == (set(), 1)
    back = {"visitor_ids": ["E101", "E102"], "reason": "一起去"}
    assert (await world.admin.post(f"/visits/{mine['id']}/hand-over", json=back)).status_code == 200
    await phone.pull()
    assert phone.ids("visit") == {mine["id"], other["id"]}


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
async def test_what_a_device_has_already_it_is_not_sent_again(world: World, phone: Phone, coding: str) -> None:
    for _ in range(3):
        await world.visit(**MINE)
    takes = {"Accept-Encoding": coding}
    first = await phone.client.get("/sync/pull", headers=takes)
    assert first.headers.get("content-encoding", "identity") == coding
    begun = first.json()
    for cursor in (None, begun["next"]):
        query = {} if cursor is None else {"cursor": cursor}
        answer = await phone.client.get("/sync/pull", params=query, headers=takes)
        known = {**takes, "If-None-Match": answer.headers["etag"]}
        again = await phone.client.get("/sync/pull", params=query, headers=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
        assert again.headers["vary"] == "Accept-Encoding"
    await world.visit(**MINE)
    news = await phone.client.get("/sync/pull", params=query, headers=known)
    assert (news.status_code, len(news.json()["items"])) == (200, 2)


async def test_a_late_commit_is_not_skipped(world: World, phone: Phone, owner: asyncpg.Connection) -> None:
    early, late = await world.visit(**MINE), await world.visit(visitor_ids=["E102"])
    await phone.pull()
    slow = owner.transaction()
    await slow.start()
    await owner.execute("UPDATE visits SET visitor_ids = '{E101}', changed_xid = pg_current_xact_id()::text::bigint "
                        "WHERE id = $1", late["id"])  # fmt: skip
    quick = await world.visit(**MINE)
    await phone.pull()
    assert phone.ids("visit") == {early["id"]}, "what is newer waits for what is still being written"
    await slow.commit()
    await phone.pull()
    assert phone.ids("visit") == {early["id"], late["id"], quick["id"]}


_CHANGED = "changed_xid = pg_current_xact_id()::text::bigint"


@pytest.mark.parametrize("limit", [1, 200])
@pytest.mark.parametrize("kind", ["customer", "answer"])
async def test_a_late_commit_of_what_comes_with_visits_is_not_skipped(
    world: World, phone: Phone, owner: asyncpg.Connection, kind: str, limit: int
) -> None:
    visits = [await world.visit(**MINE) for _ in range(3)]
    answers = {"answers": [{"item": "on_site.kit", "answer": "yes"}]}
    for visit in visits:
        assert (await world.admin.post(f"/visits/{visit['id']}/checklist", json=answers)).status_code == 200
    await phone.pull()
    late, quick = visits[0], visits[1:]
    slow = owner.transaction()
    await slow.start()
    if kind == "customer":
        its = f"UPDATE customers SET importance = 'late', {_CHANGED} WHERE id = $1"
        await owner.execute(its, late["customer_id"])
    else:
        its = f"UPDATE checklist_answers SET answered_by = 'late', {_CHANGED} WHERE visit_id = $1"
        await owner.execute(its, late["id"])

    def news() -> set[str]:
        whose = {"customer": "importance", "answer": "answered_by"}[kind]
        return {str(each[whose]) for (its, _), each in phone.copy.items() if its == kind}

    before = news()
    for each in quick:
        path = f"/customers/{each['customer_id']}"
        assert (await world.admin.patch(path, json={"name": "改名"}, headers={"If-Match": "*"})).status_code == 200
        new = {"answers": [{"item": "on_site.kit", "answer": "no", "note": "缺"}]}
        assert (await world.admin.post(f"/visits/{each['id']}/checklist", json=new)).status_code == 200
    for _ in range(2):
        await phone.pull(limit)
    assert news() == before
    await slow.commit()
    await phone.pull(limit)
    assert news() == {*before, "late"}
    renamed = {each["name"] for (its, _), each in phone.copy.items() if its == "customer"}
    assert renamed == {"齐鲁机床", "改名"}
    assert {each["answer"] for (its, _), each in phone.copy.items() if its == "answer"} == {"yes", "no"}


async def test_a_cursor_that_is_good_no_more_says_begin_again(world: World, phone: Phone) -> None:
    await world.visit(**MINE)
    await phone.pull()
    assert phone.cursor is not None
    mine = {"cursor": phone.cursor}
    for client in (
        world.client("visitor", unit="37401", sub="E102"),
        world.client("visitor", unit="37402", sub="E101"),
    ):
        gone = problem(await client.get("/sync/pull", params=mine), 410, "sync-cursor-expired")
    assert gone is not None
    assert gone["full_pull"] == "/v1/sync/pull"
    its = json.loads(base64.urlsafe_b64decode(phone.cursor + "=="))
    its[4] += 1_000_000  # of a database that was turned back since
    ahead = base64.urlsafe_b64encode(json.dumps(its).encode()).rstrip(b"=").decode()
    problem(await world.visitor.get("/sync/pull", params={"cursor": ahead}), 410, "sync-cursor-expired")
    for day in range(59):
        world.clock.advance(timedelta(days=1, minutes=1))
        if day in (20, 40):
            await phone.pull()
    assert await phone.pull() == [], "a copy that is kept up to date does not grow old"
    world.later(days=61)
    problem(await world.visitor.get("/sync/pull", params={"cursor": phone.cursor}), 410, "sync-cursor-expired")
    assert (await world.visitor.get("/sync/pull", params={"cursor": "bm9uc2Vuc2U"})).status_code == 422
