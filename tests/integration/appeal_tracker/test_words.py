"""The words of an appeal that was raised on a visit: fetched after the fact, however long that takes, and sealed."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from appeal_tracker.words.worker import Fetching
from chassis.outage import Outage
from chassis.peer import Peer
from tests.integration.appeal_tracker.desk import Desk, got


class VisitApi:
    """What the other service would answer, as far as it is there."""

    def __init__(self) -> None:
        self.said: dict[str, dict[str, Any] | None] = {}
        self.away = False
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        appeal = request.url.path.rpartition("/")[2]
        self.asked.append(appeal)
        if self.away or appeal not in self.said:
            return httpx.Response(503)
        its = self.said[appeal]
        none = httpx.Response(404, headers={"Content-Type": "application/problem+json"})
        return none if its is None else httpx.Response(200, json=its)


@pytest.fixture
def elsewhere() -> VisitApi:
    return VisitApi()


@pytest.fixture
def fetching(desk: Desk, elsewhere: VisitApi, tmp_path: Path) -> Fetching:
    (tmp_path / "token").write_text("ours")
    peer = Peer("http://visit-api.invalid", tmp_path / "token", httpx.MockTransport(elsewhere))
    return Fetching(desk.runtime, peer)


async def words(desk: Desk, case: str) -> dict[str, Any]:
    return await got(desk.supervisor.get(f"/appeals/{case}/words"))


async def test_they_come_later_and_wait_while_the_other_service_is_away(
    desk: Desk, elsewhere: VisitApi, fetching: Fetching
) -> None:
    case = await desk.raised(appeal_type="consultation")
    assert (await words(desk, case))["state"] == "wanted"
    elsewhere.said[case] = {"summary": "电价如何执行？", "reason_not_answered": "需查文件"}
    elsewhere.away = True
    with pytest.raises(Outage):
        await fetching.run_once()
    await desk.answer(case, "10-09T09:40")  # nothing waits for them
    elsewhere.away = False
    while await fetching.run_once():
        pass
    its = await words(desk, case)
    assert (its["state"], its["summary"], its["reason_not_answered"]) == ("kept", "电价如何执行？", "需查文件")
    (row,) = await desk.rows("SELECT summary, reason_not_answered FROM appeal_words")
    assert "电价".encode() not in row["summary"] + row["reason_not_answered"]
    asked = len(elsewhere.asked)
    await fetching.run_once()
    assert len(elsewhere.asked) == asked


async def test_one_that_cannot_be_had_keeps_no_other_waiting(
    desk: Desk, elsewhere: VisitApi, fetching: Fetching
) -> None:
    stuck, gone, there = [await desk.raised() for _ in range(3)]
    elsewhere.said |= {gone: None, there: {"summary": "抄表有误", "reason_not_answered": None}}
    with pytest.raises(Outage):
        await fetching.run_once()
    assert [(await words(desk, case))["state"] for case in (stuck, gone, there)] == ["wanted", "missing", "kept"]


async def test_two_that_fetch_the_same_keep_it_once(desk: Desk, elsewhere: VisitApi, fetching: Fetching) -> None:
    case = await desk.raised()
    elsewhere.said[case] = {"summary": "抄表有误", "reason_not_answered": None}
    other = Fetching(desk.runtime, fetching._peer)
    await asyncio.gather(fetching.run_once(), other.run_once())
    assert (await words(desk, case))["summary"] == "抄表有误"
    assert len(await desk.rows("SELECT FROM appeal_words")) == 1
