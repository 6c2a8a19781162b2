"""A dry run over merged appeals, page by page; and that it says what then comes of it."""

from typing import Any

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, made
from tests.integration.appeal_tracker.test_recalculations import LATE, year_2027

Moved = tuple[str, str, str | None, str | None]  # the appeal, its clock, when that was due, when it is


@pytest.fixture
async def interleaved(desk: Desk) -> None:
    """Two groups of three, of reports under a pack of one's own, whose members come in turn."""
    limit = {"milestone": "answer", "clause": "1", "within": "10 working days"}
    await desk.publish(id="own", appeals={"report": [limit]})
    for code in ("37401", "37402"):
        await desk.assign(code, "own")
    desk.clock.set(LATE)
    customers = [new_id(), new_id()]
    its = {"appeal_type": "report", "received_at": LATE}
    cases = [
        await desk.raised(**its, customer_id=customers[number % 2], unit_code=("37401", "37402")[number // 3])
        for number in range(6)
    ]
    for child in (0, 4):
        await desk.act(cases[child], "merge", into=cases[2])
    for child in (1, 5):
        await desk.act(cases[child], "merge", into=cases[3])


STOP = {"cause": "policy_version", "policy": "own", "to": "t-sdpea"}
QUICKER = {"cause": "policy_version", "policy": "own", "to": "quicker"}
DRY_RUNS = {
    "a calendar": ("/calendars/cn-statutory/versions", year_2027(("2027-01-04", True, "元旦")), 6),
    "another policy": ("/recalculations", QUICKER, 6),
    "none that times it": ("/recalculations", STOP, 6),
    "none, in one unit": ("/recalculations", {**STOP, "unit_code": "37402"}, 3),
    "another, in one unit": ("/recalculations", {**QUICKER, "unit_code": "37402"}, 6),
    "what a unit picked": ("/recalculations", {"cause": "assignment", "unit_code": "37402"}, 6),
}


@pytest.mark.parametrize(("path", "body", "moved"), DRY_RUNS.values(), ids=DRY_RUNS)
async def test_a_dry_run_lists_each_of_the_merged_once_and_as_it_then_moves(
    desk: Desk, interleaved: None, path: str, body: dict[str, Any], moved: int
) -> None:
    """On whatever page: those that are merged are shown together, where the first of them is met."""
    quicker = {"milestone": "answer", "clause": "1", "within": "9 working days"}
    await desk.publish(id="quicker", appeals={"report": [quicker]})
    await desk.assign("37402", "quicker")
    said = [await listed(desk, path, body, limit) for limit in (1, 2, 4)]
    assert [len(each) for each in said] == [len({*each}) for each in said] == [moved] * 3
    done = await made(desk.admin.post(path, json=body))
    await desk.stack.settle()
    job = done.get("recalculation", done)["id"]
    assert (await got(desk.admin.get(f"/recalculations/{job}")))["moved"] == moved
    found = await got(desk.admin.get(f"/recalculations/{job}/changes"))
    assert {*map(_moved, found["items"])} == {*said[0]} == {*said[1]} == {*said[2]}


async def listed(desk: Desk, path: str, document: dict[str, Any], limit: int) -> list[Moved]:
    """What would move, on all pages."""
    query: dict[str, Any] = {"dry_run": "true", "limit": limit}
    found: list[Moved] = []
    while True:
        said = await got(desk.admin.post(path, json=document, params=query))
        page = said.get("preview", said)
        found += map(_moved, page["items"])
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def _moved(change: dict[str, Any]) -> Moved:
    return change["subject_id"], change["clock_id"], change["old_due_at"], change["due_at"]
