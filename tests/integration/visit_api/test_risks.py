"""Appeals suggest who may be at risk (§4.4.2), and a person decides; and who audits reads the trail."""

import json
import runpy
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.ids import new_id
from contracts.appeals import AppealCalledBack, AppealClosed, AppealOpened, AppealReclassified, AppealReopened
from contracts.deadlines import DeadlineBreached, DeadlineCorrected, DeadlineEvent
from tests.integration.visit_api.world import World, made, problem
from visit_api.risks import service

pytestmark = pytest.mark.usefixtures("told_whole")


def opened(world: World, visit: dict[str, Any] | None, **fields: Any) -> AppealOpened:
    its = {
        "appeal_id": new_id(),
        "appeal_no": "VA1",
        "visit_id": None if visit is None else UUID(visit["id"]),
        "unit_code": "37401",
        "appeal_type": "complaint",
        "received_at": world.clock.now(),
        "round": 1,
        "policy": "t-sdpea@1",
        "clocks": [],
    }
    return AppealOpened(**{**its, **fields})


def act(of: AppealOpened) -> dict[str, Any]:
    its = {"appeal_id": of.appeal_id, "visit_id": of.visit_id, "unit_code": of.unit_code}
    return {**its, "round": 1, "at": of.received_at, "by": "E101"}


def breached(world: World, of: AppealOpened, milestone: str = "answer") -> DeadlineBreached:
    """The deadline of a milestone passed."""
    return DeadlineBreached(
        clock_id=new_id(),
        subject_kind="appeal",
        subject_id=of.appeal_id,
        visit_id=of.visit_id,
        unit_code="37401",
        handling_unit_code="37401",
        milestone=milestone,
        round=1,
        due_at=world.clock.now(),
        at=world.clock.now(),
        owner=None,
        first_contact=None,
        step="due",
        audience=["owner"],
        late=False,
    )


async def suggested(world: World, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.admin.get("/risk-suggestions", params=query)).json()["items"]
    return items


@pytest.mark.clause("4.4.2")
async def test_who_complains_again_is_suggested_and_a_person_decides(world: World) -> None:
    visit = await world.visit()
    first, second = opened(world, visit), opened(world, visit)
    await world.hear(first)
    assert await suggested(world) == []
    await world.hear(second)
    (its,) = await suggested(world, state="open", customer_id=visit["customer_id"])
    (reason,) = its["reasons"]
    assert (reason["signal"], reason["count"], reason["threshold"]) == ("complained", 2, 2)
    assert {*reason["appeals"]} == {str(first.appeal_id), str(second.appeal_id)}
    customer = f"/customers/{visit['customer_id']}"
    before = (await world.admin.get(customer)).json()
    assert (before["kind"], before["marks"]) == ("other.important", []), "derived is not decided"
    path = f"/risk-suggestions/{its['id']}"
    problem(await world.visitor.post(f"{path}/confirm", json={}), 403, "forbidden")
    problem(await world.stranger.post(f"{path}/confirm", json={}), 404, "not-found")
    confirmed = (await world.admin.post(f"{path}/confirm", json={"note": "已核实"})).json()
    assert (confirmed["state"], confirmed["decided_by"], confirmed["note"]) == ("confirmed", "E001", "已核实")
    after = (await world.admin.get(customer)).json()
    assert (after["kind"], after["marks"], after["version"]) == ("other.important", ["service_risk"], 2)
    problem(await world.admin.post(f"{path}/dismiss", json={"reason": "x"}), 409, "suggestion-already-decided")
    await world.hear(opened(world, visit))
    assert await suggested(world, state="open") == [], "who is known to be at risk is not suggested"
    assert "service_risk" not in str(await world.told())


@pytest.mark.clause("4.4.2")
async def test_what_was_dismissed_comes_again_only_for_something_new(world: World) -> None:
    visit = await world.visit()
    appeals = [opened(world, visit) for _ in range(3)]
    await world.hear(*appeals[:2])
    (its,) = await suggested(world)
    await world.admin.post(f"/risk-suggestions/{its['id']}/dismiss", json={"reason": "同一事由"})
    await world.hear(AppealClosed(**act(appeals[0]), outcome="resolved"))
    assert await suggested(world, state="open") == []
    await world.hear(appeals[2])
    (again,) = await suggested(world, state="open")
    assert again["reasons"][0]["count"] == 3


