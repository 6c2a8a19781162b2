"""What older code does not keep beside an appeal is made up for: of what was there before, and of what it still writes
while it is being replaced."""

from datetime import datetime
from uuid import UUID

import asyncpg
import pytest

from appeal_tracker.appeals import asking
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.upkeep import repository, service
from appeal_tracker.upkeep.worker import Upkeep
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, got

# As the code of the fourth revision writes them: it knows of nothing that came later.
OPENED = """
INSERT INTO appeals (id, appeal_no, customer_id, unit_code, handling_unit_code, first_contact, type, state, round,
                     received_at, recorded_at, confidential, anonymous, policy, calendar, updated_at)
VALUES ($1, 'V1', $2, '37401', '37401', 'E101', 'opinion', $3, 1, $4, $4, false, false, 'state-grid@1', 'cn-statutory',
        $4)
"""
CALLED = """
INSERT INTO callback_tasks (id, appeal_id, round, unit_code, kind, state, required, whose, opened_at, updated_at)
VALUES ($1, $2, 1, '37401', 'callback', 'done', true, 'acceptor', $3, $3)
"""


async def older(
    owner: asyncpg.Connection, state: str = "open", customer: UUID | None = None, at: datetime = RECEIVED
) -> str:
    case = new_id()
    await owner.execute(OPENED, case, customer or new_id(), state, at)
    return str(case)


async def wanted(desk: Desk) -> set[str]:
    return {str(row["appeal_id"]) for row in await desk.rows("SELECT appeal_id FROM words_wanted")}


