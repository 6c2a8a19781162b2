"""What a record lacks: asked of an ordinary visit, demanded of others and where a unit is strict; and why it is so."""

from typing import Any

import asyncpg
import pytest

from tests.integration.visit_api.test_archive import checked, closed, ended, entries
from tests.integration.visit_api.test_attachments import PICTURE, begun, completed, put
from tests.integration.visit_api.world import World, made, pointers, problem
from tests.support.databases import everything

UNANSWERED = {"clause": "8.2.2", "what": "conduct.answered"}


async def gaps(world: World, visit: dict[str, Any]) -> dict[str, Any]:
    """What the visit lacks."""
    answer = await world.visitor.get(f"/visits/{visit['id']}/gaps")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def explained(world: World, visit: dict[str, Any], gap: dict[str, Any] = UNANSWERED, **fields: str) -> Any:
    """The answer to a supervisor who says why."""
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    new = {"clause": gap["clause"], "what": gap["what"], "reason": "设备故障，事后补记", **fields}
    return await supervisor.post(f"/visits/{visit['id']}/gaps", json=new)


@pytest.mark.clause("7.2.6")
async def test_what_an_ordinary_visit_lacks_is_archived_as_a_gap(world: World) -> None:
    visit = await ended(world)
    lacking = await gaps(world, visit)
    assert lacking["strict"] is False
    assert UNANSWERED in [{"clause": gap["clause"], "what": gap["what"]} for gap in lacking["gaps"]]
    assert {gap["demanded"] for gap in lacking["gaps"]} == {False}
    assert (await explained(world, visit)).status_code == 201
    await world.act(visit["id"], "archive")
    record = (await entries(world, visit["id"]))["record"]["record"]
    said = {gap["what"]: (gap["reason"], gap["given_by"]) for gap in record["gaps"]}
    assert len(said) == len(lacking["gaps"]) > 5
    assert said["conduct.answered"] == ("设备故障，事后补记", "E110")
    assert said["conduct.courteous"] == (None, None)


