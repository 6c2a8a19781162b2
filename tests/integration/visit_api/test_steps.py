"""Steps: typed contents, kept as they were first recorded; a question that waits is an appeal, exactly once."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.world import World, made, pointers, problem
from visit_api.steps import service
from visit_api.visits.models import Visit

NEEDS = {"kind": "needs", "needs": [{"category": "connection", "description": "扩建二期，增容 800 kVA"}]}
ANSWERED = {"kind": "consultation", "topic": "outages", "question": "何时送电", "answer": "今日 18 时前"}
QUESTION = {"kind": "consultation", "topic": "law", "question": "分布式光伏如何备案"}
WAITING = {**QUESTION, "reason_not_answered": "须核实当地文件"}
STRATEGY = {"kind": "strategy", "proposal": "为客户增设一台变压器", "owner": "E102", "due_on": "2026-11-30"}
CONTENTS: list[dict[str, Any]] = [
    NEEDS,
    {"kind": "needs", "needs": []},
    {"kind": "promotion", "services": [{"service": "smart_building", "interest": "high", "note": None}]},
    ANSWERED,
    {"kind": "appeals", "appeal_ids": []},
    {**STRATEGY, "outcome": {"result": "partly_done", "on": "2026-11-20", "note": "待设备到货"}},
]


async def started(world: World, **fields: Any) -> str:
    """A visit that goes on, since an hour ago."""
    visit = await world.visit(**fields)
    began = await world.admin.post(f"/visits/{visit['id']}/start", json={"at": "2026-10-09T09:00:00+08:00"})
    assert began.status_code == 200, began.text
    return str(visit["id"])


async def recorded(world: World, visit: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A step that its visitor recorded."""
    return await made(world.visitor.post(f"/visits/{visit}/steps", json={"content": content, **fields}))


async def unmet(world: World, visit_id: str) -> list[tuple[str, str]]:
    """The steps that a visit still lacks."""
    async with world.runtime.db.transaction() as tx:
        visit = await tx.get(Visit, UUID(visit_id))
        assert visit is not None
        return [(each.clause, each.what) for each in await service.unmet(tx, world.runtime, visit)]


@pytest.mark.clause("5.1", "5.3", "5.4", "7.2.4")
@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content["kind"])
async def test_a_step_is_kept_as_it_was_recorded(world: World, content: dict[str, Any]) -> None:
    visit = await started(world)
    step = await recorded(world, visit, content, at="2026-10-09T09:45:00+08:00")
    assert {**step["content"], **content} == step["content"], "what was left out is null"
    assert (step["kind"], step["recorded_by"], step["at"]) == (content["kind"], "E101", "2026-10-09T01:45:00Z")
    listed = (await world.admin.get(f"/visits/{visit}/steps")).json()["items"]
    assert listed == [step]
    async with world.runtime.db.transaction() as tx:
        its = await tx.get(Visit, UUID(visit))
        assert its is not None
        (archived,) = await service.on_record(tx, world.runtime, its)
    assert archived == step


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        ({"needs": []}, "/content/kind", "missing"),
        ({"kind": "gossip"}, "/content/kind", "literal_error"),
        ([], "/content", "model_type"),
        ({"kind": "needs", "needs": [{"category": "x"}]}, "/content/needs/0/category", "literal_error"),
        ({"kind": "promotion", "services": [{"service": "smart_building"}]}, "/content/services/0/interest", "missing"),
        ({**ANSWERED, "topic": "weather"}, "/content/topic", "literal_error"),
        ({**ANSWERED, "surprise": 1}, "/content/surprise", "extra_forbidden"),
        ({**STRATEGY, "owner": "E301"}, "/content/owner", "unknown_staff"),
        ({**STRATEGY, "outcome": {"result": "done", "on": "soon"}}, "/content/outcome/on", "day"),
        ({"kind": "appeals", "appeal_ids": [str(uuid4())]}, "/content/appeal_ids/0", "unknown_appeal"),
        ({"kind": "publicise", "materials": [str(uuid4())]}, "/content/materials/0", "unknown_material"),
        ({**ANSWERED, "reason_not_answered": "甲"}, "/content/reason_not_answered", "answered_at_once"),
    ],
)
async def test_what_a_step_cannot_hold_is_pointed_to(world: World, content: Any, pointer: str, code: str) -> None:
    visit = await started(world)
    answer = await world.visitor.post(f"/visits/{visit}/steps", json={"content": content})
    assert (pointer, code) in pointers(answer)


