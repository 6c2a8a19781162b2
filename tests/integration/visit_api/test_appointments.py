"""What is agreed with a customer about the time of a visit, and what becomes of it."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.web.tokens import Principal
from tests.integration.visit_api.world import APPOINTMENT, Told, World, made, pointers, problem
from visit_api.appointments.errors import AppointedSince
from visit_api.appointments.schemas import NewAppointment
from visit_api.appointments.service import appoint, on_record
from visit_api.visits.models import Visit

NOON = "2026-10-12T12:00:00+08:00"


async def history(world: World, visit: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """What was said, by which side, and why."""
    items = (await world.visitor.get(f"/visits/{visit['id']}/appointment/history")).json()["items"]
    return [(each["kind"], each["asked_by"], each["reason"]) for each in items]


@pytest.mark.clause("6.1.3.1")
async def test_an_appointment_says_what_for_where_and_when_and_tells_only_when(world: World) -> None:
    visit = await world.visit()
    entry = await world.appointed(visit["id"])
    assert {name: entry[name] for name in ("kind", "purpose", "place", "window_from", "recorded_by")} == {
        "kind": "agreed",
        "purpose": APPOINTMENT["purpose"],
        "place": APPOINTMENT["place"],
        "window_from": "2026-10-12T01:00:00Z",
        "recorded_by": "E101",
    }
    window = {"window_from": "2026-10-12T01:00:00Z", "window_to": "2026-10-12T02:00:00Z"}
    told = {"visit_id": visit["id"], "unit_code": "37401", **window}
    assert (await world.told())[-1] == Told("visit.appointed.v1", visit["id"], told)
    shown = (await world.visitor.get(f"/visits/{visit['id']}/appointment")).json()
    assert shown == {"visit_id": visit["id"], **window, "last": entry}
    assert (await world.visitor.get(f"/visits/{visit['id']}")).json()["window_to"] == window["window_to"]


async def test_before_anything_was_said_nothing_stands(world: World) -> None:
    visit = await world.visit()
    shown = (await world.visitor.get(f"/visits/{visit['id']}/appointment")).json()
    assert shown == {"visit_id": visit["id"], "window_from": None, "window_to": None, "last": None}


@pytest.mark.clause("6.1.3.1")
async def test_what_is_brought_late_is_refused_by_the_clause(world: World) -> None:
    visit = await world.visit()
    await world.appointed(visit["id"])
    before = NewAppointment(**{**APPOINTMENT, "at": "2026-10-09T09:00:00+08:00"})
    caller = Principal(sub="E101", unit="37401", roles=frozenset({"visitor"}))
    with pytest.raises(AppointedSince) as refused:
        async with world.runtime.db.transaction() as tx:
            await appoint(tx, world.runtime, caller, UUID(visit["id"]), before, late=True)
    assert refused.value.body("en")["clause"] == "6.1.3.1"


@pytest.mark.clause("6.1.3.1")
async def test_moved_refused_and_cancelled_are_each_kept(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/appointment"
    early = problem(await world.visitor.post(f"{path}/cancel", json={"reason": "人手不足"}), 409, "no-appointment")
    assert (early["clause"], early["detail"]) == ("6.1.3.1", "走访没有有效的预约（规范 6.1.3.1）。")
    await made(world.visitor.post(f"{path}/refuse", json={"reason": "近期停产"}))
    told = len(await world.told())
    await world.appointed(visit["id"])
    world.later(hours=1)
    moved = {"window_to": NOON, "asked_by": "customer", "reason": "上午开会", "at": "2026-10-09T10:30:00+08:00"}
    await world.appointed(visit["id"], **moved)
    world.later(hours=1)
    await made(world.visitor.post(f"{path}/cancel", json={"reason": "抢修"}))
    await world.appointed(visit["id"])
    await made(world.visitor.post(f"{path}/refuse", json={"reason": "不再需要"}))
    assert await history(world, visit) == [
        ("refused", "customer", "近期停产"),
        ("agreed", "company", None),
        ("moved", "customer", "上午开会"),
        ("cancelled", "company", "抢修"),
        ("agreed", "company", None),
        ("refused", "customer", "不再需要"),
    ]
    types = [one.type for one in (await world.told())[told:]]
    agreed, off = "visit.appointed.v1", "visit.unappointed.v1"
    assert types == [agreed, agreed, off, agreed, off], "what never stood is not given up"
    (when,) = await world.rows("SELECT time FROM outbox WHERE type = $1 ORDER BY seq LIMIT 1 OFFSET 1", agreed)
    assert when["time"].isoformat() == "2026-10-09T02:30:00+00:00", "told at its true time"
    shown = (await world.visitor.get(path)).json()
    assert (shown["window_from"], shown["last"]["kind"]) == (None, "refused")
    async with world.runtime.db.transaction() as tx:
        its = await tx.get(Visit, visit["id"])
        assert its is not None
        assert len(await on_record(tx, world.runtime, its)) == 6
    for statement in ("UPDATE appointments SET reason = ''", "DELETE FROM appointments"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)


async def test_a_window_ends_after_it_begins_and_on_site_has_a_place(world: World) -> None:
    visit, call = await world.visit(), await world.visit(channel="phone")
    path = f"/visits/{visit['id']}/appointment"
    none = {name: value for name, value in APPOINTMENT.items() if name != "place"}
    at_once = {**APPOINTMENT, "window_to": APPOINTMENT["window_from"]}
    assert pointers(await world.visitor.post(path, json=at_once)) == [("/window_to", "before_window_from")]
    answer = await world.visitor.post(path, json=none)
    assert (pointers(answer), answer.json()["clause"]) == ([("/place", "place_required")], "6.1.3.1")
    await made(world.visitor.post(f"/visits/{call['id']}/appointment", json=none))


@pytest.mark.clause("6.1.3.1")
async def test_a_call_that_was_agreed_is_made_on_site_once_it_is_agreed_where(world: World) -> None:
    none = {name: value for name, value in APPOINTMENT.items() if name != "place"}
    calls = [await world.visit(channel="phone", form="directed") for _ in range(3)]
    plans, on_site = [f"/visits/{call['id']}" for call in calls], {"channel": "on_site"}
    anyhow = {"If-Match": "*"}
    for path in plans:
        await made(world.visitor.post(f"{path}/appointment", json=none))
        answer = await world.visitor.patch(path, json=on_site, headers=anyhow)
        assert (pointers(answer), answer.json()["clause"]) == ([("/channel", "place_required")], "6.1.3.1")
    assert (await world.visitor.patch(plans[0], json={"channel": "online"}, headers=anyhow)).status_code == 200
    await made(world.visitor.post(f"{plans[0]}/appointment", json={**APPOINTMENT, "window_to": NOON}))
    await made(world.visitor.post(f"{plans[1]}/appointment/refuse", json={"reason": "不必来电"}))
    for path in plans[:2]:
        assert (await world.visitor.patch(path, json=on_site, headers=anyhow)).json()["channel"] == "on_site"
    await made(world.visitor.post(f"{plans[2]}/appointment", json=APPOINTMENT))
    await made(world.visitor.post(f"{plans[2]}/appointment", json={**none, "window_to": NOON}))
    assert pointers(await world.visitor.patch(plans[2], json=on_site, headers=anyhow)) == [
        ("/channel", "place_required")
    ], "by the last word"


async def test_the_same_appointment_again_is_answered_as_the_first_time(world: World) -> None:
    visit = await world.visit()
    new = {"id": str(uuid4())}
    first = await world.appointed(visit["id"], **new)
    await world.act(visit["id"], "start")
    told = len(await world.told())
    assert await world.appointed(visit["id"], **new) == first
    path = f"/visits/{visit['id']}/appointment"
    problem(await world.visitor.post(path, json={**APPOINTMENT, **new, "window_to": NOON}), 409, "appointment-taken")
    other = await world.visit()
    again = await world.visitor.post(f"/visits/{other['id']}/appointment", json={**APPOINTMENT, **new})
    problem(again, 409, "appointment-taken")
    assert len(await world.told()) == told + 2, "the other customer and the other visit"
    late = problem(await world.visitor.post(path, json=APPOINTMENT), 409, "visit-act-refused")
    assert (late["act"], late["state"], late["clause"]) == ("appoint", "in_progress", "6.1.3.1")
