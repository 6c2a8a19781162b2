"""A dry run over merged appeals, page by page."""

from typing import Any

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got
from tests.integration.appeal_tracker.test_recalculations import LATE, year_2027


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
DRY_RUNS = [
    ("/calendars/cn-statutory/versions", None, 6),
    ("/recalculations", QUICKER, 6),
    ("/recalculations", STOP, 6),
    ("/recalculations", {**STOP, "unit_code": "37402"}, 3),
    ("/recalculations", {**QUICKER, "unit_code": "37402"}, 3),
]


async def test_a_dry_run_lists_each_of_the_merged_once(desk: Desk, interleaved: None) -> None:
    """On whatever page: those that are merged are shown together, where the first of them is met."""
    for number, (path, body, moved) in enumerate(DRY_RUNS):
        if number == 1:  # the first counts by what is in force, whatever else was published
            quicker = {"milestone": "answer", "clause": "1", "within": "9 working days"}
            await desk.publish(id="quicker", appeals={"report": [quicker]})
        for limit in (1, 2, 4):
            found = await listed(desk, path, body or year_2027(("2027-01-04", True, "元旦")), limit)
            assert len(found) == len({*found}), (path, body, limit)
            assert len(found) >= moved, (path, body, limit)


async def listed(desk: Desk, path: str, document: dict[str, Any], limit: int) -> list[str]:
    """The clocks on all pages."""
    query: dict[str, Any] = {"dry_run": "true", "limit": limit}
    found: list[str] = []
    while True:
        said = await got(desk.admin.post(path, json=document, params=query))
        page = said.get("preview", said)
        found += [item["clock_id"] for item in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]