@pytest.mark.clause("5.4", "7.2.3")
async def test_a_question_not_answered_at_once_is_raised_with_its_step(world: World) -> None:
    visit = await started(world)
    no_reason = await world.visitor.post(f"/visits/{visit}/steps", json={"content": QUESTION})
    assert pointers(no_reason) == [("/content/reason_not_answered", "reason_required")]
    assert no_reason.json()["clause"] == "7.2.3"
    told = len(await world.told())
    step = await recorded(world, visit, WAITING, id=str(uuid4()), at="2026-10-09T09:45:00+08:00")
    (appeal,) = (await world.admin.get(f"/visits/{visit}/appeals")).json()["items"]
    assert (appeal["id"], appeal["type"], appeal["summary"]) == (step["appeal_id"], "consultation", WAITING["question"])
    assert appeal["reason_not_answered"] == WAITING["reason_not_answered"]
    assert (appeal["received_at"], appeal["raised_by"]) == ("2026-10-09T01:45:00Z", "E101")
    assert [(one.type, one.payload and one.payload["appeal_id"]) for one in (await world.told())[told:]] == [
        ("appeal.raised.v1", appeal["id"])
    ]
    # Whatever is corrected of it, what was raised stays raised, once.
    corrected = await recorded(world, visit, {**WAITING, "question": "屋顶光伏如何备案"}, supersedes=step["id"])
    assert corrected["appeal_id"] == appeal["id"]
    assert len((await world.told())[told:]) == 1