async def test_what_older_code_left_undone_is_done_in_parts_and_once(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_FOLLOWING", repository._FOLLOWING.replace("LIMIT 500", "LIMIT 2"))
    ours = await desk.raised(appeal_type="suggestion")
    customer = new_id()
    its = [
        await older(owner, "open", customer),
        await older(owner, "answered", customer, RECEIVED.replace(hour=9, minute=40)),
        await older(owner, "closed"),
    ]
    upkeep = Upkeep(desk.runtime)
    assert await upkeep.run_once()  # and dies: who follows goes on from there
    assert len(await wanted(desk) - {ours}) == 2
    await desk.stack.settle()
    assert await wanted(desk) == {ours, *its}
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert (task["appeal_id"], task["required"], task["person"], task["state"]) == (its[1], True, "E101", "open")
    (told,) = await desk.told("appeal.callback_asked.v1")
    assert (told["appeal_id"], told["by"]) == (its[1], None)
    second = await desk.appeal(its[1])
    assert (second["repeat_of"], second["repeats"]) == (its[0], 1)
    assert [each["kind"] for each in await desk.timeline(its[1])] == ["callback_asked", "repeated"]
    assert not await upkeep.run_once()

    # One that an older process writes only now, and an act of it on what was looked at.
    await owner.execute("DELETE FROM words_wanted")  # all of them were fetched
    late = await older(owner, "open", customer, RECEIVED.replace(hour=9, minute=50))
    await owner.execute(
        "UPDATE appeals SET state = 'answered', changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1", its[0]
    )
    await desk.stack.settle()
    assert late in await wanted(desk)
    assert (await desk.appeal(late))["repeats"] == 2
    tasks = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert {each["appeal_id"] for each in tasks} == {its[0], its[1]}


async def test_one_that_commits_late_is_met_and_two_loops_do_it_once(desk: Desk, owner: asyncpg.Connection) -> None:
    slow = owner.transaction()
    await slow.start()
    hidden = await older(owner, "answered")
    await desk.raised()  # begun later, committed earlier
    upkeep, other = Upkeep(desk.runtime), Upkeep(desk.runtime)
    assert not await upkeep.run_once()
    await slow.commit()
    looks = [await look(desk), await look(desk)]  # before either of them acts
    assert [[str(each) for each in found.unasked] for found in looks] == [[hidden]] * 2
    for found in looks:
        async with desk.runtime.db.transaction() as tx:
            await service.ask(tx, desk.runtime, found.unasked[0])
    assert await upkeep.run_once()
    await desk.stack.settle()
    assert not await other.run_once()
    assert len(await desk.told("appeal.callback_asked.v1")) == 1


async def test_what_was_closed_since_it_was_looked_at_is_linked_to_nothing(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    customer = new_id()
    await older(owner, "open", customer)
    case = await older(owner, "open", customer, RECEIVED.replace(hour=9, minute=40))
    found = await look(desk)
    assert [str(each) for each, _ in found.returned] == [case]
    await desk.act(case, "void", reason="重复登记")
    async with desk.runtime.db.transaction() as tx:
        await service.link(tx, desk.runtime, *found.returned[0])
    assert (await desk.appeal(case))["repeat_of"] is None
    assert await desk.told("appeal.repeated.v1") == []


async def test_what_was_asked_for_in_another_round_ends_and_one_that_fails_stops_no_other(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale, bad, good = [await older(owner, "answered") for _ in range(3)]
    await desk.stack.settle()
    # Reopened and answered by code that knew of no tasks, and so left the one of the first round open.
    again = "UPDATE appeals SET round = 2, changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1"
    await owner.execute(again, stale)
    await desk.stack.settle()
    tasks = (await got(desk.supervisor.get("/callback-tasks", params={"state": "open"})))["items"]
    assert {each["appeal_id"] for each in tasks} == {stale, bad, good}
    assert {each["state"] for each in (await got(desk.supervisor.get("/callback-tasks")))["items"]} > {"cancelled"}

    required = asking.required

    async def broken(deed: Deed, case: Case) -> None:
        assert str(case.appeal.id) != bad, "as a row would that nobody thought of"
        await required(deed, case)

    monkeypatch.setattr(asking, "required", broken)
    for case in (bad, good):
        await owner.execute(again, case)
    await desk.stack.settle()
    tasks = await desk.rows("SELECT appeal_id FROM callback_tasks WHERE round = 2")
    assert {str(each["appeal_id"]) for each in tasks} == {stale, good}
    await owner.execute(again.replace("round = 2", "policy = 'gone@1'"), bad)
    late = await older(owner, "answered")
    await desk.stack.settle()
    assert await desk.rows("SELECT FROM callback_tasks WHERE appeal_id = $1", UUID(late)), "beside one without rules"
    assert not await Upkeep(desk.runtime).run_once(), "it went on"


@pytest.mark.clause("002 6.4.5.4")
@pytest.mark.parametrize("leading", ["answered", "called_back"])
async def test_whatever_speaks_for_one_that_is_to_be_called_about_is_asked_for(
    desk: Desk, owner: asyncpg.Connection, leading: str
) -> None:
    leader, child = await older(owner, leading), await older(owner, "answered")
    await owner.execute("UPDATE appeals SET type = 'suggestion' WHERE id = $1", leader)
    await owner.execute("UPDATE appeals SET merged_into = $2 WHERE id = $1", child, leader)
    if leading == "called_back":
        await owner.execute(CALLED, new_id(), leader, RECEIVED)
    await desk.stack.settle()
    (task,) = (await got(desk.supervisor.get("/callback-tasks", params={"state": "open"})))["items"]
    assert (task["appeal_id"], task["required"]) == (leader, True)


@pytest.mark.clause("002 6.4.5.4")
async def test_nobody_is_to_call_those_without_a_name_as_older_code_had_it(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    timed = [{"milestone": "callback", "within": "2 working days", "clause": "1"}]
    await desk.publish(id="soon", extends="state-grid", title="企标", appeals={"complaint": timed})
    await desk.assign("37401", "soon")
    met, other = [await desk.raised(received_at=desk.clock.now()) for _ in range(2)]
    desk.later(hours=1)
    for case in (met, other):
        await desk.answer(case, "10-09T10:30")
    await owner.execute("UPDATE callback_tasks SET asked_by = 'E001', required = false")
    nameless = "UPDATE appeals SET anonymous = true WHERE id = $1"
    await owner.execute(nameless, other)
    await desk.act(other, "close", desk.client("handler", unit="374", sub="E008"))  # though it was not met yet
    await owner.execute(nameless.replace("WHERE", ", changed_xid = pg_current_xact_id()::text::bigint WHERE"), met)
    await desk.stack.settle()
    assert (await desk.clocks(met))["callback"]["state"] == "cancelled"
    tasks = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert [each["state"] for each in tasks] == ["cancelled"] * 2


async def look(desk: Desk) -> service.Found:
    async with desk.runtime.db.transaction() as tx:
        found = await service.look(tx)
    assert found is not None
    return found
