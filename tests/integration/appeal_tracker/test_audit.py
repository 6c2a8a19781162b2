"""The self-audit finds what is broken on purpose, tells it once, and knows when it is well again."""

import asyncio
import copy
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from appeal_tracker.audit import recounting, repository, service
from appeal_tracker.audit.invariants import Invariant
from appeal_tracker.audit.worker import SelfAudit
from appeal_tracker.clocks import recalculation
from appeal_tracker.clocks.models import RecordedHold
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.worker import breathing
from contracts.visits import VisitCompleted, VisitStarted
from tests.integration.appeal_tracker.desk import Desk, got, instant, problem, unit
from tests.integration.appeal_tracker.test_visits import ARCHIVE, Round

FAILED = "invariant.failed.v1"
LARGE = ["appeals", "visits", "clocks", "timers", "timeline"]


async def look(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """What is found now, by invariant; only what does not hold."""
    shown = await got(desk.admin.post("/invariants", json={}))
    assert [each["name"] for each in shown["items"]] == [*Invariant]
    for each in shown["items"]:
        assert each["failures"] == len(each["findings"])
    return {each["name"]: each["findings"] for each in shown["items"] if each["failures"]}


def watching(desk: Desk, **settings: float) -> Runtime:
    """The service's runtime as it is where it watches itself."""
    runtime = copy.copy(desk.runtime)
    runtime.settings = runtime.settings.model_copy(update=settings)
    return runtime


async def earlier(owner: asyncpg.Connection, minutes: int) -> None:
    """Has the last look have been so long ago."""
    await owner.execute("UPDATE audit_walks SET looked_at = looked_at - $1 * interval '1 minute'", minutes)


async def lose_a_clock(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("DELETE FROM timers USING clocks WHERE clocks.id = clock_id AND milestone = 'contact'")
    await owner.execute("DELETE FROM clocks WHERE subject_id = $1 AND milestone = 'contact'", case)


async def cancel_a_clock(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("UPDATE timers SET state = 'cancelled' WHERE state = 'pending'")
    await owner.execute("UPDATE clocks SET state = 'cancelled' WHERE milestone = 'contact'")


async def move_a_deadline(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("UPDATE clocks SET due_at = due_at + interval '1 day' WHERE milestone = 'answer'")


async def breach_in_silence(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("UPDATE clocks SET state = 'breached', breached_at = due_at WHERE milestone = 'contact'")


async def correct_a_breach_nobody_knows_of(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute(
        "UPDATE clocks SET state = 'met', stopped_at = due_at, breached_at = due_at WHERE milestone = 'contact'"
    )


async def name_what_was_never_published(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("UPDATE clocks SET calendar = 'cn-statutory@99' WHERE milestone = 'answer'")


async def name_a_policy_that_does_not_time_it(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("UPDATE clocks SET appeal_type = 'report' WHERE milestone = 'answer'")


async def fire_twice(owner: asyncpg.Connection, case: UUID) -> None:
    await owner.execute("""
        INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
        SELECT appeal_id, at, recorded_at, kind, data FROM timeline WHERE kind = 'deadline_warned'""")


BREAKS = [
    (lose_a_clock, Invariant.CLOCK_MISSING, "contact"),
    (cancel_a_clock, Invariant.CLOCK_MISSING, "contact"),
    (move_a_deadline, Invariant.DEADLINE_WRONG, "answer"),
    (name_what_was_never_published, Invariant.DEADLINE_WRONG, "answer"),
    (name_a_policy_that_does_not_time_it, Invariant.DEADLINE_WRONG, "answer"),
    (breach_in_silence, Invariant.BREACH_UNTOLD, "contact"),
    (correct_a_breach_nobody_knows_of, Invariant.BREACH_UNTOLD, "contact"),
    (fire_twice, Invariant.STEP_FIRED_TWICE, "contact"),
]


@pytest.mark.parametrize(("breaks", "invariant", "milestone"), BREAKS)
async def test_what_is_broken_is_found_and_told_once(
    desk: Desk, owner: asyncpg.Connection, breaks: Any, invariant: Invariant, milestone: str
) -> None:
    case = await desk.raised()
    await desk.at("10-09T21:30")  # the first warning is out
    assert await look(desk) == {}
    await breaks(owner, UUID(case))
    for _ in range(2):
        found = await look(desk)
        assert [*found] == [invariant]
        (finding,) = found[invariant]
        assert (finding["subject_kind"], finding["subject_id"], finding["unit_code"]) == ("appeal", case, "37401")
        (told,) = await desk.told(FAILED)
        assert (told["invariant"], told["subject_id"], told["milestone"]) == (invariant, case, milestone)
        assert (told["unit_code"], told["clock_id"]) == ("37401", finding["clock_id"])


@pytest.mark.clause("003 10(2)7", "7.2.6")
async def test_a_visit_that_lost_a_clock_is_found_but_for_rules_that_came_later(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    await desk.assign("37401", "service-window")
    visit, early = Round(desk), Round(desk)
    await desk.hear(early.planned("E101"), visit.planned("E101"), visit.appointed("10-09T14:00", "10-09T15:00"))
    assert await look(desk) == {}
    desk.later(minutes=5)
    await desk.publish(**ARCHIVE, title="企标")
    await desk.assign("37401", "timely", "2026-10-09")  # what is over already is for a recalculation
    assert await look(desk) == {}
    desk.later(minutes=5)
    await desk.hear(visit.did(VisitStarted, "10-09T10:01"), visit.did(VisitCompleted, "10-09T10:02"))
    assert {each["milestone"] for each in await visit.deadlines()} == {"archive", "arrival"}
    await owner.execute("DELETE FROM timers USING clocks WHERE clocks.id = clock_id AND milestone = 'archive'")
    await owner.execute("DELETE FROM clocks WHERE subject_id = $1 AND milestone = 'archive'", visit.id)
    (finding,) = (await look(desk))[Invariant.CLOCK_MISSING]
    (told,) = await desk.told(FAILED)
    assert (finding["subject_kind"], finding["subject_id"], told["milestone"]) == ("visit", str(visit.id), "archive")
    appeal = await visit.raise_appeal()  # whose end the archive waits for now
    assert await look(desk) == {}
    await visit.close(appeal)
    assert await look(desk) == {}


async def test_a_unit_that_has_another_place_in_the_tree_raises_no_alarm_about_its_visits(desk: Desk) -> None:
    """What counts above it now is for a recalculation to bring about, or for the next that is heard of a visit."""
    await desk.hear(moving := unit("3740101", "37401"))
    await desk.assign("37402", "service-window")
    visit = Round(desk, "3740101")
    await desk.hear(visit.planned("E101"), visit.appointed("10-09T14:00", "10-09T15:00"))
    desk.later(minutes=5)
    await desk.hear(unit("3740101", "37402", version=2, id=moving.id))
    assert await look(desk) == {}
    desk.later(minutes=5)
    await desk.hear(unit("3740101", "37402", version=3, id=moving.id), visit.planned("E102"))
    assert [clock["milestone"] for clock in await visit.deadlines()] == ["arrival"]


async def test_what_is_mended_is_gone_and_told_anew_when_it_comes_back(desk: Desk, owner: asyncpg.Connection) -> None:
    case = await desk.raised()
    for _ in range(2):
        await move_a_deadline(owner, UUID(case))
        assert [*await look(desk)] == [Invariant.DEADLINE_WRONG]
        await owner.execute("UPDATE clocks SET due_at = due_at - interval '1 day' WHERE milestone = 'answer'")
        assert await look(desk) == {}
    assert len(await desk.told(FAILED)) == 2


async def test_a_deadline_that_was_wrong_is_found_though_it_was_breached_by_that(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    case = await desk.raised()
    await desk.contact(case, "10-09T09:40")
    await desk.at("10-12T08:00")
    await owner.execute("UPDATE clocks SET due_at = due_at - interval '1 day' WHERE milestone = 'answer'")
    await owner.execute(
        "UPDATE timers SET fire_at = fire_at - interval '1 day' WHERE step = 'due' AND state = 'pending'"
    )
    await desk.at("10-19T08:00")
    assert (await desk.clocks(case))["answer"]["state"] == "breached"
    (finding,) = (await look(desk))[Invariant.DEADLINE_WRONG]
    assert (finding["subject_id"], finding["place"]) == (case, "answer#1")
    await desk.answer(case, "10-19T08:00")
    assert await look(desk) == {}, "nobody waits for it any more"


async def test_no_hold_that_came_after_a_breach_makes_it_wrong(desk: Desk, owner: asyncpg.Connection) -> None:
    """Older rows name also what was breached before."""
    limits = [
        {"milestone": "contact", "within": "24 hours", "clause": "own 1", "holdable": True},
        {"milestone": "answer", "within": "10 working days", "clause": "own 2", "holdable": True},
    ]
    await desk.publish(id="patient", appeals={"report": limits})
    await desk.assign("37401", "patient")
    case = await desk.raised(appeal_type="report")
    await desk.act(case, "hold", reason="等待客户材料")
    await desk.at("10-09T14:30")
    await desk.act(case, "resume")
    await desk.at("10-12T08:00")
    assert (await desk.clocks(case))["contact"]["state"] == "breached"
    desk.later(minutes=1)
    await desk.act(case, "hold", reason="客户外出", milestones=["answer"], at="10-10T08:00")
    await owner.execute("UPDATE holds SET milestones = '{answer,contact}'")
    await desk.at("10-12T12:00")
    await desk.act(case, "resume")
    assert await look(desk) == {}


async def test_what_was_promised_together_is_asked_of_whoever_promised_it(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    customer = new_id()
    leader = await desk.raised(customer_id=customer)
    await desk.at("10-12T11:00")
    child = await desk.raised(customer_id=customer, received_at=instant("10-12T10:00"))
    await desk.act(child, "merge", into=leader)
    await desk.at("10-20T08:00")
    clocks = [(await desk.clocks(case))["answer"] for case in (leader, child)]
    assert [(clock["state"], clock["due_at"]) for clock in clocks] == [("breached", "2026-10-19T16:00:00Z")] * 2
    assert await look(desk) == {}
    await desk.act(child, "unmerge")
    assert await look(desk) == {}
    await owner.execute("UPDATE clocks SET due_at = due_at - interval '1 day' WHERE id = $1", UUID(clocks[1]["id"]))
    assert [finding["subject_id"] for finding in (await look(desk))[Invariant.DEADLINE_WRONG]] == [child]


class Unsearched(list[UUID]):
    """What is never gone through to find one."""

    def __contains__(self, one: object) -> bool:
        raise AssertionError(f"{one} is searched among all")


async def test_each_of_many_breached_is_asked_of_its_own_holds_while_others_have_their_turn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = {"milestone": "answer", "within": "10 working days", "clause": "own 2", "holdable": True}
    await desk.publish(id="patient", appeals={"report": [limit]})
    await desk.assign("37401", "patient")
    cases = [await desk.raised(appeal_type="report") for _ in range(5)]
    for case in cases:
        await desk.act(case, "hold", reason="等待客户材料")
    await desk.at("10-12T09:30")
    for case in cases:
        await desk.act(case, "resume")
    await desk.at("11-30T08:00")
    asked, turns, stops = list[tuple[UUID, int]](), 0, RecordedHold.stops

    def watched(hold: RecordedHold, *which: Any, **how: Any) -> bool:
        asked.append((hold.subject_id, turns))
        return stops(hold, *which, **how)

    async def another() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    monkeypatch.setattr(RecordedHold, "stops", watched)
    monkeypatch.setattr(recalculation, "breathing", partial(breathing, longest=-1))
    async with desk.runtime.db.transaction() as tx:
        its, breached = await repository.deadlines(tx, "appeal", [UUID(case) for case in cases])
        beside = asyncio.create_task(another())
        wrong = await recalculation.breached_astray(tx, Unsearched(breached))
        beside.cancel()
    assert (its, wrong) == ([], [])
    assert {subject for subject, _ in asked} == {UUID(case) for case in cases}
    assert len(asked) == len({turn for _, turn in asked}) == len(cases)


async def test_of_many_a_few_are_read_at_once_and_what_looks_wrong_is_held_at_once(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever held it by and by could wait for somebody who waits for them."""
    cases = {UUID(await desk.raised()) for _ in range(3)}
    await owner.execute("UPDATE clocks SET due_at = due_at + interval '1 day'")
    taken = list[int]()

    def watched(count: Any) -> Any:
        async def its(tx: Any, clocks: Any, **how: bool) -> Any:
            taken.append(len(clocks))
            return await count(tx, clocks, **how)

        return its

    monkeypatch.setattr(recounting, "AT_ONCE", 2)
    for name in ("astray", "breached_astray"):
        monkeypatch.setattr(recalculation, name, watched(getattr(recalculation, name)))
    for state, parts in (("running", [2, 2, 2, 6]), ("breached", [2, 2, 2])):
        await owner.execute("UPDATE clocks SET state = $1, breached_at = due_at", state)
        async with desk.runtime.db.transaction() as tx:
            found = await recounting.wrong_deadlines(tx, "appeal", [*cases])
        assert {(each.subject_id, each.milestone) for each in found} == {*product(cases, ("answer", "contact"))}
        assert len(found) == 6
        assert taken == parts
        taken.clear()


async def test_what_was_mended_while_it_was_looked_at_raises_no_alarm(desk: Desk, owner: asyncpg.Connection) -> None:
    """It is counted once more as it is when it is held, not as it was when it was read."""
    case = UUID(await desk.raised())
    await move_a_deadline(owner, case)
    async with desk.runtime.db.transaction() as tx:
        its, _ = await repository.deadlines(tx, "appeal", [case])
        looked = await recalculation.astray(tx, its)
        assert [clock.milestone for clock in looked] == ["answer"]
        await owner.execute("UPDATE clocks SET due_at = due_at - interval '1 day' WHERE milestone = 'answer'")
        assert await recalculation.astray(tx, its, lock=True) == []


async def test_a_timer_that_nobody_fires_is_found_after_five_minutes(desk: Desk) -> None:
    case = await desk.raised()
    for moment, found in (("10-09T21:34:59", []), ("10-09T21:35", [Invariant.TIMER_UNFIRED])):
        desk.clock.set(instant(moment))
        assert [*await look(desk)] == found
    (finding,) = (await look(desk))[Invariant.TIMER_UNFIRED]
    assert (finding["subject_id"], finding["place"].split()[1]) == (case, "0.5")
    await desk.stack.settle()  # the escalation is back
    assert await look(desk) == {}


async def test_what_arrives_late_has_five_minutes_too(desk: Desk) -> None:
    desk.clock.set(instant("10-20T10:00"))
    batch, desk.escalation.config.batch = desk.escalation.config.batch, 0
    try:
        await desk.raised()
        assert await look(desk) == {}
        desk.later(minutes=5)
        assert [*await look(desk)] == [Invariant.TIMER_UNFIRED]
    finally:
        desk.escalation.config.batch = batch


async def test_a_timer_is_found_behind_any_number_of_what_was_just_set(desk: Desk, owner: asyncpg.Connection) -> None:
    stuck = await desk.raised()
    await desk.contact(stuck, "10-09T09:40")
    desk.clock.set(instant("10-20T10:00"))
    await owner.execute(
        "WITH its AS (INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, started_at, due_at, policy,"
        " calendar, provisional, state) SELECT gen_random_uuid(), subject_kind, gen_random_uuid(), 1,"
        " milestone, started_at, due_at, policy, calendar, false, 'running' FROM clocks, generate_series(1, $2)"
        " WHERE milestone = 'answer' RETURNING id)"
        "INSERT INTO timers (clock_id, step, phase, tell, fire_at, state, set_at)"
        " SELECT id, '0.5', 'before', '{}', $1::timestamptz - interval '30 days', 'pending', $1 FROM its",
        desk.clock.now(),
        repository.MOST,
    )
    found = (await look(desk))[Invariant.TIMER_UNFIRED]
    assert {finding["subject_id"] for finding in found} == {stuck}


async def test_a_whole_life_leaves_nothing_to_find(desk: Desk) -> None:
    await desk.publish(
        id="callbacks",
        appeals={"complaint": [{"milestone": "callback", "within": "2 working days", "clause": "own 1"}]},
    )
    await desk.assign("37401", "callbacks")
    answered, breached, closed = [await desk.raised() for _ in range(3)]
    await desk.contact(answered, "10-09T09:45", "no_answer")
    await desk.answer(answered, "10-09T09:50")
    await desk.answer(closed, "10-09T09:50")
    await got(desk.first.post(f"/appeals/{closed}/close", json={}))
    assert await look(desk) == {}
    await desk.at("10-21T00:00")
    await desk.contact(breached, "10-10T08:00")
    await desk.answer(breached, "10-20T12:00")
    await desk.stack.settle()
    assert await look(desk) == {}
    states = {row["state"] for row in await desk.rows("SELECT state FROM clocks")}
    assert states == {"met", "breached", "cancelled", "running"}, "of every kind there is one"


@pytest.mark.parametrize("mode", ["new_round", "restart", "continue"])
async def test_a_reopened_appeal_is_whole(desk: Desk, mode: str) -> None:
    limits = [
        {"milestone": "contact", "within": "24 hours", "clause": "企标 1"},
        {"milestone": "answer", "within": "7 working days", "clause": "企标 2"},
    ]
    await desk.publish(id="again", reopen=mode, reopen_for=["report"], appeals={"report": limits})
    await desk.assign("37401", "again")
    prompt, late = [await desk.raised(appeal_type="report") for _ in "ab"]
    await desk.answer(prompt, "10-09T09:45")
    await desk.at("10-20T00:00")
    await desk.answer(late, "10-20T00:00")
    for case in (prompt, late):
        await got(desk.first.post(f"/appeals/{case}/close", json={}))
        await got(desk.supervisor.post(f"/appeals/{case}/reopen", json={"reason": "客户不认可"}))
        assert await look(desk) == {}
    await desk.at("10-27T00:00")
    for case in (prompt, late):
        await desk.contact(case, "10-27T00:00")
        await desk.answer(case, "10-27T00:00")
    assert await look(desk) == {}


async def test_what_is_held_and_what_is_merged_is_where_it_should_be(desk: Desk) -> None:
    limit = {"milestone": "answer", "within": "10 working days", "clause": "own 2", "holdable": True}
    await desk.publish(id="patient", appeals={"report": [limit]})
    await desk.assign("37401", "patient")
    report = await desk.raised(appeal_type="report")
    customer = new_id()
    leader = await desk.raised(customer_id=customer)
    await desk.at("10-12T11:00")
    child = await desk.raised(customer_id=customer, received_at=instant("10-12T10:00"))
    await desk.act(child, "merge", into=leader)
    await desk.act(report, "hold", reason="等待客户材料")
    assert await look(desk) == {}
    await desk.at("10-15T09:00")
    assert await look(desk) == {}
    await desk.act(report, "resume")
    assert await look(desk) == {}
    await desk.at("10-20T00:00")
    assert await look(desk) == {}


async def test_who_is_held_lacks_what_they_came_to_before(desk: Desk, owner: asyncpg.Connection) -> None:
    limits = [
        {"milestone": "answer", "within": "10 working days", "clause": "own 2", "holdable": True},
        {"milestone": "survey", "within": "3 working days", "clause": "own 3", "starts": "contacted"},
    ]
    await desk.publish(id="patient", appeals={"report": limits})
    await desk.assign("37401", "patient")
    case = await desk.raised(appeal_type="report")
    await desk.act(case, "hold", reason="等待客户材料", milestones=["answer"])
    assert await look(desk) == {}, "nobody contacted them yet"
    await desk.contact(case, "10-09T10:00")
    assert (await desk.appeal(case))["state"] == "held"
    assert await look(desk) == {}
    await owner.execute("DELETE FROM timers USING clocks WHERE clocks.id = clock_id AND milestone = 'survey'")
    await owner.execute("DELETE FROM clocks WHERE milestone = 'survey'")
    (finding,) = (await look(desk))[Invariant.CLOCK_MISSING]
    assert (finding["subject_id"], finding["place"]) == (case, "survey#1")


async def test_findings_are_for_those_above_their_unit(desk: Desk, owner: asyncpg.Connection) -> None:
    await lose_a_clock(owner, UUID(await desk.raised()))
    assert [*await look(desk)] == [Invariant.CLOCK_MISSING]
    own = desk.client("auditor", unit="37401")
    for caller, failures in ((own, 1), (desk.admin, 1), (desk.stranger, 0), (desk.client("admin", unit="37402"), 0)):
        shown = await got(caller.get("/invariants"))
        assert sum(each["failures"] for each in shown["items"]) == failures
        assert [len(each["findings"]) for each in shown["items"]] == [each["failures"] for each in shown["items"]]
        assert all(each["meaning"]["zh"] and each["meaning"]["en"] for each in shown["items"])
        assert shown["last_run"] is not None
        assert shown["complete_since"] is not None


async def test_who_may_ask(desk: Desk) -> None:
    auditor = desk.client("auditor", unit="374")
    assert (await auditor.get("/invariants")).status_code == 200
    problem(await auditor.post("/invariants", json={}), 403, "forbidden")
    problem(await desk.supervisor.get("/invariants"), 403, "forbidden")


async def test_it_goes_round_by_steps_and_begins_again(desk: Desk, owner: asyncpg.Connection) -> None:
    for _ in range(7):
        await desk.raised()
    audit = SelfAudit(watching(desk, audit_every=300))
    audit.config.subjects, audit.config.looks = 3, 2
    await owner.execute("DELETE FROM clocks WHERE milestone = 'contact'")
    assert await audit.run_once()
    assert len(await desk.told(FAILED)) == 3
    assert not await audit.run_once()
    assert len(await desk.told(FAILED)) == 6
    assert not await audit.run_once()
    assert len(await desk.told(FAILED)) == 6, "the next run is not due"
    assert (await got(desk.admin.get("/invariants")))["complete_since"] is None
    await earlier(owner, 5)
    assert not await audit.run_once(), "it came round"
    assert len(await desk.told(FAILED)) == 7
    assert (await got(desk.admin.get("/invariants")))["complete_since"] is not None
    await owner.execute("UPDATE audit_findings SET gone_at = now()")
    await earlier(owner, 5)
    assert await audit.run_once()
    assert len(await desk.told(FAILED)) == 10, "and begins again"


async def test_of_several_one_looks(desk: Desk) -> None:
    await desk.raised()
    first, second = (SelfAudit(watching(desk, audit_every=300)) for _ in range(2))
    await first.run_once()
    before = await desk.rows("SELECT * FROM audit_walks ORDER BY kind")
    await second.run_once()
    assert await desk.rows("SELECT * FROM audit_walks ORDER BY kind") == before


async def test_each_process_shows_what_is_wrong_now_whoever_looked(desk: Desk, owner: asyncpg.Connection) -> None:
    """The metrics of a process are those that its own loop set."""
    await move_a_deadline(owner, UUID(await desk.raised()))
    first, second = (SelfAudit(watching(desk, audit_every=300)) for _ in range(2))
    await first.run_once()
    shown = "invariant_failures", {"invariant": Invariant.DEADLINE_WRONG}
    assert REGISTRY.get_sample_value(*shown) == 1
    await owner.execute("UPDATE clocks SET due_at = due_at - interval '1 day' WHERE milestone = 'answer'")
    assert await look(desk) == {}, "another process looks"
    assert not await second.run_once()
    assert REGISTRY.get_sample_value(*shown) == 0


async def test_it_can_be_left_out(desk: Desk) -> None:
    await SelfAudit(watching(desk, audit_every=0)).run_once()
    assert not await desk.rows("SELECT * FROM audit_walks")


QUERIES = [
    ("next appeals", repository.next_of("appeal", 500), "gen_random_uuid()"),
    ("next visits", repository.next_of("visit", 500), "gen_random_uuid()"),
    ("missing clocks", repository.CLOCK_MISSING, "'{}', '{t-sdpea@1}', '{complaint}', '{open}', '{answer}'"),
    ("deadlines", repository.DEADLINES, "'{}', 'appeal'"),
    ("untold breaches", repository.BREACH_UNTOLD, "'{}', 'appeal'"),
    ("doubled steps", repository.STEP_FIRED_TWICE, "'{}'"),
    ("unfired timers", repository.TIMER_UNFIRED, "now()"),
    ("failing recalculations", repository.RECALCULATION_FAILING, ""),
]


async def test_among_many_everything_is_found_by_an_index(desk: Desk, owner: asyncpg.Connection, many: None) -> None:
    """By the plan of each query, and by what a whole look reads."""
    await owner.execute("SET plan_cache_mode = force_generic_plan")
    for number, (name, sql, values) in enumerate(QUERIES):
        await owner.execute(f"PREPARE audit_{number} AS {sql}")
        plan = "\n".join(
            row[0] for row in await owner.fetch(f"EXPLAIN EXECUTE audit_{number} {values and f'({values})'}")
        )
        for table in LARGE:
            assert f"Seq Scan on {table}" not in plan, (name, plan)
    scans = text("SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname = ANY (:tables)")
    async with desk.runtime.db.transaction() as tx:
        before = {row[0]: row[1] for row in await tx.execute(scans, {"tables": LARGE})}
        its = await service.look(tx, desk.runtime, 50)
        after = {row[0]: row[1] for row in await tx.execute(scans, {"tables": LARGE})}
    assert its is not None
    assert {finding.invariant for finding in its.found} == {Invariant.DEADLINE_WRONG}
    assert [table for table in LARGE if after.get(table, 0) > before.get(table, 0)] == []


@pytest.fixture
async def many(desk: Desk, owner: asyncpg.Connection) -> None:
    """Tables that are worth an index."""
    await owner.execute("""
        INSERT INTO visits (id, unit_code, updated_at)
        SELECT gen_random_uuid(), 'u', now() FROM generate_series(1, 20000);
        INSERT INTO appeals (id, appeal_no, unit_code, handling_unit_code, type, state, round, received_at, recorded_at,
                             confidential, anonymous, policy, updated_at)
        SELECT gen_random_uuid(), 'V', 'u', 'u', 'complaint', 'open', 1, now(), now(), false, false, 't-sdpea@1', now()
        FROM generate_series(1, 20000);
        INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, started_at, due_at, policy, calendar,
                            provisional, state)
        SELECT gen_random_uuid(), 'appeal', id, 1, m, now(), now(), 't-sdpea@1', 'cn-statutory@1', false, 'running'
        FROM appeals, unnest('{contact,answer}'::text[]) m;
        INSERT INTO timers (clock_id, step, phase, tell, fire_at, state)
        SELECT id, 'due', 'due', '{}', now() + interval '1 day', 'pending' FROM clocks;
        INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
        SELECT id, now(), now(), 'deadline_warned', '{}' FROM appeals;
        ANALYZE""")