@pytest.mark.clause("7.2.3")
async def test_a_step_brought_several_times_at_once_is_one_step_and_one_appeal(world: World) -> None:
    visit = await started(world)
    new = {"id": str(uuid4()), "content": WAITING, "at": "2026-10-09T09:45:00+08:00"}
    told = len(await world.told())
    answers = await asyncio.gather(*(made(world.visitor.post(f"/visits/{visit}/steps", json=new)) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await world.told()) == told + 1
    other = {**new, "content": {**WAITING, "question": "别的问题"}}
    problem(await world.visitor.post(f"/visits/{visit}/steps", json=other), 409, "step-taken")
    elsewhere = await started(world)
    problem(await world.visitor.post(f"/visits/{elsewhere}/steps", json=new), 409, "step-taken")
    assert len([one for one in await world.told() if one.type == "appeal.raised.v1"]) == 1, "and nothing half"


async def test_a_correction_stands_beside_what_it_corrects(world: World) -> None:
    visit = await started(world)
    first = await recorded(world, visit, NEEDS)
    world.later(minutes=1)
    path = f"/visits/{visit}/steps"
    since = {"updated_since": world.clock.now().isoformat()}
    second = await recorded(world, visit, {"kind": "needs", "needs": []}, supersedes=first["id"])
    kept = (await world.admin.get(path)).json()["items"]
    assert [(one["content"], one["supersedes"], one["superseded_by"]) for one in kept] == [
        (NEEDS, None, second["id"]),
        ({"kind": "needs", "needs": []}, first["id"], None),
    ]
    assert (await world.admin.get(path, params={"current": "true", "kind": "needs"})).json()["items"] == [second]
    elsewhere = await recorded(world, await started(world), ANSWERED)
    for followed, more in ((path, []), ("/steps", [elsewhere["id"]])):
        news = (await world.admin.get(followed, params=since)).json()["items"]
        told = [first["id"], second["id"], *more]
        assert [one["id"] for one in news] == told, "whoever follows the steps hears that one counts no more"
    assert (await world.admin.get("/steps", params={"current": "true"})).json()["items"] == [second, elsewhere]
    again = await world.visitor.post(path, json={"content": NEEDS, "supersedes": first["id"]})
    assert problem(again, 409, "step-superseded")["superseded_by"] == second["id"]
    for supersedes, code in ((str(uuid4()), "unknown_step"), (second["id"], "step_of_another_kind")):
        answer = await world.visitor.post(path, json={"content": ANSWERED, "supersedes": supersedes})
        assert pointers(answer) == [("/supersedes", code)]


@pytest.mark.clause("7.1", "7.2.6")
async def test_steps_are_taken_on_the_visit_and_none_after_its_archive(world: World) -> None:
    visit = (await world.visit())["id"]
    path = f"/visits/{visit}/steps"
    refused = problem(await world.visitor.post(path, json={"content": NEEDS}), 409, "visit-act-refused")
    assert (refused["act"], refused["state"], refused["clause"]) == ("record", "planned", "7.1")
    await world.act(visit, "start")
    new = {"id": str(uuid4()), "content": NEEDS}
    step = await made(world.visitor.post(path, json=new))
    await world.act(visit, "complete")
    await recorded(world, visit, STRATEGY)
    await world.act(visit, "archive")
    problem(await world.visitor.post(path, json={"content": NEEDS}), 409, "visit-act-refused")
    late = await recorded(world, visit, ANSWERED, at="2026-10-09T09:59:59+08:00")
    assert late["at"] == "2026-10-09T01:59:59Z", "what was done before the archive is brought late, for a supplement"
    assert await made(world.visitor.post(path, json=new)) == step, "what was stored is answered as the first time"


@pytest.mark.clause("5.5", "8.1.4")
async def test_a_step_names_the_appeals_of_its_visit_and_none_that_are_hidden(world: World) -> None:
    visit = await started(world)
    appeal, secret = await world.raised(visit), await world.raised(visit, anonymous=True)
    elsewhere = await world.raised(await started(world))
    step = await recorded(world, visit, {"kind": "appeals", "appeal_ids": [appeal["id"]]})
    assert step["content"]["appeal_ids"] == [appeal["id"]]
    content = {"kind": "appeals", "appeal_ids": [appeal["id"], secret["id"], elsewhere["id"]]}
    for sub, code in (("E101", "confidential_appeal"), ("E102", "unknown_appeal")):
        visitor = world.client("visitor", unit="37401", sub=sub)
        answer = await visitor.post(f"/visits/{visit}/steps", json={"content": content})
        assert pointers(answer) == [("/content/appeal_ids/1", code), ("/content/appeal_ids/2", "unknown_appeal")]


@pytest.mark.clause("5.1", "5.2", "5.3", "5.5", "7.1", "7.2.4")
async def test_what_a_visit_lacks_is_said_by_clause(world: World) -> None:
    visit = await started(world)
    assert await unmet(world, visit) == [("5.2", "publicise"), ("5.1", "needs"), ("5.5", "appeals")]
    need = await recorded(world, visit, NEEDS)
    await recorded(world, visit, WAITING)
    assert await unmet(world, visit) == [("5.2", "publicise"), ("7.2.4", "strategy")], "what waits was raised"
    some_day = await recorded(world, visit, {**STRATEGY, "due_on": None})
    assert await unmet(world, visit) == [("5.2", "publicise"), ("7.2.4", "strategy_due_on")]
    await recorded(world, visit, STRATEGY, supersedes=some_day["id"])
    await recorded(world, visit, {"kind": "needs", "needs": []}, supersedes=need["id"])
    assert await unmet(world, visit) == [("5.2", "publicise")]
    call = await started(world, channel="phone", direction="inbound")
    await world.raised(call, anonymous=True)
    assert await unmet(world, call) == [("5.5", "appeals")], "what is hidden is told by nothing that is not asked"
    await recorded(world, call, {"kind": "appeals", "appeal_ids": []})
    assert await unmet(world, call) == []


@pytest.mark.clause("7.2.4", "7.2.6")
async def test_what_became_of_a_strategy_is_asked_once_its_day_is_past_and_recorded_also_after_the_archive(
    world: World,
) -> None:
    visit = await started(world)
    asked, done = ("7.2.4", "strategy_outcome"), {"outcome": {"result": "done", "on": "2026-12-05", "note": "已投运"}}
    step = await recorded(world, visit, STRATEGY)
    later = await recorded(world, visit, {**STRATEGY, "proposal": "加装储能", "due_on": "2026-12-31"})
    world.clock.set(datetime.fromisoformat("2026-11-30T23:59:59+08:00"))
    await world.act(visit, "complete", "archive")
    assert asked not in await unmet(world, visit)
    leaves = {"to_staff_no": "E101", "reason": "调离"}
    assert (await made(world.admin.post("/staff/E102/hand-over", json=leaves)))["strategies"] == 0
    world.later(days=9)
    assert asked in await unmet(world, visit)
    for refused in (
        {"content": {**STRATEGY, **done}},
        {"content": {**STRATEGY, **done, "proposal": "另行协商"}, "supersedes": step["id"]},
        {"content": {**STRATEGY, **done, "owner": "E101"}, "supersedes": step["id"]},
        {"content": {**STRATEGY, "due_on": "2026-12-31"}, "supersedes": step["id"]},
        {"content": STRATEGY, "supersedes": step["id"]},
        {"content": {**STRATEGY, **done}, "supersedes": str(uuid4())},
    ):
        problem(await world.visitor.post(f"/visits/{visit}/steps", json=refused), 409, "visit-act-refused")
    ended = await recorded(world, visit, {**STRATEGY, **done}, supersedes=step["id"])
    assert (ended["content"]["owner"], ended["recorded_by"]) == ("E102", "E101"), "whose it was, and who says so"
    assert asked not in await unmet(world, visit), "the other has until the end of the year"
    await world.stack.settle()
    supervisor = world.client("supervisor", unit="374", sub="E110")
    (late,) = (await supervisor.get(f"/archive/{visit}")).json()["supplements"]
    assert [each["id"] for each in late["record"]["steps"]] == [step["id"], ended["id"]]
    assert late["record"]["told"]["what"] == ["steps"]
    partly = {"outcome": {"result": "partly_done", "on": "2026-12-08", "note": None}}
    content = {**later["content"], **partly}
    first = await recorded(world, visit, content, supersedes=later["id"])
    await recorded(world, visit, {**content, **done}, supersedes=first["id"])


async def test_the_service_cannot_change_a_step(world: World) -> None:
    for statement in ("UPDATE steps SET content = '{}'", "DELETE FROM steps", "UPDATE materials SET title = ''"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)


@pytest.mark.clause("7.1")
async def test_nothing_is_done_on_a_visit_before_it_begins(world: World) -> None:
    visit = await started(world)
    path, begun_late = f"/visits/{visit}/steps", "2026-10-08T09:00:00+08:00"
    early = await world.visitor.post(path, json={"content": NEEDS, "at": "2026-10-08T08:59:59+08:00"})
    assert pointers(early) == [("/at", "before_start")]
    assert early.json()["errors"][0]["detail"] == "早于走访开始时间一天以上"
    await recorded(world, visit, NEEDS, at=begun_late)
    answers = {"answers": [{"item": "on_site.kit", "answer": "yes"}]}
    path = f"/visits/{visit}/checklist"
    early = await world.visitor.post(path, json={**answers, "at": "2026-10-07T09:00:00+08:00"})
    assert pointers(early) == [("/at", "before_start")]
    assert (await world.visitor.post(path, json={**answers, "at": begun_late})).status_code == 200


async def test_what_a_device_brings_from_before_the_beginning_is_taken_and_noted(world: World) -> None:
    visit, phone = await started(world), Phone(world, world.visitor)
    answers = [{"item": "on_site.kit", "answer": "yes"}]
    early, in_time = [
        await phone.push(
            phone.item("checklist", visit, ago=ago, answers=answers), phone.item("step", visit, ago=ago, content=NEEDS)
        )
        for ago in (2 * 86_400, 3600)
    ]
    assert [(each["outcome"], each["notes"]) for each in early] == [("stored", ["before_start"])] * 2
    assert [(each["outcome"], each["notes"]) for each in in_time] == [("stored", [])] * 2
    step = early[1]["thing_id"]
    corrected = await recorded(world, visit, {**NEEDS, "needs": []}, supersedes=step, at="2026-10-07T10:00:00+08:00")
    assert corrected["supersedes"] == step
