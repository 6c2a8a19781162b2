"""The analysis of visits, and how each of its figures is opened into what was counted."""

import csv
import io
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.db import driver
from contracts.appeals import AppealCalledBack, AppealClosed, AppealReclassified
from tests.integration.visit_api.world import World, made, problem
from tests.support.explaining import explained
from visit_api.analysis import repository
from visit_api.analysis.figures import figures
from visit_api.analysis.repository import Asked

OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}
EVERY = {
    "visits_by_state": {"planned": 1, "completed": 1},
    "visits_by_kind": {"other.important": 2},
    "visits_by_channel": {"on_site": 1, "phone": 1},
    "visits_by_form": {"ordinary": 2},
    "visits_by_mark": {"service_risk": 1},
    "visits_by_content": {"needs": 1, "appeals": 1, "consultation": 1},
    "needs_by_category": {"connection": 1, "smart_use": 1},
    "appeals_by_type": {"complaint": 1, "report": 1},
    "appeals_by_outcome": {"open": 1, "resolved": 1},
    "satisfaction": {"4": 1},
    "plan_completion": {"made": 1, "open": 1},
}


async def a_month(world: World) -> None:
    """Two visits of 37401, what came of them, and a plan that wants two; and a visit of the unit beside it."""
    plan = await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026-10"}))
    wanted = {"channel": "on_site", "due_by": "2026-10-31", "reason": "扩建投产"}
    items = []
    for _ in range(2):
        customer = await world.customer()
        new = {**wanted, "customer_id": customer["id"]}
        items.append(await made(world.admin.post(f"/plans/{plan['id']}/items", json=new)))
    new = {"customer_id": items[0]["customer_id"], "channel": "on_site", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    visit = await made(world.admin.post("/visits", json={**new, "plan_item_id": items[0]["id"]}))
    await world.act(visit["id"], "start")
    needs = [{"category": each, "description": "增容"} for each in ("connection", "connection", "smart_use")]
    step = {"content": {"kind": "needs", "needs": needs}}
    await made(world.visitor.post(f"/visits/{visit['id']}/steps", json=step))
    await world.act(visit["id"], "complete")
    marked = {"marks": ["service_risk"], "reason": "两次投诉"}
    path = f"/customers/{visit['customer_id']}"
    assert (await world.admin.patch(path, json=marked, headers={"If-Match": "*"})).status_code == 200
    asked = await world.visit(channel="phone", scheduled_at="2026-10-31T23:59:59+08:00")
    question = {"type": "consultation", "reason_not_answered": "需查文件", "received_at": "2026-09-30T09:00:00+08:00"}
    await world.raised(asked["id"], **question)
    await world.raised(asked["id"], anonymous=True, received_at="2026-09-30T09:00:00+08:00")
    for unit, day in (("37401", "2026-11-01"), ("37402", "2026-10-09")):
        await world.visit(unit, scheduled_at=f"{day}T00:00:00+08:00")
    first, second = await world.raised(visit["id"]), await world.raised(visit["id"], confidential=True)
    act = {"visit_id": None, "unit_code": "37401", "round": 1, "at": world.clock.now(), "by": "E201"}
    one, other = ({**act, "appeal_id": UUID(each["id"])} for each in (first, second))
    await world.hear(
        AppealCalledBack(**one, result="completed", satisfaction="4"),
        AppealClosed(**one, outcome="resolved"),
        AppealReclassified(**other, appeal_type="report", old_appeal_type="complaint", clocks=[]),
    )


def by_figure(found: dict[str, Any]) -> dict[str, dict[str, int]]:
    figures: dict[str, dict[str, int]] = {}
    for each in found["items"]:
        figures.setdefault(each["figure"], {})[each["of"]] = each["count"]
    return figures


@pytest.mark.clause("9.2", "9.1", "9.4")
async def test_every_figure_opens_into_exactly_what_it_counts(world: World) -> None:
    await a_month(world)
    reader = world.client("auditor", unit="374")
    found = (await reader.get("/analysis", params={**OCTOBER, "unit_code": "37401"})).json()
    assert by_figure(found) == EVERY
    for each in found["items"]:
        its = (await reader.get(each["records"].removeprefix("/v1"))).json()["items"]
        assert len(its) == each["count"], each
        assert {one["unit_code"] for one in its} == {"37401"}
    whole = by_figure((await reader.get("/analysis", params=OCTOBER)).json())
    assert whole["visits_by_channel"] == {"on_site": 2, "phone": 1}, "with the units below it"
    elsewhere = (await world.stranger.get("/analysis", params={**OCTOBER, "unit_code": "37401"})).json()
    assert elsewhere["items"] == []
    await made(world.admin.post("/units/37401/merge", json={"into": "37402", "reason": "整合"}))
    its = (await reader.get("/analysis", params={**OCTOBER, "unit_code": "37401"})).json()
    assert by_figure(its) == EVERY, "a closed unit's figures are its own"
    now = by_figure((await world.visitor.get("/analysis", params=OCTOBER)).json())
    assert now["visits_by_channel"] == whole["visits_by_channel"], "whoever was of it sees the other's"


async def test_what_visits_held_is_found_by_the_visits(world: World) -> None:
    asked = Asked("37401", date(2026, 10, 1), date(2026, 10, 31))
    figure = figures(asked.last)["visits_by_content"]
    async with world.runtime.db.transaction() as tx:
        for way in ("seqscan", "hashjoin", "mergejoin"):  # there are too few of them for the server to mind
            await (await driver(tx)).execute(f"SET LOCAL enable_{way} = off")
        plan = await explained(tx, select(repository._grouped("37401", figure, asked)))
    assert {"steps_visit_id", "appeals_visit_id"} <= {*plan.split()}, plan


async def test_what_was_said_in_confidence_is_counted_and_not_traced(world: World) -> None:
    await a_month(world)
    query = {**OCTOBER, "figure": "appeals_by_type", "of": "report"}
    for client, knows in ((world.client("handler", unit="37401"), False), (world.visitor, True)):
        (its,) = (await client.get("/analysis/records", params=query)).json()["items"]
        assert (its["visit_id"] is not None, its["thing"]) == (knows, "appeal")


async def test_the_analysis_as_a_table(world: World) -> None:
    await a_month(world)
    answer = await world.admin.get("/analysis", params=OCTOBER, headers={"Accept": "text/csv"})
    assert answer.headers["content-disposition"] == 'attachment; filename="analysis-2026-10-01-2026-10-31.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["figure", "of", "count", "records"]
    assert ["visits_by_channel", "phone", "1"] in [row[:3] for row in rows]


@pytest.mark.parametrize(
    "period", [("2026-10-02", "2026-10-01"), ("2025-10-01", "2026-10-02"), ("0001-01-01", "0001-01-01")]
)
async def test_a_period_has_an_end_and_is_not_too_long(world: World, period: tuple[str, str]) -> None:
    answer = await world.admin.get("/analysis", params={"from": period[0], "to": period[1]})
    assert problem(answer, 422, "bad-period")["errors"][0]["pointer"] == "/from"
