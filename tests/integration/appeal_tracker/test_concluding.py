"""How what may be about those who took it comes to its end: judged, called back about and closed by somebody else."""

from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff, unit
from tests.integration.appeal_tracker.test_callback_links import customer

HIDDEN = {"visit_id": None, "customer_id": None, "confidential": True}
NOW = instant("10-09T09:55").isoformat()
LATER = instant("10-10T10:00").isoformat()
CALLED = {"at": NOW, "result": "completed", "satisfaction": 5}
JUDGED = {"finding": "unsubstantiated"}
# Whom it asked, and of which unit.
AS_OLDER_CODE = """
UPDATE callback_tasks SET unit_code = '37401', whose = 'acceptor', person = 'E101' WHERE appeal_id = $1
"""


@pytest.mark.clause("002 6.4.5.5", "002 6.4.5.6")
@pytest.mark.parametrize("policy", ["state-grid", "t-sdpea"])
@pytest.mark.parametrize("kind", ["complaint", "report"])
async def test_what_may_be_about_a_unit_is_not_concluded_inside_it(desk: Desk, kind: str, policy: str) -> None:
    await desk.hear(staff("E105", "37401", "handler"))
    await desk.assign("374", policy)
    its = {"appeal_type": kind, "received_at": instant("10-09T09:40")}
    secret, plain = await desk.raised(**HIDDEN, **its), await desk.raised(**its)
    inside = [
        desk.client("handler", unit="37401", sub="E105"),
        desk.client("visitor", "callback", unit="37401", sub="E101"),  # who heard it
        desk.client("supervisor", "handler", unit="37401", sub="E109"),
        desk.client("admin", unit="37401", sub="E110"),
    ]
    for insider in inside[:3]:
        await _refused(insider.post(f"/appeals/{secret}/answers", json={"at": NOW, "content": "查无此事", **JUDGED}))
    for case in (secret, plain):  # that the customer was answered is a fact
        await made(inside[0].post(f"/appeals/{case}/answers", json={"at": NOW, "content": "已答复"}))
    await _refused(inside[2].post(f"/appeals/{secret}/callback-tasks"))  # nor do they keep those outside from closing
    task = await made(desk.supervisor.post(f"/appeals/{secret}/callback-tasks"))
    for insider in inside:
        await _refused(insider.post(f"/appeals/{secret}/callbacks", json=CALLED))
        await _refused(insider.post(f"/appeals/{secret}/close", json={}))
    for insider in inside[2:]:
        await _refused(insider.post(f"/appeals/{secret}/finding", json=JUDGED))
        await _refused(insider.post(f"/appeals/{secret}/callback-links", json={}))
        plan = {"at": instant("10-10T10:00").isoformat()}
        await _refused(insider.post(f"/callback-tasks/{task['id']}/schedule", json=plan))
        assert secret not in await _to_call(insider)
    # It is asked of those above, and concluded there.
    assert (task["unit_code"], task["person"]) == ("374", None)
    assert secret in await _to_call(desk.supervisor)
    await desk.act(secret, "finding", desk.supervisor, **JUDGED)
    await made(desk.supervisor.post(f"/appeals/{secret}/callbacks", json=CALLED))
    await desk.act(secret, "close", desk.client("handler", unit="374", sub="E008"))
    # What everybody may know is concluded by whoever is at work on it.
    await desk.act(plain, "finding", inside[0], **JUDGED)
    await made(inside[2].post(f"/appeals/{plain}/callbacks", json=CALLED))
    await desk.act(plain, "close", inside[0])


