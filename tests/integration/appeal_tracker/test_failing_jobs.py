"""A job that cannot be done fails with its reason, which is shown, and stands in nobody's way."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from appeal_tracker.audit import repository
from appeal_tracker.audit.invariants import Invariant
from appeal_tracker.recalculations import worker
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.worker import Recalculating
from appeal_tracker.simulations import preparing
from appeal_tracker.simulations.worker import Simulating
from tests.integration.appeal_tracker.desk import Desk, got, made
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_recalculations import with_day_off

PAST = {"from": "2026-10-01", "to": "2026-10-09", "policy": "state-grid"}


async def simulations(desk: Desk) -> dict[str, tuple[str, str | None, bool]]:
    """By id: its state, why it failed, and whether it has ended."""
    items = (await got(desk.admin.get("/simulations")))["items"]
    return {each["id"]: (each["state"], each["failure"], each["finished_at"] is not None) for each in items}


async def test_a_row_that_cannot_be_judged_fails_its_simulation_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.raised()
    bad = (await made(desk.admin.post("/simulations", json=PAST)))["id"]
    desk.later(seconds=1)
    good = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    def judge(*args: Any) -> Any:
        raise ValueError("an hour that is none\n[parameters: 13900000000]")

    its = Simulating(desk.runtime)
    with monkeypatch.context() as patched:
        patched.setattr("appeal_tracker.simulations.service.judge", judge)
        assert await its.run_once()
    why = "ValueError: an hour that is none"
    assert await simulations(desk) == {bad: ("failed", why, True), good: ("queued", None, False)}
    while await its.run_once():
        pass
    assert await simulations(desk) == {bad: ("failed", why, True), good: ("done", None, True)}
    assert (await got(desk.admin.get(f"/simulations/{bad}")))["failure"] == why


async def test_a_candidate_that_cannot_be_built_any_more_fails_its_simulation(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    async def build(*_: Any) -> None:
        raise LookupError

    monkeypatch.setattr(preparing, "build", build)
    await desk.stack.settle()
    assert await simulations(desk) == {asked: ("failed", "LookupError", True)}


async def test_what_is_away_fails_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    async def build(*_: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(preparing, "build", build)
        with pytest.raises(ConnectionRefusedError):
            await Simulating(desk.runtime).run_once()
    assert await simulations(desk) == {asked: ("queued", None, False)}
    await desk.stack.settle()
    assert await simulations(desk) == {asked: ("done", None, True)}


def fail(patched: pytest.MonkeyPatch) -> None:
    async def write_seen(*_: Any) -> None:
        raise ValueError("a clock that nobody set")

    patched.setattr(worker, "write_seen", write_seen)


async def recalculate(desk: Desk) -> None:
    its = Recalculating(desk.runtime)
    while await its.run_once():
        pass
    await its.close()


async def test_a_recalculation_that_was_asked_for_and_fails_says_why_and_is_not_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To bring what is open to a version may not be wanted any more when it is tried again."""
    await desk.raised()
    body = {"cause": "policy_version", "policy": "t-sdpea", "to": "state-grid"}
    job = await made(desk.admin.post("/recalculations", json=body))
    assert job["failure"] is None
    with monkeypatch.context() as patched:
        fail(patched)
        await recalculate(desk)
    shown = await got(desk.admin.get(f"/recalculations/{job['id']}"))
    assert (shown["state"], shown["failure"]) == ("failed", "ValueError: a clock that nobody set")
    assert shown["finished_at"] is not None
    assert shown["retry_at"] is None
    assert await look(desk) == {}


async def test_what_older_code_failed_is_tried_again_unless_it_was_asked_for(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """That does not say when, nor how often it has failed."""
    await desk.raised()
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=with_day_off("2026-10-13")))
    body = {"cause": "policy_version", "policy": "t-sdpea", "to": "state-grid"}
    asked = await made(desk.admin.post("/recalculations", json=body))
    await owner.execute("UPDATE recalculations SET state = 'failed', failure = 'ValueError', finished_at = now()")
    await recalculate(desk)
    states = {each["id"]: each["state"] for each in (await got(desk.admin.get("/recalculations")))["items"]}
    assert states == {published["recalculation"]["id"]: "done", asked["id"]: "failed"}


