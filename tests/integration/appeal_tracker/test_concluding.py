"""How what may be about those who took it comes to its end: judged, called back about and closed by somebody else."""

from typing import Any

import httpx
import pytest

from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff

HIDDEN = {"visit_id": None, "customer_id": None, "confidential": True}
NOW = instant("10-09T09:55").isoformat()
CALLED = {"at": NOW, "result": "completed", "satisfaction": 5}
JUDGED = {"finding": "unsubstantiated"}


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


async def _refused(request: Any) -> None:
    answer: httpx.Response = await request
    problem(answer, 403, "concluded-from-outside")


async def _to_call(client: httpx.AsyncClient) -> list[str]:
    return [each["id"] for each in (await got(client.get("/my-day")))["to_call_back"]]
