"""The link by which a customer rates an answer in one tap, and its page."""

import re
from typing import Any

import httpx
import pytest

from appeal_tracker.callbacks import links
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, made, problem
from tests.support.busy import requests_elsewhere

STRANGE = "/c/" + "A" * links.LONGEST
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def link(desk: Desk, case: str, **body: Any) -> str:
    """Where a new link leads."""
    answer = await desk.client("callback", unit="37401").post(f"/appeals/{case}/callback-links", json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["callback-link"]


def customer(desk: Desk, address: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
    """Somebody who has nothing but the link."""
    transport = httpx.ASGITransport(desk.stack["appeal_tracker"].app, client=(address, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://tracker", headers=headers)


@pytest.mark.clause("7.2.5.1", "9.4")
async def test_a_customer_answers_in_one_tap_and_once(desk: Desk) -> None:
    case = await desk.raised()
    path = f"/appeals/{case}/callback-links"
    problem(await desk.supervisor.post(path, json={}), 409, "appeal-unanswered")
    await desk.answer(case, "10-09T09:45")
    problem(await desk.first.post(path, json={}), 403, "forbidden")
    where = await link(desk, case)
    async with customer(desk) as browser:
        shown = await browser.get(where)
        assert (shown.status_code, shown.headers["content-language"]) == (200, "zh-CN")
        assert "satisfied" in (await browser.get(where, params={"lang": "en"})).text
        for never in (case, "V00000001", "37401", "E101", "<script", "http://", "https://", "src="):
            assert never not in shown.text
        its = shown.headers["content-security-policy"]
        assert its.startswith("default-src 'none'; style-src 'sha256-")
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert (await browser.post(where, data={"satisfaction": "6", "opinion": "<b>"})).status_code == 422
        assert (await browser.post(where, data={f"f{number}": "1" for number in range(11)})).status_code == 422
        thanks = await browser.post(where, data={"satisfaction": "5", "opinion": "师傅很\r\n及时"})
        again = await browser.post(where, data={"satisfaction": "1"})
        assert [thanks.status_code, again.status_code, (await browser.get(where)).status_code] == [200] * 3
        assert thanks.text == again.text == (await browser.get(where)).text
    (callback,) = (await got(desk.first.get(f"/appeals/{case}/callbacks")))["items"]
    told = (callback["by"], callback["channel"], callback["satisfaction"], callback["opinion"])
    assert told == ("customer", "link", 5, "师傅很\n及时")
    assert (await desk.appeal(case))["state"] == "called_back"
    (event,) = await desk.told("appeal.called_back.v1")
    assert (event["by"], event["channel"]) == (None, "link")
    (kept,) = (await got(desk.first.get(path)))["items"]
    assert (kept["callback_id"], kept["used_at"] is None) == (callback["id"], False)
    (row,) = await desk.rows("SELECT * FROM callback_links")
    assert row["token_hash"] == links.hashed(where.removeprefix("/c/"))
    assert where.removeprefix("/c/") not in str([dict(row), *await desk.rows("SELECT data FROM timeline")])


@pytest.mark.clause("002 6.4.5.4")
async def test_nobody_makes_a_link_who_may_not_call_back(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    path, handler = f"/appeals/{case}/callback-links", desk.client("handler", "callback", unit="37401", sub="E105")
    body = {"at": desk.clock.now().isoformat(), "content": "已处理"}
    await made(handler.post(f"/appeals/{case}/answers", json=body))
    problem(await handler.post(path, json={}), 403, "not-yours-to-call-back")  # they would rate their own work
    await made(desk.client("callback", unit="37401", sub="E106").post(path, json={}))


async def test_a_link_expires_and_guessing_is_limited_by_block_of_addresses(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    where = await link(desk, case, days=1)
    assert len(where.removeprefix("/c/")) == links.LONGEST  # 256 bits
    async with customer(desk) as browser, customer(desk, "198.51.100.9") as other:
        for number in range(links.MISSES):
            missed = await (browser.get(STRANGE) if number % 2 else browser.post(STRANGE, data={"satisfaction": "1"}))
            assert missed.status_code == 404
        for limited in (await browser.get(STRANGE), await browser.post(STRANGE, data={"satisfaction": "1"})):
            assert limited.status_code == 429
            assert "retry-after" in limited.headers
        # Whoever has the link is no guesser, though others behind the same provider are.
        assert [(await its.get(where)).status_code for its in (browser, other)] == [200, 200]
        desk.later(days=1)
        assert (await other.get(where)).status_code == 410
        assert (await other.post(where, data={"satisfaction": "1"})).status_code == 410
    assert not (await got(desk.first.get(f"/appeals/{case}/callbacks")))["items"]


async def test_the_page_takes_no_connection_of_the_loops(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    where = await link(desk, case)
    async with customer(desk) as browser:
        async with requests_elsewhere(desk.runtime.db, monkeypatch):
            answers = [await browser.get(where), await browser.post(where, data={"satisfaction": "5"})]
            assert [each.status_code for each in answers] == [503, 503]
        assert (await browser.post(where, data={"satisfaction": "5"})).status_code == 200


@pytest.mark.clause("7.2.5.1", "002 6.4.5.5", "9.4")
async def test_a_link_goes_with_a_send_the_same_however_often_it_is_tried(desk: Desk) -> None:
    case, nameless = await desk.raised(), await desk.raised(anonymous=True)
    notifier = desk.stack.client("appeal_tracker", "service", sub="notifier")
    sends = [{"send_id": str(new_id())} for _ in range(3)]

    async def asked(send: dict[str, str], of: str = case) -> httpx.Response:
        return await notifier.post(f"/appeals/{of}/callback-links/for-send", json=send)

    async def refused(send: dict[str, str], of: str = case) -> str:
        return str(problem(await asked(send, of), 409, "link-not-due")["reason"])

    problem(await desk.supervisor.post(f"/appeals/{case}/callback-links/for-send", json=sends[0]), 403, "forbidden")
    problem(await asked(sends[0], str(new_id())), 404, "appeal-not-found")
    assert [await refused(sends[0], of) for of in (case, nameless)] == ["unanswered", "hidden"]
    await desk.answer(case, "10-09T09:45")
    first, again, other = [await asked(sends[number]) for number in (0, 0, 1)]
    assert first.json() == again.json()
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    where = first.json()["url"].removeprefix("https://service.example")
    assert len(where.removeprefix("/c/")) == links.LONGEST
    assert other.json()["url"] != first.json()["url"]
    kept = await desk.rows("SELECT l::text, t.data::text, o.payload FROM callback_links l, timeline t, outbox o")
    assert where.removeprefix("/c/") not in str(kept)
    async with customer(desk) as browser:
        desk.later(days=7)
        assert (await browser.get(where)).status_code == 410
        assert (await asked(sends[0])).json()["url"] == first.json()["url"], "tried again late, it is good again"
        assert (await browser.post(where, data={"satisfaction": "5"})).status_code == 200
    assert await refused(sends[0]) == await refused(sends[2]) == "answered"
    await desk.act(case, "close")
    assert await refused(sends[0]) == "closed"
    # Another round is another question.
    await desk.act(case, "reopen", reason="再次来电")
    at = desk.clock.now().isoformat()
    await made(desk.supervisor.post(f"/appeals/{case}/answers", json={"at": at, "content": "已处理"}))
    assert (await asked(sends[0])).json()["url"] not in (first.json()["url"], other.json()["url"])
    await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json={"at": at, "result": "refused"}))
    assert await refused(sends[0]) == "refused"


@pytest.mark.clause("9.4")
async def test_a_rating_after_the_end_is_kept_and_followed_up_and_reopens_where_the_policy_says_so(desk: Desk) -> None:
    await desk.publish(id="anew", title="企标", dissatisfied="new_round")
    closed = await desk.raised(received_at=desk.clock.now())
    await desk.assign("37402", "anew")
    reopened = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    desk.later(hours=1)
    for case in (closed, reopened):
        body = {"at": "2026-10-09T10:30:00+08:00", "content": "已处理"}
        await made(desk.supervisor.post(f"/appeals/{case}/answers", json=body))
        answer = await desk.supervisor.post(f"/appeals/{case}/callback-links", json={})
        await desk.act(case, "close")
        async with customer(desk) as browser:
            thanks = await browser.post(answer.headers["callback-link"], data={"satisfaction": "1"})
            assert thanks.status_code == 200, thanks.text
    assert [(await desk.appeal(case))["state"] for case in (closed, reopened)] == ["closed", "open"]
    (task,) = (await got(desk.supervisor.get("/callback-tasks", params={"kind": "follow_up"})))["items"]
    assert task["appeal_id"] == closed
    (kept,) = (await got(desk.supervisor.get(f"/appeals/{reopened}/callbacks")))["items"]
    assert (kept["round"], kept["satisfaction"]) == (1, 1)


@pytest.mark.clause("9.4")
@pytest.mark.parametrize("dissatisfied", ["follow_up", "new_round"])
async def test_a_low_rating_of_what_was_merged_meanwhile_is_followed_up(desk: Desk, dissatisfied: str) -> None:
    await desk.publish(id="own", title="企标", dissatisfied=dissatisfied)
    await desk.assign("37401", "own")
    its = {"customer_id": new_id(), "received_at": desk.clock.now()}
    case, leader = await desk.raised(**its), await desk.raised(**its)
    desk.later(hours=1)
    await desk.answer(case, "10-09T10:30")
    where = await link(desk, case)
    await desk.act(case, "merge", into=leader)
    async with customer(desk) as browser:
        assert (await browser.post(where, data={"satisfaction": "1"})).status_code == 200
    (task,) = (await got(desk.supervisor.get("/callback-tasks", params={"kind": "follow_up"})))["items"]
    assert (task["appeal_id"], task["state"]) == (case, "open")
    (kept,) = (await got(desk.supervisor.get(f"/appeals/{case}/callbacks")))["items"]
    assert kept["satisfaction"] == 1
    done = await got(desk.first.post(f"/callback-tasks/{task['id']}/complete", json={"note": "已登门说明"}))
    assert done["state"] == "done"


def test_a_block_is_what_one_asker_may_have() -> None:
    assert links.block("203.0.113.7") == links.block("::ffff:203.0.113.200") == "203.0.113.0/24"
    assert links.block("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert links.block(None) == links.block("testclient") == "unknown"
    assert re.fullmatch(r"[0-9a-f]{64}", links.hashed("x").hex())