@pytest.mark.clause("4.4.2")
async def test_unresolved_appeals_are_a_sign_while_they_are(world: World) -> None:
    visit = await world.visit()
    opinion = opened(world, visit, appeal_type="opinion")
    breach = breached(world, opinion)
    await world.hear(opinion, breach)
    assert [reason["signal"] for reason in (await suggested(world))[0]["reasons"]] == ["overdue_appeals"]
    await world.hear(AppealClosed(**act(opinion), outcome="resolved"))
    assert [its["state"] for its in await suggested(world)] == ["lapsed"]
    await world.hear(AppealReopened(**act(opinion)))
    assert [reason["signal"] for reason in (await suggested(world, state="open"))[0]["reasons"]] == ["reopened_appeals"]


@pytest.mark.clause("4.4.2")
async def test_an_appeal_is_overdue_while_any_of_its_deadlines_is(world: World) -> None:
    complaint = opened(world, await world.visit())
    contact, answer = (breached(world, complaint, milestone=each) for each in ("contact", "answer"))
    await world.hear(complaint, contact, answer)
    for breach, states in ((contact, ["open"]), (answer, ["lapsed"])):
        its = {name: getattr(breach, name) for name in DeadlineEvent.__struct_fields__}
        await world.hear(DeadlineCorrected(**its, recorded_at=world.clock.now(), actor="E201"))
        assert [its["state"] for its in await suggested(world)] == states, breach.milestone
    await world.hear(breached(world, complaint))
    assert [its["state"] for its in await suggested(world)] == ["lapsed", "open"]
    anew = {"appeal_type": "suggestion", "old_appeal_type": "complaint", "clocks": []}
    await world.hear(AppealReclassified(**act(complaint), **anew))
    assert [its["state"] for its in await suggested(world)] == ["lapsed", "lapsed"], "it never was one"


@pytest.mark.clause("4.4.2")
async def test_a_suggestion_lapses_when_what_it_stands_for_is_long_ago(world: World) -> None:
    kept, old = await world.visit(), await world.visit()
    for visit in (kept, old):
        appeals = [opened(world, visit) for _ in range(3)]
        done = [AppealClosed(**act(each), outcome="resolved") for each in appeals if visit is old]
        await world.hear(*appeals, *done)
    assert [each["state"] for each in await suggested(world)] == ["open"] * 2
    world.later(days=90)
    await world.stack.settle(seldom=True)
    assert [each["state"] for each in await suggested(world)] == ["open"] * 2, "to the day"
    world.later(seconds=1)
    await world.stack.settle(seldom=True)
    states = {each["customer_id"]: each["state"] for each in await suggested(world)}
    assert states == {kept["customer_id"]: "open", old["customer_id"]: "lapsed"}, "what is open counts whenever it was"


@pytest.mark.clause("4.4.2")
async def test_a_callback_rated_low_is_a_sign(world: World) -> None:
    opinion = opened(world, await world.visit(), appeal_type="opinion")
    for satisfaction, expected in (("3", []), ("not_rated", []), ("2", ["dissatisfied"])):
        called = {**act(opinion), "result": "completed", "satisfaction": satisfaction}
        await world.hear(opinion, AppealCalledBack(**called))
        found = [reason["signal"] for its in await suggested(world) for reason in its["reasons"]]
        assert found == expected, satisfaction


