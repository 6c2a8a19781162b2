"""A pack is withdrawn while somebody is about to set clocks by it: nobody is told all the same."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from appeal_tracker.appeals import merging, opening
from appeal_tracker.clocks import silencing
from appeal_tracker.policies import publishing
from appeal_tracker.recalculations import worker
from appeal_tracker.recalculations.worker import Recalculating
from chassis.ids import new_id
from chassis.web.tokens import Principal
from contracts.appeals import AppealRaised
from contracts.envelope import Message
from tests.integration.appeal_tracker.desk import Desk, got, made, raised
from tests.integration.appeal_tracker.test_publishing_packs import answer
from tests.integration.appeal_tracker.test_recalculations import LATE, year_2027
from tests.integration.appeal_tracker.test_withdrawing import BY_ITSELF, LADDER, ONCE, of_the_answer, withdraw
from tests.support.eventually import eventually


@pytest.fixture
async def own(desk: Desk) -> None:
    """37401 goes by a pack of its own."""
    await desk.publish(id="own", extends="state-grid", appeals=answer("5 working days"))
    await desk.assign("37401", "own")


async def armed(desk: Desk, case: str) -> list[tuple[str, str]]:
    """What is left to be told of an appeal."""
    its = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    left = [timer for each in its for timer in each["timers"] if timer["state"] in ("pending", "held")]
    return [(timer["step"], timer["state"]) for timer in left if timer["phase"] != "due" or timer["tell"]]


async def job(desk: Desk) -> tuple[str, Recalculating]:
    """An appeal of the pack, and a job that is about to bring it to another calendar."""
    desk.clock.set(LATE)
    case = await desk.raised(received_at=LATE)
    assert await armed(desk, case)
    await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    its = Recalculating(desk.runtime)
    assert await its.run_once()
    assert its._turn is not None, "it has read the rules"
    return case, its


@pytest.mark.usefixtures("own")
async def test_before_a_batch_of_a_job_that_read_the_rules_already(desk: Desk) -> None:
    case, its = await job(desk)
    await withdraw(desk)
    while await its.run_once():
        pass
    await its.close()
    (done,) = (await desk.admin.get("/recalculations")).json()["items"]
    assert (done["state"], done["moved"]) == ("done", 1)
    assert await armed(desk, case) == []


@pytest.mark.usefixtures("own")
async def test_in_the_middle_of_a_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, its = await job(desk)
    written, go_on, write_seen = asyncio.Event(), asyncio.Event(), worker.write_seen

    async def slowly(*args: Any) -> Any:
        counts = await write_seen(*args)
        written.set()
        await go_on.wait()
        return counts

    monkeypatch.setattr(worker, "write_seen", slowly)
    batch = asyncio.create_task(its.run_once())
    await written.wait()
    withdrawing = asyncio.create_task(withdraw(desk))

    async def waits() -> bool:
        return bool(await desk.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))

    await eventually(waits)
    go_on.set()
    await asyncio.gather(batch, withdrawing)
    assert await armed(desk, case) == []
    while await its.run_once():
        pass
    await its.close()
    assert await armed(desk, case) == []


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("begun", [False, True])
async def test_a_pack_that_a_job_was_to_bring_appeals_to(desk: Desk, *, begun: bool) -> None:
    """They would be silent under it: the job ends, and they stay where somebody is told of them."""
    case = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    before = await armed(desk, case)
    its = {"cause": "policy_version", "policy": "t-sdpea", "to": "own"}
    asked = await made(desk.admin.post("/recalculations", json=its))
    working = Recalculating(desk.runtime)
    if begun:
        assert await working.run_once()
    await withdraw(desk)
    while await working.run_once():
        pass
    await working.close()
    shown = await got(desk.admin.get(f"/recalculations/{asked['id']}"))
    assert (shown["state"], shown["moved"]) == ("failed", 0)
    assert ((await desk.appeal(case))["policy"], await armed(desk, case)) == ("t-sdpea@1", before)


async def opened_meanwhile(desk: Desk) -> str:
    """An appeal that is opened under the pack by a transaction that ends after the one that withdraws it."""
    event: AppealRaised = raised(received_at=desk.clock.now())
    message = Message(new_id(), event.type, "/visit_api", event.subject, desk.clock.now(), event, None)
    async with desk.runtime.db.transaction() as tx:
        await opening.appeals_raised(desk.runtime, tx, [message])
        await withdraw(desk)
    case = str(event.appeal_id)
    assert (await desk.appeal(case))["policy"] == "own@1"
    rows = await desk.rows("SELECT FROM timers JOIN clocks c ON c.id = clock_id WHERE c.subject_id = $1", UUID(case))
    assert len(rows) > 2, "neither of the two knew of the other"
    assert await armed(desk, case) == []
    return case


@pytest.mark.usefixtures("own")
async def test_while_an_appeal_is_opened_under_it(desk: Desk) -> None:
    case = await opened_meanwhile(desk)
    await desk.at("10-09T22:00")
    await desk.at("12-01T00:00")
    told = [(each["type"], each["milestone"], each["audience"]) for each in await desk.told(*LADDER)]
    assert told == [("deadline.breached.v1", "contact", []), ("deadline.breached.v1", "answer", [])]
    assert await armed(desk, case) == []


@pytest.mark.usefixtures("own")
async def test_while_an_appeal_is_opened_under_it_whose_breach_an_act_records(desk: Desk) -> None:
    case = await opened_meanwhile(desk)
    desk.clock.set(LATE)
    await desk.answer(case, "12-20T10:00")
    told = [(each["type"], each["milestone"], each["audience"]) for each in await desk.told(*LADDER)]
    assert sorted(told) == [("deadline.breached.v1", "answer", []), ("deadline.breached.v1", "contact", [])]


async def about_to_be_merged(desk: Desk) -> tuple[str, str]:
    """One of the floor, and one of a pack of its own, with two steps more."""
    await desk.publish(id="own", appeals={"complaint": [{**ONCE, "ladder": BY_ITSELF}]})
    await desk.assign("37402", "own")
    customer, now = new_id(), desk.clock.now()
    leader, child = [
        await desk.raised(unit_code=unit, customer_id=customer, received_at=now) for unit in ("37401", "37402")
    ]
    return leader, child


async def is_silent(desk: Desk, leader: str) -> bool:
    for number in range(9, 24):
        await desk.at(f"10-{number:02}T20:00")
    told = {(case, step) for case, step, _ in await of_the_answer(desk)}
    return told == {(leader, step) for step in ("0.5", "0.75", "-1wd", "due", "+1wd")}


async def waiting(desk: Desk) -> bool:
    return bool(await desk.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def test_while_one_of_its_appeals_is_merged_into_another(desk: Desk) -> None:
    leader, child = await about_to_be_merged(desk)
    caller = Principal("E001", "374", frozenset({"supervisor"}))
    async with desk.runtime.db.transaction() as tx:
        await merging.merge(tx, desk.runtime, caller, UUID(child), into=UUID(leader), note=None)
        withdrawing = asyncio.create_task(withdraw(desk))
        await eventually(partial(waiting, desk))
    assert (await withdrawing)["open_appeals"] == 1
    assert await is_silent(desk, leader)


async def test_one_of_its_appeals_is_merged_into_another_while_it_is_withdrawn(desk: Desk) -> None:
    leader, child = await about_to_be_merged(desk)
    caller = Principal("E009", "374", frozenset({"admin"}))
    async with desk.runtime.db.transaction() as tx:
        await publishing.withdraw(tx, desk.runtime, caller, "own", "已取代")
        await silencing.silence(tx, "own", desk.clock.now())
        acting = asyncio.create_task(desk.act(child, "merge", into=leader))
        await eventually(partial(waiting, desk))
    await acting
    assert await is_silent(desk, leader)