@pytest.mark.clause("7.2.6", "7.2.1")
async def test_what_a_directed_visit_lacks_is_demanded_or_has_its_reason(world: World) -> None:
    visit = await world.visit(form="special")
    await world.prepare(visit["id"], plan_document="走访方案")
    await world.appointed(visit["id"])
    await world.act(visit["id"], "start", "complete")
    refused = problem(await world.visitor.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    assert UNANSWERED in refused["missing"]
    for gap in refused["missing"]:
        assert (await explained(world, visit, gap)).status_code == 201
    await world.act(visit["id"], "archive")


@pytest.mark.clause("7.2.6")
async def test_a_unit_that_is_strict_from_a_day_on_demands_everything_of_those_below(world: World) -> None:
    before = await ended(world)
    rules = "/units/374/archive-rules"
    supervisor = world.client("supervisor", unit="374", sub="E010")
    new = {"strict": True, "reason": "年度要求", "effective_from": "2026-10-10"}
    adopted = await made(supervisor.post(rules, json=new))
    assert (adopted["adopted_by"], adopted["effective_from"]) == ("E010", "2026-10-10")
    past = await supervisor.post(rules, json={**new, "effective_from": "2026-10-08"})
    assert pointers(past) == [("/effective_from", "before_today")]
    world.later(days=1)
    strict = await ended(world)
    assert (await gaps(world, strict))["strict"] is True
    problem(await world.visitor.post(f"/visits/{strict['id']}/archive"), 409, "archive-incomplete")
    await world.act(before["id"], "archive")
    elsewhere = {"strict": True, "reason": "越权"}
    problem(await world.client("supervisor", unit="37401").post(rules, json=elsewhere), 404, "not-found")
    await made(supervisor.post(rules, json={"strict": False, "reason": "另有规定"}))
    assert (await gaps(world, strict))["strict"] is False
    assert [each["strict"] for each in (await supervisor.get(rules)).json()["items"]] == [True, False]


async def test_what_is_still_to_be_done_is_not_replaced_by_a_reason(world: World) -> None:
    visit = await world.visit()
    await world.raised(visit["id"])
    for gap in ({"clause": "7.1", "what": "visit_completed"}, {"clause": "7.2.6", "what": "appeal_closed"}):
        problem(await explained(world, visit, gap), 409, "gap-stays-open")
    for gap in ({"clause": "9.9", "what": "conduct.answered"}, {"clause": "8.2.2", "what": "nothing"}):
        assert pointers(await explained(world, visit, gap)) == [("/what", "no_such_gap")]
    problem(
        await world.visitor.post(f"/visits/{visit['id']}/gaps", json={**UNANSWERED, "reason": "x"}), 403, "forbidden"
    )


@pytest.mark.clause("7.2.6")
async def test_a_reason_that_comes_after_the_archive_is_a_supplement(world: World) -> None:
    visit = await ended(world)
    await world.act(visit["id"], "archive")
    answers = [await explained(world, visit) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    archive = await entries(world, visit["id"])
    (supplement,) = archive["supplements"]
    assert [(each["what"], each["given_by"]) for each in supplement["record"]["gaps"]] == [("conduct.answered", "E110")]
    assert [line["section"] for line in supplement["contents"]] == ["gaps"]


async def test_a_photo_that_comes_after_the_archive_is_a_supplement(world: World) -> None:
    visit = await ended(world)
    early = await begun(world, visit_id=visit["id"])
    await put(world, early, 1, PICTURE)
    await completed(world, early)
    late = await begun(world, visit_id=visit["id"])
    path = f"/visits/{visit['id']}/supplements"
    problem(await world.visitor.post(path), 409, "visit-not-archived")
    waiting = {"clause": "7.2.6", "what": f"attachment_uploaded:{late['id']}"}
    lacking = [{"clause": gap["clause"], "what": gap["what"]} for gap in (await gaps(world, visit))["gaps"]]
    assert waiting in lacking
    await world.act(visit["id"], "archive")
    problem(await world.visitor.post(path), 409, "nothing-to-supplement")
    await put(world, late, 1, PICTURE)
    await completed(world, late)
    supplement = await made(world.visitor.post(path))
    assert [each["id"] for each in supplement["record"]["attachments"]] == [late["id"]]
    problem(await world.visitor.post(path), 409, "nothing-to-supplement")
    record = (await entries(world, visit["id"]))["record"]["record"]
    assert [each["id"] for each in record["attachments"]] == [early["id"]]


@pytest.mark.clause("7.2.6", "6.2.2.3")
async def test_a_call_that_comes_after_the_archive_is_a_supplement(world: World) -> None:
    visit = await ended(world)
    its = {
        "kind": "missed_call",
        "customer_id": visit["customer_id"],
        "visit_id": visit["id"],
        "called_at": visit["completed_at"],
    }
    early = await made(world.visitor.post("/obligations", json=its))
    await world.visitor.post(f"/obligations/{early['id']}/discharge", json={"words": "已回电"})
    await world.act(visit["id"], "archive")
    path = f"/visits/{visit['id']}/supplements"
    problem(await world.visitor.post(path), 409, "nothing-to-supplement")
    late = await made(world.visitor.post("/obligations", json=its))
    supplement = await made(world.visitor.post(path))
    assert [each["id"] for each in supplement["record"]["obligations"]] == [late["id"]]


@pytest.mark.clause("004 3.4")
async def test_a_service_record_says_what_the_guide_asks_for(world: World) -> None:
    await world.admin.patch("/staff/E101", json={"post": "客户经理"}, headers={"If-Match": "*"})
    visit = await world.visit(visitor_ids=["E101"])
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "start")
    world.later(hours=1)
    await world.act(visit["id"], "complete")
    await checked(world, visit)
    no = {"item": "conduct.badge", "answer": "no", "note": "工作牌遗失"}
    await world.visitor.post(f"/visits/{visit['id']}/checklist", json={"answers": [no]})
    await world.act(visit["id"], "archive")
    record = (await entries(world, visit["id"]))["record"]["record"]["service_record"]
    assert (record["started_at"], record["ended_at"]) == ("2026-10-09T02:00:00Z", "2026-10-09T03:00:00Z")
    assert record["staff"] == [{"staff_no": "E101", "name": "员工E101", "post": "客户经理"}]
    assert [step["act"] for step in record["flow"]] == ["scheduled", "started", "completed", "archived"]
    times = {"contacted_at": None, "answered_at": None, "closed_at": "2026-10-09T02:00:00Z"}
    assert record["result"] == [{"appeal_no": appeal["appeal_no"], "outcome": "resolved", **times}]
    assert [each for each in record["anomalies"] if each["kind"] != "gap"] == [
        {"kind": "checklist", "what": "conduct.badge", "note": "工作牌遗失"}
    ]
    assert {each["what"] for each in record["anomalies"]} >= {"kit", "appointment", "arrival"}


@pytest.mark.clause("7.2.6", "004 3.4")
async def test_a_record_is_classed_kept_for_years_and_held_for_the_law(world: World) -> None:
    visit = await ended(world, channel="phone")
    await world.act(visit["id"], "archive")
    items = (await world.admin.get("/archive", params={"filed_as": "ordinary.phone"})).json()["items"]
    assert [(item["visit_id"], item["keep_until"]) for item in items] == [(visit["id"], "2031-10-09")]
    assert (await world.admin.get("/archive", params={"filed_as": "directed.phone"})).json()["items"] == []
    path = f"/archive/{visit['id']}"
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    problem(await supervisor.post(f"{path}/release", json={"reason": "误设"}), 409, "hold-unchanged")
    assert (await supervisor.post(f"{path}/hold", json={"reason": "涉诉保全"})).json()["held"] is True
    problem(await supervisor.post(f"{path}/hold", json={"reason": "再次"}), 409, "hold-unchanged")
    held = (await supervisor.get(path)).json()["hold"]
    assert (held["held"], held["reason"], held["acted_by"]) == (True, "涉诉保全", "E110")
    assert (await supervisor.post(f"{path}/release", json={"reason": "案件已结"})).status_code == 200
    assert (await supervisor.get(path)).json()["hold"]["held"] is False


@pytest.mark.clause("8.1.4", "004 4.2")
async def test_why_something_is_missing_or_held_is_nowhere_in_the_clear(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(why: str, held: str) -> None:
        """On a visit of which two things are missing, and shown wherever it is read."""
        visit = await ended(world)
        for gap in (UNANSWERED, {"clause": "7.2.1", "what": "kit"}):
            assert (await made(explained(world, visit, gap, reason=why)))["reason"] == why
        await world.act(visit["id"], "archive")
        hold = await world.admin.post(f"/archive/{visit['id']}/hold", json={"reason": held})
        archive = await entries(world, visit["id"])
        for lacking in (archive["record"]["record"], await gaps(world, visit)):
            assert [gap["reason"] for gap in lacking["gaps"] if gap["reason"]] == [why, why]
        assert hold.json()["reason"] == archive["hold"]["reason"] == held

    await said("客户住院", "与张三的诉讼")
    dumped = await everything(owner)
    assert [word for word in ("住院", "张三") if word in dumped] == []
    digests = await owner.fetch("SELECT DISTINCT said_digest FROM archive_gap_reasons")
    assert len(digests) == 2, "short words cannot be tried out against one"
    rolling = world.runtime.settings.model_copy(update={"keep_plain": True})
    monkeypatch.setattr(world.runtime, "settings", rolling)
    await said("客户外出", "与李四的诉讼")
    dumped = await everything(owner)
    assert [word for word in ("外出", "李四") if word in dumped] == ["外出", "李四"]


@pytest.mark.clause("7.2.6", "6.2.2.3")
async def test_a_call_that_is_still_owed_keeps_its_visit_from_the_archive(world: World) -> None:
    visit = await ended(world, channel="phone")
    call = {"kind": "missed_call", "called_at": "2026-10-09T09:30:00+08:00", "visit_id": visit["id"]}
    its = await made(world.visitor.post("/obligations", json={**call, "customer_id": visit["customer_id"]}))
    refused = problem(await world.visitor.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    assert refused["missing"] == [{"clause": "6.2.2.3", "what": "missed_call"}]
    problem(await explained(world, visit, refused["missing"][0]), 409, "gap-stays-open")
    await world.visitor.post(f"/obligations/{its['id']}/discharge", json={"words": "开会未听到，已致歉"})
    await world.act(visit["id"], "archive")
