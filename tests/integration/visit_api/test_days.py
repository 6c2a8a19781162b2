"""A visitor's day in one answer, small, and told apart from the day as it was."""

import gzip
import json
from typing import Any

import brotli
import httpx

from chassis.web.compression import coding_of
from tests.integration.visit_api.world import World, made, pointers


async def day(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await client.get("/my-day", params=query)
    assert answer.status_code == 200, answer.text
    its: dict[str, Any] = answer.json()
    return its


async def test_a_day_has_its_visits_what_was_left_and_what_is_owed(world: World) -> None:
    mine = {"visitor_ids": ["E101"]}
    customer = await world.customer(phone="13812345678")
    plan = {"customer_id": customer["id"], "channel": "phone", "scheduled_at": "2026-10-09T16:30:00+08:00", **mine}
    late = await made(world.admin.post("/visits", json=plan))
    early = await world.visit(scheduled_at="2026-10-09T00:00:00+08:00", form="special", **mine)
    left = await world.visit(scheduled_at="2026-10-08T23:59:59+08:00", **mine)
    over = await world.visit(scheduled_at="2026-10-08T10:00:00+08:00", **mine)
    await world.act(over["id"], "start", "complete")
    await world.visit(scheduled_at="2026-10-09T09:00:00+08:00", visitor_ids=["E102"])
    moved = await world.visit(scheduled_at="2026-10-20T09:00:00+08:00", **mine)  # appointed for the twelfth
    await world.appointed(moved["id"])
    new = {"kind": "missed_call", "customer_id": customer["id"], "called_at": "2026-10-09T09:00:00+08:00"}
    owed = await made(world.visitor.post("/obligations", json=new))

    today = await day(world.visitor)
    assert (today["day"], today["visitor"]) == ("2026-10-09", "E101")
    assert [visit["id"] for visit in today["visits"]] == [early["id"], late["id"]]
    first, second = today["visits"]
    assert {each["what"] for each in first["wanting"]} == {"plan_document", "kit", "appointment"}
    assert (first["may_start"], second["may_start"]) == (False, True)
    assert second["customer"] == {
        "id": customer["id"],
        "name": customer["name"],
        "kind": customer["kind"],
        "phone": customer["phone"],
    }
    assert "12345678" not in json.dumps(today)
    assert [visit["id"] for visit in today["left"]] == [left["id"]]
    assert today["left_over"] == 1
    assert [each["id"] for each in today["owed"]] == [owed["id"]]
    (visit,) = (await day(world.visitor, day="2026-10-12"))["visits"]
    assert (visit["id"], visit["place"]) == (moved["id"], "厂区办公楼三楼会议室")
    assert (await day(world.client("visitor", unit="37402", sub="E101")))["visits"] == [], "of another unit now"


async def test_a_day_travels_small_under_a_tag_of_its_own(world: World) -> None:
    customer = await world.customer()
    plan = {"customer_id": customer["id"], "channel": "phone", "visitor_ids": ["E101"]}
    for minute in range(10, 30):
        await made(world.admin.post("/visits", json={**plan, "scheduled_at": f"2026-10-09T09:{minute}:00+08:00"}))
    bodies, tags = {}, {}
    for coding in ("identity", "gzip", "br"):
        async with world.visitor.stream("GET", "/my-day", headers={"Accept-Encoding": coding}) as answer:
            bodies[coding] = b"".join([chunk async for chunk in answer.aiter_raw()])
        tags[coding] = answer.headers["etag"]
        assert answer.headers.get("content-encoding", "identity") == coding
        assert answer.headers["vary"] == "Accept-Encoding"
        known = {"Accept-Encoding": coding, "If-None-Match": tags[coding]}
        assert (await world.visitor.get("/my-day", headers=known)).status_code == 304
    assert bodies["identity"] == gzip.decompress(bodies["gzip"]) == brotli.decompress(bodies["br"])
    assert len(set(tags.values())) == 3
    assert max(len(bodies["gzip"]), len(bodies["br"])) < len(bodies["identity"]) / 5
    await made(world.admin.post("/visits", json={**plan, "scheduled_at": "2026-10-09T12:00:00+08:00"}))
    known = {"Accept-Encoding": "br", "If-None-Match": tags["br"]}
    assert (await world.visitor.get("/my-day", headers=known)).status_code == 200


def test_the_coding_that_is_liked_best_is_used() -> None:
    cases = {
        "": None,
        "identity": None,
        "gzip, deflate, br": "br",
        "gzip;q=1.0, br;q=0.5": "gzip",
        "br;q=0": None,
        "*": "br",
        "*;q=0.1, identity": None,
        "gzip;q=x": None,
    }
    assert {accept: coding_of(accept) for accept in cases} == cases


async def test_a_day_at_the_end_of_time_is_none(world: World) -> None:
    for far in ("9999-12-31", "0001-01-01"):
        assert pointers(await world.visitor.get("/my-day", params={"day": far})) == [("/day", "out_of_range")]
    for far in ("9999-12-30", "0001-01-02"):
        assert (await day(world.visitor, day=far))["visits"] == []