async def test_one_that_follows_from_a_calendar_is_tried_again_until_it_is_done_and_seen_until_then(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time a little later, and whatever else is asked for is done meanwhile."""
    case = await desk.raised()
    due_at = (await desk.clocks(case))["answer"]["due_at"]
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=with_day_off("2026-10-13")))
    job, pauses = published["recalculation"]["id"], list[float]()
    with monkeypatch.context() as patched:
        fail(patched)
        for _ in range(3):
            await recalculate(desk)
            (row,) = await owner.fetch("SELECT extract(epoch FROM retry_at - now()) FROM recalculations")
            pauses.append(float(row[0]))
            await recalculate(desk)  # not yet
            await owner.execute("UPDATE recalculations SET retry_at = now()")
    assert [round(pause, -1) for pause in pauses] == [30, 60, 120]
    shown = await got(desk.admin.get(f"/recalculations/{job}"))
    assert (shown["state"], shown["tries"], shown["failure"]) == ("failed", 3, "ValueError: a clock that nobody set")
    found = (await look(desk))[Invariant.RECALCULATION_FAILING]
    assert {(each["subject_kind"], each["subject_id"]) for each in found} == {("recalculation", job), ("appeal", case)}
    told = await desk.told("invariant.failed.v1")
    assert {each["invariant"] for each in told} == {"recalculation_failing"}
    assert {(each["subject_id"], each["unit_code"]) for each in told} == {(job, ""), (case, "37401")}

    await owner.execute("UPDATE recalculations SET retry_at = now() + interval '1 hour'")
    other = await made(desk.admin.post("/recalculations", json={"cause": "assignment", "unit_code": "374"}))
    await recalculate(desk)
    assert (await got(desk.admin.get(f"/recalculations/{other['id']}")))["state"] == "done"
    assert (await desk.clocks(case))["answer"]["due_at"] == due_at

    await owner.execute("UPDATE recalculations SET retry_at = now() WHERE retry_at IS NOT NULL")
    await recalculate(desk)
    shown = await got(desk.admin.get(f"/recalculations/{job}"))
    assert (shown["state"], shown["failure"], shown["retry_at"]) == ("done", None, None)
    assert (await desk.clocks(case))["answer"]["due_at"] > due_at
    assert await look(desk) == {}


async def test_what_cannot_be_recalculated_is_left_and_named_stops_nothing_else_and_is_tried_again(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """One clock of five names a pack that nobody knows."""
    cases = [await desk.raised() for _ in range(5)]
    clocks = [(await desk.clocks(case))["answer"] for case in cases]
    bad = UUID(clocks[2]["id"])
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=with_day_off("2026-10-13")))
    path = f"/recalculations/{published['recalculation']['id']}"
    await owner.execute("UPDATE clocks SET policy = 'gone@1' WHERE id = $1", bad)
    await recalculate(desk)
    job = await got(desk.admin.get(path))
    assert (job["state"], job["moved"], job["undone"], job["failure"]) == ("failed", 4, 1, "KeyError: 'gone@1'")
    assert job["retry_at"] is not None
    moved = [
        (await desk.clocks(case))["answer"]["due_at"] > its["due_at"] for case, its in zip(cases, clocks, strict=True)
    ]
    assert moved == [True, True, False, True, True]
    (left,) = (await got(desk.admin.get(f"{path}/failures")))["items"]
    assert (left["subject_id"], left["clock_id"], left["why"]) == (cases[2], str(bad), "KeyError: 'gone@1'")
    assert (await got(desk.stranger.get(f"{path}/failures")))["items"] == []
    whole, one = sorted((await look(desk))[Invariant.RECALCULATION_FAILING], key=lambda its: its["clock_id"] or "")
    assert (whole["subject_kind"], whole["subject_id"]) == ("recalculation", job["id"])
    assert (one["subject_kind"], one["subject_id"], one["clock_id"]) == ("appeal", cases[2], str(bad))
    assert one["unit_code"] == "37401"
    body = {"cause": "calendar_version", "calendar": "cn-statutory"}
    said = await got(desk.admin.post("/recalculations", json=body, params={"dry_run": "true"}))
    assert (said["total"], said["undone"], said["items"]) == (1, 1, []), "as the job would, once more"

    await owner.execute("UPDATE recalculations SET retry_at = now()")
    await recalculate(desk)
    assert (await got(desk.admin.get(path)))["tries"] == 2, "and again, and each time a little later"
    await owner.execute("UPDATE clocks SET policy = $2 WHERE id = $1", bad, clocks[2]["policy"])
    await owner.execute("UPDATE recalculations SET retry_at = now()")
    await recalculate(desk)
    job = await got(desk.admin.get(path))
    assert (job["state"], job["moved"], job["undone"], job["retry_at"]) == ("done", 5, 0, None)
    assert (await desk.clocks(cases[2]))["answer"]["due_at"] > clocks[2]["due_at"]
    assert (await got(desk.admin.get(f"{path}/failures")))["items"] == []
    (news,) = (await got(desk.admin.get(f"{path}/failures", params={"updated_since": "2026-01-01T00:00:00Z"})))["items"]
    assert news["settled_at"] is not None
    assert await look(desk) == {}


async def test_what_cannot_be_done_is_told_once_however_often_it_is_tried(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a look finds no more than some of it."""
    few = repository.RECALCULATION_FAILING.replace(f"LIMIT {repository.MOST}", "LIMIT 1")
    monkeypatch.setattr(repository, "RECALCULATION_FAILING", few)
    for _ in range(2):
        await desk.raised()
    await made(desk.admin.post("/calendars/cn-statutory/versions", json=with_day_off("2026-10-13")))
    await owner.execute("UPDATE clocks SET policy = 'gone@1' WHERE milestone = 'answer'")
    await recalculate(desk)
    (one, _) = [row[0] for row in await owner.fetch("SELECT item FROM recalculation_failures ORDER BY item")]
    told = []
    for moment in ("2026-01-01", "2027-01-01"):
        await owner.execute(
            "UPDATE recalculation_failures SET updated_at = $2::text::timestamptz WHERE item = $1", one, moment
        )
        await look(desk)
        told.append(len(await desk.told("invariant.failed.v1")))
    assert told[0] == told[1]


PICKED = """
INSERT INTO policy_assignments (unit_code, effective_from, policy, assigned_by, assigned_at)
VALUES ('37401', '2026-10-01', 'state-grid', 'E009', now())
"""


async def test_an_appeal_that_cannot_be_brought_to_a_policy_is_left_and_named(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [await desk.raised() for _ in range(3)]
    await owner.execute(PICKED)
    job = await made(desk.admin.post("/recalculations", json={"cause": "assignment", "unit_code": "374"}))
    with monkeypatch.context() as patched:
        writing = worker.write_seen

        async def write_seen(tx: Any, runtime: Any, job: Any, seen: Seen, now: Any) -> Any:
            if any(str(each.appeal.id) == cases[1] for each in seen.relabelled):
                raise ValueError("none that can be written")
            return await writing(tx, runtime, job, seen, now)

        patched.setattr(worker, "write_seen", write_seen)
        await recalculate(desk)
    shown = await got(desk.admin.get(f"/recalculations/{job['id']}"))
    assert (shown["state"], shown["undone"], shown["failure"]) == ("failed", 1, "ValueError: none that can be written")
    assert [(await desk.clocks(case))["answer"]["policy"] for case in cases] == [
        "state-grid@1",
        "t-sdpea@1",
        "state-grid@1",
    ]
    found = (await look(desk))[Invariant.RECALCULATION_FAILING]
    assert ("appeal", cases[1]) in [(each["subject_kind"], each["subject_id"]) for each in found]
    await owner.execute("UPDATE recalculations SET retry_at = now()")
    await recalculate(desk)
    assert (await desk.clocks(cases[1]))["answer"]["policy"] == "state-grid@1"
    assert await look(desk) == {}


async def test_where_nothing_can_be_done_the_job_fails_and_not_thing_by_thing(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await desk.raised()
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=with_day_off("2026-10-13")))
    monkeypatch.setattr(worker, "MOST_UNDONE", 2)
    fail(monkeypatch)
    await recalculate(desk)
    job = await got(desk.admin.get(f"/recalculations/{published['recalculation']['id']}"))
    assert (job["state"], job["done"], job["undone"]) == ("failed", 0, 0)
    assert len(await desk.rows("SELECT FROM recalculation_failures")) == 2
