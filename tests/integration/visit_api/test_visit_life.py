"""The life of a visit: how it is planned, what it may do next, and what is told of it."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.integration.visit_api.world import Told, World, made, member, pointers, problem, tag
from visit_api.visits.models import Visit
from visit_api.visits.service import on_record, unmet

NOW = "2026-10-09T02:00:00Z"
PLAN = {"channel": "on_site", "scheduled_at": "2026-10-12T09:00:00+08:00"}


async def test_a_plan_is_told_whole(world: World) -> None:
    customer = await world.customer()
    staff = (await world.admin.get("/staff/E102")).json()
    visit = await world.visit(visitor_ids=["E101", staff["id"].upper(), "E101"], form="directed", direction="inbound")
    assert (visit["state"], visit["unit_code"], visit["visitor_ids"]) == ("planned", "37401", ["E101", "E102"])
    told = (await world.told())[-1]
    assert told.payload is not None
    assert (told.type, told.key, told.payload.pop("customer_id")) == (
        "visit.planned.v1",
        visit["id"],
        visit["customer_id"],
    )
    assert told.payload == {
        "visit_id": visit["id"],
        "unit_code": "37401",
        "channel": "on_site",
        "direction": "inbound",
        "form": "directed",
        "scheduled_at": "2026-10-09T01:00:00Z",
        "visitors": ["E101", "E102"],
    }
    assert customer["id"] != visit["customer_id"]


async def test_a_visit_names_a_customer_and_visitors_that_the_caller_sees(world: World) -> None:
    theirs = await world.customer("37402")
    for customer_id in (theirs["id"], str(uuid4())):
        answer = await world.visitor.post("/visits", json={**PLAN, "customer_id": customer_id})
        assert pointers(answer) == [("/customer_id", "unknown_customer")]
    await made(world.stranger.post("/staff", json=member("E301", "375")))
    await world.admin.patch("/staff/E102", json={"active": False}, headers={"If-Match": "*"})
    new = {**PLAN, "customer_id": theirs["id"], "visitor_ids": ["E201", "E301", "nobody", "E102", str(uuid4())]}
    answer = await world.admin.post("/visits", json=new)
    assert pointers(answer) == [(f"/visitor_ids/{place}", "unknown_staff") for place in (1, 2, 3, 4)]


async def test_the_same_visit_again_is_answered_as_the_first_time(world: World) -> None:
    customer = await world.customer()
    new: dict[str, Any] = {**PLAN, "id": str(uuid4()), "customer_id": customer["id"], "visitor_ids": ["E101"]}
    await made(world.visitor.post("/visits", json=new))
    started = await world.act(new["id"], "start")
    await world.admin.patch("/staff/E101", json={"active": False}, headers={"If-Match": "*"})
    told = len(await world.told())
    again = await made(world.visitor.post("/visits", json={**new, "scheduled_at": "2026-10-12T01:00:00Z"}))
    assert again == started, "the same instant, and whatever happened since"
    problem(await world.visitor.post("/visits", json={**new, "channel": "phone"}), 409, "visit-taken")
    theirs = {**new, "customer_id": (await made_by_stranger(world))["id"], "visitor_ids": []}
    problem(await world.stranger.post("/visits", json=theirs), 409, "visit-taken")
    assert [told.type for told in (await world.told())[told:]] == ["customer.changed.v1"]


async def made_by_stranger(world: World) -> dict[str, Any]:
    """A customer of another company."""
    return await made(world.stranger.post("/customers", json={"name": "乙", "kind": "government", "unit_code": "375"}))


@pytest.mark.clause("7.1")
async def test_a_whole_life(world: World) -> None:
    visit = await world.visit()
    before = len(await world.told())
    for act, state, field in (
        ("arrive", "planned", "arrived_at"),
        ("start", "in_progress", "started_at"),
        ("complete", "completed", "completed_at"),
        ("archive", "archived", "archived_at"),
    ):
        world.later(minutes=10)
        visit = await world.act(visit["id"], act)
        now = world.clock.now().isoformat().replace("+00:00", "Z")
        assert (visit["state"], visit[field], visit["updated_at"]) == (state, now, now)
    assert visit == (await world.admin.get(f"/visits/{visit['id']}")).json()
    payload = {"visit_id": visit["id"], "unit_code": "37401"}
    assert (await world.told())[before:] == [
        Told(f"visit.{verb}.v1", visit["id"], {**payload, "at": visit[f"{verb}_at"]})
        for verb in ("arrived", "started", "completed", "archived")
    ]


@pytest.mark.clause("7.2.1")
async def test_that_a_visit_is_directed_no_more_a_supervisor_decides_and_says_why(world: World) -> None:
    visit = await world.visit(form="directed")
    path, supervisor = f"/visits/{visit['id']}", world.client("supervisor", unit="37401", sub="E109")
    change = {"form": "ordinary", "reason": "客户只需告知停电"}
    refused = problem(
        await world.visitor.patch(path, json=change, headers=await tag(world.visitor, path)), 403, "visit-form-decided"
    )
    assert (refused["form"], refused["clause"]) == ("directed", "7.2.1")
    without = await supervisor.patch(path, json={"form": "special"}, headers=await tag(supervisor, path))
    assert pointers(without) == [("/reason", "missing")]
    changed = (await supervisor.patch(path, json=change, headers=await tag(supervisor, path))).json()
    assert (changed["form"], changed["reason"]) == ("ordinary", None), "why it was not made is another reason"
    (line,) = (await world.admin.get("/trail", params={"thing_id": visit["id"]})).json()["items"]
    assert (line["act"], line["by"], line["reason"]) == ("visit.form_changed", "E109", change["reason"])
    back = await world.visitor.patch(path, json={"form": "directed"}, headers=await tag(world.visitor, path))
    assert back.json()["form"] == "directed", "more may always be prepared"


@pytest.mark.parametrize(("act", "state"), [("cancel", "cancelled"), ("miss", "missed")])
async def test_a_planned_visit_that_does_not_take_place(world: World, act: str, state: str) -> None:
    visit = await world.visit()
    answer = await world.visitor.post(f"/visits/{visit['id']}/{act}", json={"reason": "客户外出"})
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, state, "客户外出")
    assert answer.json()[f"{state}_at"] == NOW
    payload = {"visit_id": visit["id"], "unit_code": "37401", "at": NOW}
    assert (await world.told())[-1] == Told(f"visit.{state}.v1", visit["id"], payload), "the reason stays here"
    problem(await world.visitor.post(f"/visits/{visit['id']}/start"), 409, "visit-act-refused")
    path = f"/visits/{visit['id']}"
    change, read = {"channel": "online"}, await tag(world.visitor, path)
    problem(await world.visitor.patch(path, json=change, headers=read), 409, "visit-act-refused")


@pytest.mark.clause("7.1")
async def test_a_refused_act_names_state_and_clause_and_changes_nothing(world: World) -> None:
    visit = await world.visit()
    told = len(await world.told())
    refused = problem(await world.visitor.post(f"/visits/{visit['id']}/complete"), 409, "visit-act-refused")
    assert (refused["act"], refused["state"], refused["clause"]) == ("complete", "planned", "7.1")
    await world.act(visit["id"], "start")
    for act in ("start", "cancel", "miss"):
        problem(await world.visitor.post(f"/visits/{visit['id']}/{act}"), 409, "visit-act-refused")
    assert [one.type for one in (await world.told())[told:]] == ["visit.started.v1"]


async def test_an_act_is_recorded_at_its_true_time(world: World) -> None:
    visit = await world.visit(scheduled_at="2031-01-01T09:00:00+08:00")
    path = f"/visits/{visit['id']}"
    ahead = await world.visitor.post(f"{path}/start", json={"at": "2026-10-09T10:02:01+08:00"})
    assert pointers(ahead) == [("/at", "in_the_future")]
    early = await world.visitor.post(f"{path}/start", json={"at": "2026-10-08T09:00:00+08:00"})
    assert early.json()["started_at"] == "2026-10-08T01:00:00Z", "however far from the plan"
    before = await world.visitor.post(f"{path}/complete", json={"at": "2026-10-08T08:59:59+08:00"})
    assert pointers(before) == [("/at", "before_start")]
    assert (await world.visitor.post(f"{path}/complete", json={"at": "2026-10-08T09:00:00+08:00"})).status_code == 200


async def test_a_start_by_a_clock_a_little_ahead_does_not_keep_a_visit_from_ending(world: World) -> None:
    visit = await world.visit()
    await world.visitor.post(f"/visits/{visit['id']}/start", json={"at": "2026-10-09T10:01:59+08:00"})
    ended = await world.act(visit["id"], "complete")
    assert ended["completed_at"] == ended["started_at"] == "2026-10-09T02:01:59Z"


@pytest.mark.clause("6.1.3.1")
async def test_an_arrival_is_recorded_once_even_after_the_start(world: World) -> None:
    visit = await world.visit()
    await world.act(visit["id"], "start")
    arrived = await world.visitor.post(f"/visits/{visit['id']}/arrive", json={"at": "2026-10-09T09:58:00+08:00"})
    assert (arrived.json()["state"], arrived.json()["arrived_at"]) == ("in_progress", "2026-10-09T01:58:00Z")
    again = problem(await world.visitor.post(f"/visits/{visit['id']}/arrive"), 409, "visit-already-arrived")
    assert again["arrived_at"].startswith("2026-10-09T01:58:00")
    assert (again["clause"], again["detail"]) == ("6.1.3.1", "到达只记录一次（规范 6.1.3.1）。")


@pytest.mark.clause("6.1.3.1", "8.1.4")
async def test_where_visitors_arrived_is_kept_with_consent_alone_and_told_to_nobody(world: World) -> None:
    visit = await world.visit()
    path, here = f"/visits/{visit['id']}/arrive", {"latitude": 36.651216, "longitude": 117.12}
    for consent in ({}, {"consented": False}):
        answer = await world.visitor.post(path, json={"place": here, **consent})
        assert pointers(answer) == [("/consented", "consent_required")]
    arrived = await world.visitor.post(path, json={"place": {**here, "accuracy": 12.5}, "consented": True})
    assert (arrived.status_code, arrived.json()["arrived_at"]) == (200, NOW)
    assert "36.65" not in arrived.text
    assert "36.65" not in str(await world.told())
    rows = await world.rows("SELECT visits::text AS row, arrival_place FROM visits")
    assert b"36.65" not in rows[0]["arrival_place"]
    assert "36.65" not in rows[0]["row"]
    why = {"params": {"reason": "核实到达争议"}}
    problem(await world.visitor.get(f"/visits/{visit['id']}/arrival", **why), 403, "forbidden")
    shown = await world.client("supervisor", unit="37401", sub="S1").get(f"/visits/{visit['id']}/arrival", **why)
    assert shown.json() == {"visit_id": visit["id"], "arrived_at": NOW, "place": {**here, "accuracy": 12.5}}
    (line,) = await world.rows("SELECT by, act, thing_id, reason FROM trail WHERE act = 'arrival.opened'")
    assert tuple(line) == ("S1", "arrival.opened", visit["id"], "核实到达争议")


@pytest.mark.clause("6.1.3.1", "7.2.1")
@pytest.mark.parametrize(
    ("form", "documents"), [("directed", ["usage_analysis", "solution_proposal"]), ("special", ["plan_document"])]
)
async def test_directed_and_special_visits_are_prepared_and_appointed_first(
    world: World, form: str, documents: list[str]
) -> None:
    visit = await world.visit(form=form)
    start, path = f"/visits/{visit['id']}/start", f"/visits/{visit['id']}/preparation"
    others = [{"clause": "7.2.1", "what": "kit"}, {"clause": "6.1.3.1", "what": "appointment"}]
    prepared: dict[str, str] = {}
    for place, document in enumerate(documents):
        refused = problem(await world.visitor.post(start), 409, "visit-preparation-missing")
        assert refused["missing"] == [*({"clause": "7.2.1", "what": what} for what in documents[place:]), *others]
        assert "7.2.1" in refused["detail"]
        assert "6.1.3.1" in refused["detail"]
        prepared[document] = "用能情况：\n最大需量 3200 kW"
        put = await world.visitor.put(path, json=prepared, headers=await tag(world.visitor, path))
        assert put.status_code == 200, put.text
        assert put.json()[document] == prepared[document]
    assert problem(await world.visitor.post(start), 409, "visit-preparation-missing")["missing"] == others
    await world.prepare(visit["id"], **prepared)
    assert problem(await world.visitor.post(start), 409, "visit-preparation-missing")["missing"] == others[1:]
    await world.appointed(visit["id"])
    await world.act(visit["id"], "start")
    late = await world.visitor.put(path, json={}, headers={"If-Match": "*"})
    assert problem(late, 409, "visit-act-refused")["clause"] == "7.2.1"


@pytest.mark.clause("6.1.2", "7.2.1")
async def test_the_kit_is_answered_thing_by_thing(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/preparation"
    before = (await world.visitor.get(path)).json()
    assert (before["prepared_by"], {each["ready"] for each in before["kit"]}) == (None, {None})
    assert [(each["item"], each["clause"]) for each in before["kit"] if each["device"]] == [
        ("handheld", "6.1.2"),
        ("recorder", "6.1.2"),
    ]
    answers = [{"item": "recorder", "ready": "no", "note": "电池故障，已报修"}, {"item": "handheld", "ready": "yes"}]
    put = await world.visitor.put(path, json={"kit": answers}, headers=await tag(world.visitor, path))
    assert put.json() == (await world.visitor.get(path)).json()
    assert (put.json()["prepared_at"], put.json()["prepared_by"]) == (NOW, "E101")
    shown = {each["item"]: (each["ready"], each["note"]) for each in put.json()["kit"]}
    assert (shown["recorder"], shown["handheld"]) == (("no", "电池故障，已报修"), ("yes", None))
    assert shown["materials"] == (None, None)
    wrong = [
        {"item": "account", "ready": "yes"},
        {"item": "handheld", "ready": "no"},
        {"item": "handheld", "ready": "yes"},
    ]
    answer = await world.visitor.put(path, json={"kit": wrong}, headers={"If-Match": "*"})
    assert pointers(answer) == [
        ("/kit/0/item", "unknown_item"),
        ("/kit/1/note", "note_required"),
        ("/kit/2/item", "unknown_item"),
    ]


@pytest.mark.clause("6.2.1", "7.2.1")
async def test_ordinary_and_inbound_visits_start_unprepared(world: World) -> None:
    for fields in ({}, {"direction": "inbound", "channel": "phone"}):
        visit = await world.visit(**fields)
        assert (await world.act(visit["id"], "start"))["state"] == "in_progress"
        async with world.runtime.db.transaction() as tx:
            missing = await unmet(tx, world.runtime, await find(tx, visit["id"]))
        asked = ["kit", "appointment", "arrival"]
        assert [each.what for each in missing] == ([] if fields else asked), "and the archive asks why"


async def find(tx: AsyncSession, id: str) -> Visit:
    """The visit itself."""
    visit = await tx.get(Visit, UUID(id))
    assert visit is not None
    return visit


async def test_a_visit_is_made_by_people_of_its_unit_and_of_those_above_and_below(world: World) -> None:
    await made(world.admin.post("/units", json={"code": "3740101", "name": "台区班", "parent_code": "37401"}))
    for staff_no, unit_code in (("E010", "374"), ("E111", "3740101")):
        await made(world.admin.post("/staff", json=member(staff_no, unit_code)))
    customer = await world.customer()
    new = {**PLAN, "customer_id": customer["id"], "visitor_ids": ["E010", "E101", "E201", "E111"]}
    assert pointers(await world.admin.post("/visits", json=new)) == [("/visitor_ids/2", "unknown_staff")]
    visit = await made(world.visitor.post("/visits", json={**new, "visitor_ids": ["E010", "E101", "E111"]}))
    assert visit["visitor_ids"] == ["E010", "E101", "E111"], "also such as the caller does not see"


async def test_a_visit_is_handed_over_with_its_reason(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    path = f"/visits/{visit['id']}/hand-over"
    await world.act(visit["id"], "start")
    handed = await world.visitor.post(path, json={"visitor_ids": ["E102"], "reason": "临时抢修"})
    assert (handed.status_code, handed.json()["visitor_ids"]) == (200, ["E102"])
    told = (await world.told())[-1]
    assert told.payload is not None
    assert (told.type, told.payload["visitors"]) == ("visit.replanned.v1", ["E102"])
    (kept,) = (await world.visitor.get(f"{path}s")).json()["items"]
    assert (kept["from_visitors"], kept["to_visitors"], kept["reason"]) == (["E101"], ["E102"], "临时抢修")
    assert (kept["at"], kept["recorded_by"]) == (NOW, "E101")
    refused = await world.visitor.post(path, json={"visitor_ids": ["E201"], "reason": "支援"})
    assert pointers(refused) == [("/visitor_ids/0", "unknown_staff")]
    async with world.runtime.db.transaction() as tx:
        record = await on_record(tx, world.runtime, await find(tx, visit["id"]))
    assert [each["to_visitors"] for each in record["hand_overs"]] == [["E102"]]
    await world.act(visit["id"], "complete")
    over = await world.visitor.post(path, json={"visitor_ids": ["E101"], "reason": "晚了"})
    problem(over, 409, "visit-act-refused")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.rows("UPDATE visit_hand_overs SET reason = ''")


async def test_a_preparation_is_overwritten_only_as_it_was_read(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/preparation"
    nothing = await tag(world.visitor, path)
    problem(await world.visitor.put(path, json={}), 428, "precondition-required")
    assert (await world.visitor.put(path, json={"plan_document": "甲"}, headers=nothing)).status_code == 200
    problem(await world.visitor.put(path, json={"plan_document": "乙"}, headers=nothing), 412, "precondition-failed")


async def test_a_plan_changes_until_the_visit_begins(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}"
    read = await tag(world.visitor, path)
    change = {"scheduled_at": "2026-10-13T09:00:00+08:00", "channel": "online", "visitor_ids": ["E102"]}
    changed = (await world.visitor.patch(path, json=change, headers=read)).json()
    assert (changed["scheduled_at"], changed["channel"], changed["visitor_ids"]) == (
        "2026-10-13T01:00:00Z",
        "online",
        ["E102"],
    )
    told = (await world.told())[-1]
    assert told.payload is not None
    assert (told.type, told.payload["visitors"]) == ("visit.replanned.v1", ["E102"])
    problem(await world.visitor.patch(path, json=change, headers=read), 412, "precondition-failed")
    problem(await world.visitor.patch(path, json=change), 428, "precondition-required")
    await world.act(visit["id"], "start")
    problem(await world.visitor.patch(path, json=change, headers={"If-Match": "*"}), 409, "visit-act-refused")


async def test_visits_are_listed_by_time_and_filtered(world: World) -> None:
    later = await world.visit(scheduled_at="2026-10-11T09:00:00+08:00")
    sooner = await world.visit("37402", scheduled_at="2026-10-10T09:00:00+08:00")
    await world.act(later["id"], "start")
    expected = {
        (): [sooner, later],
        (("state", "in_progress"),): [later],
        (("unit_code", "37402"),): [sooner],
        (("customer_id", later["customer_id"]),): [later],
        (("updated_since", "2026-10-09T10:00:00+08:00"),): [sooner, later],
        (("updated_since", "2026-10-09T10:00:01+08:00"),): [],
    }
    for params, visits in expected.items():
        found = (await world.admin.get("/visits", params=list(params))).json()["items"]
        assert [visit["id"] for visit in found] == [visit["id"] for visit in visits], params
    page = (await world.admin.get("/visits", params={"limit": 1})).json()
    rest = (await world.admin.get("/visits", params={"limit": 1, "cursor": page["next"]})).json()
    assert [page["items"][0]["id"], rest["items"][0]["id"], rest["next"]] == [sooner["id"], later["id"], None]


async def test_an_auditor_reads_and_does_nothing(world: World) -> None:
    visit = await world.visit()
    auditor = world.client("auditor", unit="374")
    assert (await auditor.get(f"/visits/{visit['id']}")).status_code == 200
    problem(await auditor.post(f"/visits/{visit['id']}/start"), 403, "forbidden")
    problem(await world.client("handler", unit="374").post(f"/visits/{visit['id']}/start"), 403, "forbidden")
