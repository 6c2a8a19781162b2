"""What timers and recalculations change is followed by the marks of clocks, and no appeal's row is written for it."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from appeal_tracker.appeals import lists, marks
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.worker import Marking
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, got
from tests.integration.appeal_tracker.test_lists import MANY, explained
from tests.integration.appeal_tracker.test_recalculations import LATE, publish, year_2027

EVER = {"updated_since": "2020-01-01T00:00:00Z"}


async def feed(desk: Desk, **query: Any) -> dict[str, Any]:
    return await got(desk.supervisor.get("/appeals", params=query or EVER))


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]


async def test_an_appeal_is_met_once_where_it_or_a_clock_of_it_changed_last(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    cases = [await desk.raised(received_at=RECEIVED + timedelta(minutes=n)) for n in range(4)]
    begun = await feed(desk)
    assert ids(begun) == cases
    before = await owner.fetch("SELECT ctid, * FROM appeals ORDER BY id")
    one = await desk.supervisor.get(f"/appeals/{cases[0]}")
    for place in (2, 0, 1):
        await desk.at(f"10-10T09:3{place}")  # whatever is due by then, also of those before
    assert await owner.fetch("SELECT ctid, * FROM appeals ORDER BY id") == before
    its = await desk.supervisor.get(f"/appeals/{cases[0]}")
    assert its.headers["ETag"] != one.headers["ETag"]
    assert (its.json()["updated_at"], its.json()["clocks"][0]["state"]) == ("2026-10-10T01:32:00Z", "breached")
    news = await feed(desk, cursor=begun["next"])
    assert (sorted(ids(news)), news["items"][0]["updated_at"]) == (sorted(cases[:3]), "2026-10-10T01:32:00Z")
    await desk.contact(cases[1], "10-10T09:31")
    await desk.at("10-20T00:00")  # their answers are due; the last one's contact with them
    await desk.contact(cases[0], "10-19T09:31")
    again, met = await feed(desk, limit=1, **EVER), list[str]()
    while again["items"]:
        met += ids(again)
        again = await feed(desk, limit=1, cursor=again["next"])
    assert (sorted(met), met[-1]) == (sorted(cases), cases[0])
    assert ids(await feed(desk, updated_since="2026-10-20T00:00:00+08:00")) == met, "each changed since, by a clock"
    assert ids(await feed(desk, updated_since="2026-10-20T00:00:01+08:00")) == []


async def test_a_feed_stops_before_whoever_is_still_writing_also_where_clocks_bear_the_mark(desk: Desk) -> None:
    first, second = await desk.raised(), await desk.raised()
    begun = await feed(desk)
    async with desk.runtime.db.connection() as other, other.transaction():
        await other.execute("SELECT pg_current_xact_id()")  # it may yet write, with an older number
        await desk.at("10-10T09:30")
        assert (await feed(desk, cursor=begun["next"]))["items"] == []
        await desk.contact(first, "10-10T09:31")
        assert await feed(desk, cursor=begun["next"]) == {"items": [], "next": begun["next"]}
    assert ids(await feed(desk, cursor=begun["next"])) == [second, first]


async def test_a_place_that_older_code_gave_is_gone_back_from(desk: Desk) -> None:
    """It follows the rows of appeals alone, and may have passed what newer code marked at a clock."""
    case = await desk.raised()
    await desk.at("10-10T09:30")
    other = await desk.raised(received_at=RECEIVED + timedelta(days=1))
    newest = (await feed(desk))["next"]
    place = json.loads(base64.urlsafe_b64decode(newest + "=="))
    older = base64.urlsafe_b64encode(json.dumps(place[:2]).encode()).rstrip(b"=").decode()
    assert place[2] is True
    page = await feed(desk, cursor=older)
    assert (ids(page), page["next"]) == ([case, other], newest)
    without_sight = base64.urlsafe_b64encode(json.dumps(place[:3]).encode()).rstrip(b"=").decode()
    for cursor in (newest, without_sight):
        assert await feed(desk, cursor=cursor) == {"items": [], "next": newest}


async def test_what_a_calendar_moves_is_news(desk: Desk, owner: asyncpg.Connection) -> None:
    desk.clock.set(LATE)
    case = await desk.raised(received_at=LATE)
    begun = await feed(desk)
    before = await owner.fetch("SELECT ctid, * FROM appeals")
    desk.later(hours=1)
    assert (await publish(desk, "cn-statutory", year_2027(("2027-01-04", True, "元旦"))))["moved"] == 1
    assert await owner.fetch("SELECT ctid, * FROM appeals") == before
    page = await feed(desk, cursor=begun["next"])
    assert [(item["id"], item["updated_at"]) for item in page["items"]] == [(case, "2026-12-25T03:00:00Z")]


CHANGED = "UPDATE appeals SET updated_at = $2, changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1"


async def test_by_a_mark_in_time_nothing_is_missed_that_was_written_late_or_by_a_clock_that_is_ahead(
    desk: Desk,
) -> None:
    """A list that is followed from an instant on begins at the last mark before it."""
    late, ahead = await desk.raised(), await desk.raised()
    desk.later(minutes=30)
    now = desk.clock.now()
    desk.later(seconds=marks.SKEW.total_seconds() * 0.9)
    then = desk.clock.now()
    await desk.contact(ahead, "10-09T09:30")
    desk.clock.set(now)
    await Marking(desk.runtime).run_once()
    assert ids(await feed(desk, updated_since=then.isoformat())) == [ahead]
    async with desk.runtime.db.connection() as other, other.transaction():
        await other.execute("SELECT pg_current_xact_id()")  # it writes later, with an older number
        await Marking(desk.runtime).run_once()
        desk.later(hours=1)
        await Marking(desk.runtime).run_once()
        desk.later(minutes=5)
        await other.execute(CHANGED, UUID(late), desk.clock.now())
    assert ids(await feed(desk, updated_since=desk.clock.now().isoformat())) == [late]


MARKED = """
INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy, calendar,
                    provisional, state, changed_xid, changed_at)
SELECT gen_random_uuid(), 'appeal', id, 1, 'answer', type, received_at, received_at, 't-sdpea@1', 'cn-statutory@1',
       false, 'breached', 1 + pg_current_xact_id()::text::bigint, now()
FROM appeals
"""
XID = "pg_current_xact_id()::text::bigint"


async def test_where_a_list_begins_that_is_followed_from_an_instant_on_is_found_by_an_index(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """It was read from the first change that there ever was."""
    await owner.execute(MANY)
    await owner.execute(MARKED)
    await owner.execute("SELECT pg_current_xact_id()")
    await owner.execute(f"INSERT INTO feed_marks VALUES (now() - interval '1 hour', {XID})")
    await owner.execute(f"UPDATE appeals SET changed_xid = {XID} WHERE first_contact = 'E7'")
    some = "subject_id IN (SELECT id FROM appeals WHERE first_contact = 'E7')"
    await owner.execute(f"UPDATE clocks SET changed_xid = 1 + {XID} WHERE {some}")
    await owner.execute("ANALYZE appeals")
    await owner.execute("ANALYZE clocks")
    async with desk.runtime.db.transaction() as tx:
        first = await marks.below(tx, datetime.now(UTC))
        query = await lists.listed(tx, "374", Wanted())
        for way, index in zip(lists.ways(query, first), ("appeals_feed", "clocks_feed"), strict=True):
            plan = await explained(tx, way.query.order_by(way.xid, way.id).limit(50))
            assert re.search(rf"{index} .*\n *Index Cond: .*changed_xid >= ", plan), plan