@pytest.mark.clause("002 6.4.5.5", "002 6.4.5.6")
async def test_whoever_was_made_its_handler_from_outside_concludes_it_as_do_those_at_the_top(desk: Desk) -> None:
    case = await desk.raised(**HIDDEN)
    named = desk.client("handler", unit="37401", sub="E105")
    await desk.act(case, "dispatch", handler="E105")
    await desk.answer(case, "10-09T09:45")
    await desk.act(case, "finding", named, **JUDGED)
    await made(named.post(f"/appeals/{case}/callbacks", json=CALLED))
    await desk.act(case, "close", named)
    top = await desk.raised(unit_code="375", **HIDDEN)
    handler = desk.client("handler", unit="375", sub="E308")
    await made(handler.post(f"/appeals/{top}/answers", json={"at": NOW, "content": "已答复"}))
    await _refused(handler.post(f"/appeals/{top}/close", json={}))
    await desk.act(top, "close", desk.client("supervisor", unit="375", sub="E309"))


@pytest.mark.clause("002 6.4.5.5", "002 6.4.5.6")
async def test_those_above_are_told_and_have_in_their_day_what_they_have_to_conclude(desk: Desk) -> None:
    """Where no callback is due, and no handler is there for it; whoever may conclude it themselves tells nobody."""
    gone = staff("E106", "37402", "handler")
    await desk.hear(staff("E105", "37401", "handler"), gone, unit("3740101", "37401"))
    await desk.hear(staff("E109", "37401", "supervisor"))
    inside = desk.client("handler", unit="37401", sub="E105")
    secret, plain, handled, left, by_above = [
        await desk.raised(**each) for each in (HIDDEN, {}, HIDDEN, HIDDEN, HIDDEN | {"appeal_type": "report"})
    ]
    low, top = [await desk.raised(unit_code=code, **HIDDEN) for code in ("3740101", "375")]
    for case, handler in ((handled, "E105"), (left, "E106")):
        await desk.act(case, "dispatch", handler=handler)
    await desk.hear(msgspec.structs.replace(gone, active=False, version=2))
    answer = {"at": NOW, "content": "已答复"}
    for case in (secret, plain, handled, left):
        await made(inside.post(f"/appeals/{case}/answers", json=answer))
    await made(inside.post(f"/appeals/{secret}/answers", json=answer))  # again
    await made(desk.supervisor.post(f"/appeals/{by_above}/answers", json=answer))
    for case, code in ((low, "3740101"), (top, "375")):
        await made(desk.client("handler", unit=code, sub="E308").post(f"/appeals/{case}/answers", json=answer))
    told = [(each["appeal_id"], each["asked_unit_code"]) for each in await desk.told("appeal.conclusion_asked.v1")]
    assert told == [(secret, "374"), (left, "374"), (low, "37401"), (top, "375")]
    of_station = desk.client("supervisor", unit="37401", sub="E109")
    days = [await _to_conclude(each) for each in (desk.supervisor, of_station, inside)]
    assert days == [sorted([secret, left, by_above]), [low], []]
    assert await _to_conclude(desk.client("supervisor", unit="375", sub="E309")) == [top]
    await desk.act(secret, "close")
    await desk.hear(staff("E106", "37402", "handler"))
    assert await _to_conclude(desk.supervisor) == [by_above], "whoever has the number now handles the other"
    await made(desk.supervisor.post(f"/appeals/{by_above}/callback-tasks"))
    assert await _to_conclude(desk.supervisor) == [], "whom they are to call first is in their day as that"


