"""A complaint raised on a visit, through all three services: its clocks, its messages, and the archive at the end."""

from typing import Any

import httpx
import pytest

from tests.integration.appeal_tracker.desk import got, instant, made
from tests.support.stack import Stack

COMPLAINT = {"type": "complaint", "summary": "三天两头停电", "received_at": "2026-10-09T09:30:00+08:00"}


class Town:
    """A unit with a visitor and a supervisor, and a visit that goes on."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.visits = stack.client("visit_api", "admin", unit="37401", sub="E001")
        self.visitor = stack.client("visit_api", "visitor", unit="37401", sub="E101")
        self.tracker = stack.client("appeal_tracker", "visitor", unit="37401", sub="E101")
        self.notifier = stack.client("notifier", "supervisor", unit="37401", sub="E001")

    async def visit(self) -> str:
        unit = {"code": "37401", "name": "历下供电中心"}
        await made(self.visits.post("/units", json=unit))
        for staff_no, role in (("E101", "visitor"), ("E001", "supervisor")):
            member = {"staff_no": staff_no, "name": staff_no, "unit_code": "37401", "roles": [role]}
            await made(self.visits.post("/staff", json=member))
        customer = {"name": "齐鲁机床", "kind": "other.important", "unit_code": "37401"}
        visit = {"channel": "on_site", "scheduled_at": "2026-10-09T09:00:00+08:00"}
        visit["customer_id"] = (await made(self.visits.post("/customers", json=customer)))["id"]
        started = await made(self.visits.post("/visits", json=visit))
        await got(self.visits.post(f"/visits/{started['id']}/start", json={}))
        return str(started["id"])


@pytest.mark.clause("7.2.3", "7.2.6")
async def test_from_a_visit_to_its_archive(stack: Stack) -> None:
    town = Town(stack)
    visit = await town.visit()
    appeal = (await made(town.visitor.post(f"/visits/{visit}/appeals", json=COMPLAINT)))["id"]
    await got(town.visits.post(f"/visits/{visit}/complete", json={}))
    await stack.settle()
    clocks = (await got(town.tracker.get(f"/appeals/{appeal}")))["clocks"]
    assert [clock["due_at"] for clock in clocks] == ["2026-10-10T01:30:00Z", "2026-10-19T16:00:00Z"]
    early = await archived(town.visits, visit)
    assert early.status_code == 409, "its appeal is open"
    stack.clock.set(instant("10-10T09:30"))
    await stack.settle()
    told = await got(town.notifier.get("/deliveries", params={"appeal_id": appeal}))
    assert {(item["step"], item["recipient"]) for item in told["items"]} >= {("due", "E001")}
    stack.clock.set(instant("10-12T10:00"))
    answer = {"at": "2026-10-12T09:00:00+08:00", "content": "已检修线路"}
    await made(town.tracker.post(f"/appeals/{appeal}/answers", json=answer))
    await got(town.tracker.post(f"/appeals/{appeal}/close", json={}))
    await stack.settle()
    assert (await archived(town.visits, visit)).status_code == 200


async def archived(visits: httpx.AsyncClient, visit: str) -> Any:
    return await visits.post(f"/visits/{visit}/archive", json={})
