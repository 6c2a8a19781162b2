"""Timers fire at their moment, never early, once, whatever else goes on."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import chain

import asyncpg
import pytest

from appeal_tracker.clocks import punctuality
from appeal_tracker.clocks.punctuality import Fired
from appeal_tracker.escalation import repository
from appeal_tracker.escalation.repository import Due, Share
from appeal_tracker.escalation.worker import Escalation
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, instant, raised

LADDER = [  # of a complaint received on Friday 10-09 at 09:30
    ("10-09T21:30", "contact", "0.5", "deadline.warned.v1"),
    ("10-10T03:30", "contact", "0.75", "deadline.warned.v1"),
    ("10-10T09:30", "contact", "due", "deadline.breached.v1"),
    ("10-10T11:30", "contact", "+2h", "deadline.escalated.v1"),
    ("10-14T12:00", "answer", "0.5", "deadline.warned.v1"),
    ("10-16T06:00", "answer", "0.75", "deadline.warned.v1"),
    ("10-17T00:00", "answer", "-1wd", "deadline.warned.v1"),
    ("10-20T00:00", "answer", "due", "deadline.breached.v1"),
    ("10-21T00:00", "answer", "+1wd", "deadline.escalated.v1"),
]
STEPS = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


async def fired(desk: Desk) -> list[tuple[str, str, str]]:
    return [(event["milestone"], event["step"], event["type"]) for event in await desk.told(*STEPS)]


async def test_each_step_of_the_ladder_fires_at_its_moment_and_never_before(desk: Desk) -> None:
    await desk.raised()
    timers = await desk.rows(
        "SELECT fire_at, milestone, step FROM timers JOIN clocks ON clocks.id = clock_id ORDER BY fire_at, step"
    )
    assert {(row["fire_at"], row["milestone"], row["step"]) for row in timers} == {
        (instant(at), milestone, step) for at, milestone, step, _ in LADDER
    }
    done: list[tuple[str, str, str]] = []
    for moment in sorted({at for at, *_ in LADDER}):
        desk.clock.set(instant(moment) - timedelta(microseconds=1))
        await desk.stack.settle()
        assert await fired(desk) == done, f"early, before {moment}"
        await desk.at(moment)
        done += [(milestone, step, kind) for at, milestone, step, kind in LADDER if at == moment]
        assert sorted(await fired(desk)) == sorted(done)
    assert not any(event["late"] for event in await desk.told(*STEPS))


async def test_a_step_tells_whom_the_ladder_names_and_who_answers_for_it(desk: Desk) -> None:
    case = await desk.raised()
    await desk.supervisor.post(f"/appeals/{case}/dispatch", json={"handler": "E201", "handling_unit_code": "37402"})
    for moment in ("10-09T21:30", "10-10T03:30", "10-10T09:30", "10-10T11:30"):
        await desk.at(moment)
    told = {event["step"]: event for event in await desk.told(*STEPS)}
    assert told["0.5"]["audience"] == ["owner"]
    assert told["0.75"]["audience"] == told["due"]["audience"] == ["owner", "unit_supervisors"]
    assert told["+2h"]["audience"] == ["unit_supervisors", "parent_unit_supervisors"]
    for event in told.values():
        assert (event["subject_id"], event["subject_kind"], event["round"]) == (case, "appeal", 1)
        assert (event["owner"], event["first_contact"]) == ("E201", "E101")
        assert (event["unit_code"], event["handling_unit_code"]) == ("37401", "37402")
    entries = [entry for entry in await desk.timeline(case) if entry["kind"].startswith("deadline_")]
    assert [entry["kind"] for entry in entries] == [
        "deadline_warned",
        "deadline_warned",
        "deadline_breached",
        "deadline_escalated",
    ]


async def test_a_met_clock_is_silent(desk: Desk) -> None:
    case = await desk.raised()
    await desk.contact(case, "10-09T09:45")
    await desk.at("10-12T00:00")
    assert not await fired(desk)


async def test_after_downtime_each_step_fires_once_marked_late(desk: Desk) -> None:
    """Bug class: missed after downtime."""
    await desk.raised()
    await desk.at("11-01T00:00")  # nobody looked since the appeal was opened
    told = await desk.told(*STEPS)
    assert sorted((event["milestone"], event["step"]) for event in told) == sorted(
        (milestone, step) for _, milestone, step, _ in LADDER
    )
    assert all(event["late"] for event in told)
    await desk.at("11-02T00:00")
    assert len(await desk.told(*STEPS)) == len(told)
    # Each clock is told of in the order of its ladder, however many fell due at once.
    for milestone in ("contact", "answer"):
        steps = [event["step"] for event in told if event["milestone"] == milestone]
        assert steps == [step for _, its, step, _ in LADDER if its == milestone]


async def test_steps_that_are_late_together_are_told_of_once_by_the_highest(desk: Desk) -> None:
    """Everything stood still across a deadline and the quiet hours before it: 10-09 21:00 to 10-10 08:00."""
    case = await desk.raised()
    await desk.at("10-10T12:00")
    told = {event["step"]: event for event in await desk.told(*STEPS) if event["milestone"] == "contact"}
    assert [*told] == ["0.5", "0.75", "due", "+2h"], "each is recorded, once"
    assert all(event["late"] for event in told.values())
    assert told.pop("+2h")["audience"] == ["owner", "unit_supervisors", "parent_unit_supervisors"]
    assert {tuple(event["audience"]) for event in told.values()} == {()}
    noted = [entry["data"] for entry in await desk.timeline(case) if entry["kind"].startswith("deadline_")]
    assert [(its["step"], its["audience"]) for its in noted][:3] == [("0.5", []), ("0.75", []), ("due", [])]
    await desk.at("10-12T00:00")
    contacts = [event for event in await desk.told(*STEPS) if event["milestone"] == "contact"]
    assert len(contacts) == 4


async def test_late_steps_are_told_of_once_also_where_a_batch_ends_between_them(desk: Desk) -> None:
    await desk.hear(*(raised() for _ in range(3)))
    desk.clock.set(instant("11-01T00:00"))
    escalator = Escalation(desk.runtime)
    escalator.config.batch = 2
    while await escalator.run_once():
        pass
    told = await desk.told(*STEPS)
    assert len(told) == 3 * len(LADDER)
    loud = [event["step"] for event in told if event["audience"]]
    assert sorted(loud) == ["+1wd"] * 3 + ["+2h"] * 3


async def test_a_step_that_is_prompt_speaks_for_itself(desk: Desk) -> None:
    await desk.raised()
    await desk.at("10-10T11:30")
    told = {event["step"]: (event["audience"], event["late"]) for event in await desk.told(*STEPS)}
    assert told["+2h"] == (["unit_supervisors", "parent_unit_supervisors"], False)
    assert told["due"] == (["owner", "unit_supervisors"], True)
    assert told["0.5"] == told["0.75"] == ([], True)


@pytest.mark.clause("7.2.3")
async def test_what_was_past_before_it_was_heard_of_is_breached_at_once_and_marked(desk: Desk) -> None:
    case = await desk.raised(received_at=instant("10-08T09:00"))
    clocks = await desk.clocks(case)
    assert (clocks["contact"]["state"], clocks["contact"]["late_arrival"]) == ("breached", True)
    assert (clocks["answer"]["state"], clocks["answer"]["late_arrival"]) == ("running", False)
    told = {event["step"]: event for event in await desk.told(*STEPS)}
    assert told["due"]["late_arrival"]
    (entry,) = [entry for entry in await desk.timeline(case) if entry["kind"] == "deadline_breached"]
    assert entry["data"]["late_arrival"]
    prompt = await desk.raised()
    await desk.at("10-10T09:30")
    (breach,) = [event for event in await desk.told("deadline.breached.v1") if event["subject_id"] == prompt]
    assert not breach["late_arrival"]


async def test_what_cannot_fire_now_does_not_stand_before_what_can(desk: Desk, owner: asyncpg.Connection) -> None:
    busy = [await desk.raised(received_at=RECEIVED - timedelta(minutes=n)) for n in range(1, 8)]
    free = await desk.raised()
    desk.clock.set(instant("10-10T09:30"))
    desk.escalation.config.batch, batch = 3, desk.escalation.config.batch
    try:
        async with owner.transaction():
            await owner.execute("SELECT FROM appeals WHERE id = ANY ($1::uuid[]) FOR UPDATE", busy)
            while await desk.escalation.run_once():
                pass
            assert {event["subject_id"] for event in await desk.told("deadline.breached.v1")} == {free}
        await desk.stack.settle()
    finally:
        desk.escalation.config.batch = batch
    assert {event["subject_id"] for event in await desk.told("deadline.breached.v1")} == {*busy, free}


async def test_an_escalation_without_its_breach_stands_in_nobodys_way(desk: Desk, owner: asyncpg.Connection) -> None:
    broken = await desk.raised(received_at=RECEIVED - timedelta(hours=1))
    await owner.execute("""
        UPDATE timers SET state = 'cancelled' FROM clocks
        WHERE clocks.id = clock_id AND milestone = 'contact' AND phase <> 'after'""")
    whole = await desk.raised()
    desk.clock.set(instant("10-10T11:30"))
    escalator = Escalation(desk.runtime)
    escalator.config.batch = 1
    while await escalator.run_once():
        pass
    told = await desk.told("deadline.breached.v1", "deadline.escalated.v1")
    assert [event["subject_id"] for event in told] == [whole, whole]
    assert (await desk.clocks(broken))["contact"]["state"] == "running"


async def test_a_minute_is_prompt(desk: Desk) -> None:
    await desk.raised()
    await desk.at("10-09T21:31")
    assert {event["late"] for event in await desk.told(*STEPS)} == {False}
    await desk.at("10-10T09:31:00.000001")
    assert [event["late"] for event in await desk.told("deadline.breached.v1")] == [True]


async def test_two_escalators_never_fire_a_timer_twice(desk: Desk) -> None:
    await desk.hear(*(raised() for _ in range(60)))
    desk.clock.set(instant("11-01T00:00"))
    escalators = [Escalation(desk.runtime) for _ in range(4)]

    async def drain(escalator: Escalation) -> None:
        escalator.config.batch = 7
        while await escalator.run_once():
            pass

    await asyncio.gather(*map(drain, escalators))
    await desk.stack.settle()
    told = [(event["clock_id"], event["step"]) for event in await desk.told(*STEPS)]
    assert len(told) == len(set(told)) == 60 * len(LADDER)
    assert {row["state"] for row in await desk.rows("SELECT state FROM timers")} == {"fired"}


async def test_each_is_told_and_recorded_for_itself_however_many_are_due(desk: Desk) -> None:
    await desk.hear(*(raised() for _ in range(20)))
    await desk.at("11-01T00:00")
    told = await desk.told(*STEPS)
    assert len(told) == 20 * len(LADDER)
    by_clock: dict[str, list[str]] = {}
    for event in told:
        by_clock.setdefault(event["clock_id"], []).append(event["step"])
    ladders = [[step for _, milestone, step, _ in LADDER if milestone == each] for each in ("contact", "answer")]
    assert {tuple(steps) for steps in by_clock.values()} == {tuple(steps) for steps in ladders}
    for event in told[:: len(LADDER)]:
        entries = await desk.timeline(event["subject_id"])
        (entry,) = [
            each for each in entries if (each["data"].get("clock_id"), each["data"].get("step")) == id_of(event)
        ]
        assert entry["data"]["audience"] == event["audience"]
        assert (entry["kind"], entry["data"]["late"]) == (f"deadline_{event['type'].split('.')[1]}", True)


def id_of(event: dict[str, object]) -> tuple[object, object]:
    return event["clock_id"], event["step"]


async def test_a_backlog_is_fired_by_batches_abreast(desk: Desk) -> None:
    await desk.hear(*(raised() for _ in range(20)))
    desk.clock.set(instant("10-09T21:30"))
    escalator, fired = Escalation(desk.runtime), "SELECT count(*) AS fired FROM timers WHERE state = 'fired'"
    escalator.config.batch = 8
    counts = []
    while await escalator.run_once():
        counts += [row["fired"] for row in await desk.rows(fired)]
    assert counts == [8, 20]


async def test_what_an_act_holds_keeps_no_lane_from_the_rest_of_its_share(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    held = await desk.raised()
    await desk.hear(*(raised() for _ in range(60)))
    await desk.at("10-10T09:00")
    desk.clock.set(instant("10-10T09:30"))
    escalator, turns = Escalation(desk.runtime), 0
    escalator.config.batch = 8
    async with owner.transaction():
        await owner.execute("SELECT FROM appeals WHERE id = $1 FOR UPDATE", uuid.UUID(held))
        while await escalator.run_once():
            turns += 1
    waiting = "SELECT FROM timers WHERE state = 'pending' AND fire_at <= $1"
    assert len(await desk.rows(waiting, desk.clock.now())) == 1
    assert turns <= 3, "one lane, a batch a turn, would take nine"


async def test_all_that_fire_are_counted_by_phase_and_lateness(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[Mapping[Fired, int]] = []
    monkeypatch.setattr(punctuality, "count", batches.append)
    await desk.hear(*(raised() for _ in range(3)))
    desk.clock.set(instant("10-12T09:00"))
    await desk.hear(*(raised() for _ in range(3)))
    rows = await desk.rows("""
        SELECT phase, extract(epoch FROM fired_at - coalesce(set_at, fire_at))::float AS late
        FROM timers WHERE state = 'fired'
    """)
    (counted,) = batches
    assert counted == Counter(Fired(row["phase"], row["late"]) for row in rows)
    assert len(rows) > len(counted) > 1


async def test_each_batch_of_a_long_turn_is_progress(desk: Desk) -> None:
    await desk.raised()
    await desk.at("10-10T09:00")
    desk.clock.set(instant("10-10T09:30"))
    escalator = Escalation(desk.runtime)
    escalator._progress = 0.0
    assert await escalator.run_once()
    assert escalator._progress > 0.0


async def test_lanes_share_the_clocks_and_each_step_of_a_clock_is_in_one(desk: Desk) -> None:
    await desk.hear(*(raised() for _ in range(20)))
    now = instant("11-01T00:00")
    async with desk.runtime.db.transaction() as tx:
        due = await repository.claim(tx, RECEIVED, now, 1000, Share())
        shares = [await repository.claim(tx, RECEIVED, now, 1000, Share(number, 4)) for number in range(4)]
    assert sorted(chain(*shares), key=id_of_row) == sorted(due, key=id_of_row)
    clocks = [{row.clock_id for row in share} for share in shares]
    assert all(clocks)
    assert sum(map(len, clocks)) == len(set.union(*clocks)) == 40


def id_of_row(row: Due) -> tuple[uuid.UUID, str]:
    return row.clock_id, row.step


async def test_escalation_waits_for_nobody_and_comes_again(desk: Desk, owner: asyncpg.Connection) -> None:
    busy, free = await desk.raised(), await desk.raised()
    desk.clock.set(instant("10-10T09:30"))
    async with owner.transaction():
        await owner.execute("SELECT FROM appeals WHERE id = $1 FOR UPDATE", uuid.UUID(busy))
        await asyncio.wait_for(desk.stack.settle(), 10)
        assert {event["subject_id"] for event in await desk.told("deadline.breached.v1")} == {free}
    await desk.stack.settle()
    assert {event["subject_id"] for event in await desk.told("deadline.breached.v1")} == {busy, free}


async def test_what_is_held_nobody_else_takes_and_what_others_hold_is_told(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    one, other = uuid.UUID(await desk.raised()), uuid.UUID(await desk.raised())
    taken = "SELECT FROM appeals WHERE id = $1 FOR UPDATE NOWAIT"
    async with desk.runtime.db.transaction() as tx:
        assert await repository.hold(tx, {one}) == set()
        with pytest.raises(asyncpg.LockNotAvailableError):
            await owner.execute(taken, one)
        async with owner.transaction():
            await owner.execute(taken, other)
            assert await repository.hold(tx, {one, other}) == {other}
            assert await repository.hold(tx, {other}) == {other}
    await owner.execute(taken, one)


async def test_acts_and_escalation_at_once_leave_each_clock_either_met_or_breached(desk: Desk) -> None:
    ids = [await desk.raised() for _ in range(12)]
    desk.clock.set(instant("10-10T09:30"))
    acts = [desk.contact(case, "10-10T09:30") for case in ids]
    turns = [Escalation(desk.runtime).run_once() for _ in range(6)]
    await asyncio.gather(*acts, *turns)
    await desk.stack.settle()
    for case in ids:
        assert (await desk.clocks(case))["contact"]["state"] == "met"
    breached = {event["subject_id"] for event in await desk.told("deadline.breached.v1")}
    corrected = {event["subject_id"] for event in await desk.told("deadline.corrected.v1")}
    assert breached == corrected


async def test_a_breach_shows_in_lists_that_follow_what_changed(desk: Desk) -> None:
    case = await desk.raised()
    since = desk.clock.now().isoformat()
    page = (await desk.supervisor.get("/appeals", params={"updated_since": since})).json()
    assert [item["id"] for item in page["items"]] == [case]
    await desk.at("10-10T09:30")
    page = (await desk.supervisor.get("/appeals", params={"cursor": page["next"]})).json()
    assert [clock["state"] for item in page["items"] for clock in item["clocks"]] == ["breached", "running"]


async def test_the_claim_and_the_look_use_their_partial_index_under_a_generic_plan(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    await owner.execute("""
        INSERT INTO timers (clock_id, step, phase, tell, fire_at, state)
        SELECT gen_random_uuid(), 'due', 'due', '{}', now() + n * interval '1 second', 'fired'
        FROM generate_series(1, 20000) n""")
    await owner.execute("""
        INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy,
                            calendar, provisional, state)
        SELECT gen_random_uuid(), 'appeal', gen_random_uuid(), 1, 'answer', 'complaint', now(), now(), 't-sdpea@1',
               'cn-statutory@1', false, 'running'
        FROM generate_series(1, 20000) n""")
    await owner.execute("ANALYZE timers, clocks")
    await owner.execute("SET plan_cache_mode = force_generic_plan")
    await owner.execute(f"PREPARE claim (timestamptz, bigint, timestamptz, integer, integer) AS {repository.CLAIM}")
    await owner.execute(f"PREPARE look (timestamptz) AS {repository.NEXT_FROM}")
    for asked in (
        "EXECUTE claim (now(), 1000, now() - interval '1 day', 2, 1)",
        repository.NEXT,
        "EXECUTE look (now())",
    ):
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {asked}"))
        assert "timers_pending" in plan
        assert "Seq Scan on timers" not in plan
        assert "Seq Scan on clocks" not in plan, "what follows a clock is looked up, not gathered"


async def test_an_idle_look_finds_nothing_to_do(desk: Desk) -> None:
    await desk.raised()
    assert not await desk.escalation.run_once()