@pytest.mark.clause("002 6.4.5.4", "002 6.4.5.6")
async def test_what_those_above_are_not_asked_to_call_about_is_theirs_to_conclude(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """Older code asked whoever heard it, who may not; and a unit goes elsewhere after others were asked."""
    of_375, moving = desk.client("supervisor", unit="375", sub="E309"), new_id()
    await desk.hear(unit("37405", "374", id=moving))
    await desk.assign("374", "state-grid")
    older, moved = await desk.raised(**HIDDEN), await desk.raised(unit_code="37405", **HIDDEN)
    for case, code in ((older, "37401"), (moved, "37405")):
        insider = desk.client("handler", unit=code, sub="E101")
        await made(insider.post(f"/appeals/{case}/answers", json={"at": NOW, "content": "已答复"}))
    assert (await _to_conclude(desk.supervisor), await _to_conclude(of_375)) == ([], [])
    await desk.stack.settle()
    await owner.execute(AS_OLDER_CODE, older)
    await desk.hear(unit("37405", "375", version=2, id=moving))
    assert (await _to_conclude(desk.supervisor), await _to_conclude(of_375)) == ([older], [moved])
    assert not {older, moved} & {*await _to_call(desk.supervisor), *await _to_call(of_375)}
    # They are asked instead once the one is met, and once they ask for the other.
    await owner.execute("UPDATE appeals SET changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1", older)
    await desk.stack.settle()
    task = await made(of_375.post(f"/appeals/{moved}/callback-tasks"))
    assert (task["unit_code"], task["person"], task["required"]) == ("375", None, True)
    told = await desk.told("appeal.callback_asked.v1")
    asked = [(each["appeal_id"], each["asked_unit_code"], each["person"]) for each in told]
    assert asked == [(older, "374", None), (moved, "374", None), (older, "374", None), (moved, "375", None)]
    assert (await _to_call(desk.supervisor), await _to_call(of_375)) == ([older], [moved])
    assert (await _to_conclude(desk.supervisor), await _to_conclude(of_375)) == ([], [])


@pytest.mark.clause("002 6.4.5.6")
async def test_those_above_are_told_that_it_is_theirs_to_conclude_once_its_handler_gave_it_back(desk: Desk) -> None:
    insider = desk.client("supervisor", unit="37401", sub="E109")
    handler = desk.client("handler", unit="37402", sub="E201")
    await desk.hear(staff("E201", "37402", "handler"))
    secret, plain, unanswered = [await desk.raised(**each) for each in (HIDDEN, {}, HIDDEN)]
    for case in (secret, plain, unanswered):
        await desk.act(case, "dispatch", insider, handler="E201")
    for case in (secret, plain):
        await made(handler.post(f"/appeals/{case}/answers", json={"at": NOW, "content": "已答复"}))
    assert await desk.told("appeal.conclusion_asked.v1") == []
    for case in (secret, plain, unanswered):
        await desk.act(case, "return", handler, reason="不属本班")
    (told,) = await desk.told("appeal.conclusion_asked.v1")
    assert (told["appeal_id"], told["asked_unit_code"]) == (secret, "374")


@pytest.mark.clause("002 6.4.5.4", "002 6.4.5.6")
async def test_a_callback_is_asked_of_those_outside_and_they_conclude_it_after_the_customers_link(desk: Desk) -> None:
    await desk.assign("374", "state-grid")
    secret, plain = await desk.raised(**HIDDEN), await desk.raised()
    for case in (secret, plain):
        await desk.answer(case, "10-09T09:45")
    asked = {each["appeal_id"]: each["asked_unit_code"] for each in await desk.told("appeal.callback_asked.v1")}
    assert asked == {secret: "374", plain: None}
    tasks = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    (task,) = [each for each in tasks if each["appeal_id"] == secret]
    await got(desk.supervisor.post(f"/callback-tasks/{task['id']}/schedule", json={"at": LATER}))
    assert [each["asked_unit_code"] for each in await desk.told("appeal.callback_scheduled.v1")] == ["374"]
    assert (await desk.told("appeal.conclusion_asked.v1"), await _to_conclude(desk.supervisor)) == ([], [])
    link = await desk.supervisor.post(f"/appeals/{secret}/callback-links", json={})
    async with customer(desk) as browser:
        await browser.post(link.headers["callback-link"], data={"satisfaction": "5"})
    (told,) = await desk.told("appeal.conclusion_asked.v1")
    assert (told["appeal_id"], told["asked_unit_code"]) == (secret, "374")
    assert await _to_conclude(desk.supervisor) == [secret]


async def _refused(request: Any) -> None:
    answer: httpx.Response = await request
    problem(answer, 403, "concluded-from-outside")


async def _to_call(client: httpx.AsyncClient) -> list[str]:
    return [each["id"] for each in (await got(client.get("/my-day")))["to_call_back"]]


async def _to_conclude(client: httpx.AsyncClient) -> list[str]:
    return [each["id"] for each in (await got(client.get("/my-day")))["to_conclude"]]