@pytest.mark.clause("002 6.4.5.5")
async def test_a_hidden_appeal_suggests_nobody(world: World) -> None:
    visit = await world.visit()
    for of in (None, visit, visit):
        await world.hear(opened(world, of, confidential=True), opened(world, None), opened(world, of, anonymous=True))
    assert await suggested(world) == []
    assert await world.rows("SELECT 1 FROM risk_appeals") == []
    known = [opened(world, visit)]
    known.append(opened(world, visit, appeal_id=UUID((await world.raised(visit["id"], anonymous=True))["id"])))
    await world.hear(*known)  # as an older version did, which the tracker told of whom the last one is
    assert len(await world.rows("SELECT 1 FROM risk_appeals")) == len(known)
    assert await suggested(world) == []
    await world.hear(opened(world, visit))
    ((reason,),) = [each["reasons"] for each in await suggested(world)]
    assert str(known[-1].appeal_id) not in reason["appeals"]


async def test_what_an_older_version_suggested_by_hidden_appeals_is_derived_anew(
    world: World, owner: asyncpg.Connection
) -> None:
    customers = {}
    for name in ("lapses", "stands", "decided"):
        visit = await world.visit()
        raised = [await world.raised(visit["id"], anonymous=number == 2) for number in range(3)]
        await world.hear(*[opened(world, visit, appeal_id=UUID(each["id"])) for each in raised])
        customers[name] = visit["customer_id"], [each["id"] for each in raised]
    for name, (customer, ids) in customers.items():
        signs = [
            {"signal": "complained", "count": 3, "threshold": 3 if name == "lapses" else 2, "appeals": ids},
            {"signal": "reopened_appeals", "count": 1, "threshold": 1, "appeals": ids[2:]},
        ]
        signs = [{"window_days": 365, **each} for each in signs]
        state = "confirmed" if name == "decided" else "open"
        older = "UPDATE risk_suggestions SET reasons = $2, state = $3 WHERE customer_id = $1"
        await owner.execute(older, UUID(customer), json.dumps(signs), state)
    (migration,) = (Path(service.__file__).parents[1] / "migrations" / "versions").glob("*_unnamed_signs.py")
    await owner.execute(runpy.run_path(str(migration))["SIGNS"])
    for name, state, counts in (
        ("lapses", "lapsed", [3, 1]),
        ("stands", "open", [2]),
        ("decided", "confirmed", [3, 1]),
    ):
        customer, ids = customers[name]
        (its,) = await suggested(world, customer_id=customer)
        assert (its["state"], [each["count"] for each in its["reasons"]]) == (state, counts)
        assert [each["appeals"] for each in its["reasons"]] == [sorted(ids[:2]), []][: len(counts)]
    before = await owner.fetch("SELECT * FROM risk_suggestions ORDER BY id")
    await owner.execute(runpy.run_path(str(migration))["SIGNS"])
    assert await owner.fetch("SELECT * FROM risk_suggestions ORDER BY id") == before, "once"


@pytest.mark.clause("004 4.2")
async def test_who_audits_reads_who_read_what(world: World) -> None:
    customer, beside = await world.customer(phone="13812340000"), await world.customer("37402")
    contact = {"name": "王建国", "role": "duty"}
    its = await made(world.visitor.post(f"/customers/{customer['id']}/contacts", json=contact))
    for path in (f"/customers/{customer['id']}", f"/contacts/{its['id']}"):
        await world.visitor.get(f"{path}/full", params={"reason": "核对"})
    await world.admin.get(f"/customers/{beside['id']}/full", params={"reason": "核对"})

    async def lines(unit: str, **query: str) -> list[tuple[str, str, str]]:
        items = (await world.client("auditor", unit=unit).get("/trail", params=query)).json()["items"]
        return [(line["by"], line["act"], line["thing_id"]) for line in items]

    read = ("E101", "customer.opened", customer["id"]), ("E101", "contact.opened", its["id"])
    assert await lines("374") == [*read, ("E001", "customer.opened", beside["id"])]
    assert await lines("37401") == [*read]
    assert await lines("375") == []
    assert await lines("374", thing="contact") == [read[1]]
    assert await lines("374", thing_id=customer["id"]) == [read[0]]
    assert await lines("374", by="E001") == [("E001", "customer.opened", beside["id"])]
    problem(await world.client("supervisor", unit="374").get("/trail"), 403, "forbidden")
