"""The canary: one timer that is armed again and again, and must fire in time."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from appeal_tracker.audit.canary import Canary
from appeal_tracker.audit.invariants import Invariant
from appeal_tracker.audit.models import CANARY
from appeal_tracker.audit.worker import SelfAudit
from tests.integration.appeal_tracker.desk import Desk, got
from tests.integration.appeal_tracker.test_audit import FAILED, earlier, watching

EVERY = {"canary_every": 120, "audit_every": 300}


@pytest.fixture
async def canary(desk: Desk) -> Canary:
    """One that is out."""
    its = Canary(watching(desk, **EVERY))
    await its.run_once()
    return its


async def ago(owner: asyncpg.Connection, seconds: int) -> None:
    """Has all that is known of the canary have happened so much earlier."""
    await owner.execute(
        "UPDATE canary SET armed_at = armed_at - $1::interval, expected_at = expected_at - $1::interval, "
        "fired_at = fired_at - $1::interval",
        timedelta(seconds=seconds),
    )


async def sing(desk: Desk, canary: Canary) -> None:
    """Has its moment come, the escalation do its work, and the canary be looked at."""
    desk.later(seconds=5)
    await desk.stack.settle()
    await canary.run_once()


async def state(desk: Desk) -> tuple[int, str, str, bool]:
    """Its round, the states of its clock and its timer, and whether it was seen to have fired."""
    (row,) = await desk.rows("""
        SELECT round, clocks.state AS clock, timers.state AS timer, canary.fired_at IS NOT NULL AS seen
        FROM canary JOIN clocks ON id = canary.clock_id JOIN timers ON timers.clock_id = id""")
    return row["round"], row["clock"], row["timer"], row["seen"]


async def silent(desk: Desk) -> list[dict[str, Any]]:
    """What is shown to be wrong with it."""
    shown = await got(desk.stranger.get("/invariants"))
    found: list[dict[str, Any]] = next(i["findings"] for i in shown["items"] if i["name"] == Invariant.CANARY_SILENT)
    return found


async def test_it_fires_and_nobody_is_told(desk: Desk, canary: Canary) -> None:
    assert await state(desk) == (1, "running", "pending", False)
    await desk.stack.settle()
    await canary.run_once()
    assert await state(desk) == (1, "running", "pending", False), "not before its moment"
    await sing(desk, canary)
    assert await state(desk) == (1, "met", "fired", True)
    assert not await desk.rows("SELECT * FROM outbox")
    assert not await desk.rows("SELECT * FROM timeline")


async def test_it_is_armed_anew_and_leaves_no_rows_behind(
    desk: Desk, canary: Canary, owner: asyncpg.Connection
) -> None:
    for round in range(1, 4):  # noqa: A001
        await sing(desk, canary)
        assert await state(desk) == (round, "met", "fired", True)
        await ago(owner, 119)
        await canary.run_once()
        assert (await state(desk))[2] == "fired", "the period is not over"
        await ago(owner, 2)
        await canary.run_once()
        assert await state(desk) == (round + 1, "running", "pending", False)
    counted = await desk.rows("SELECT (SELECT count(*) FROM clocks) AS c, (SELECT count(*) FROM timers) AS t")
    assert tuple(counted[0]) == (1, 1)
    assert not await silent(desk)


async def test_one_that_does_not_fire_is_told_of_at_once_and_goes_when_it_does(
    desk: Desk, canary: Canary, owner: asyncpg.Connection
) -> None:
    await ago(owner, 60)
    await canary.run_once()
    assert not await desk.told(FAILED), "it is not late yet"
    await ago(owner, 10)
    for _ in range(2):
        await canary.run_once()
        (told,) = await desk.told(FAILED)
        assert (told["invariant"], told["subject_kind"], told["subject_id"]) == (
            "canary_silent",
            "canary",
            str(CANARY),
        )
        (found,) = await silent(desk)
        assert (found["place"], found["unit_code"]) == ("late", None), "everybody's, for it is no unit's"
    await ago(owner, 120)
    await canary.run_once()
    assert await state(desk) == (1, "running", "pending", False), "it stays out until it fires"
    await sing(desk, canary)
    await canary.run_once()
    assert (await state(desk))[0] == 2
    await sing(desk, canary)
    await SelfAudit(watching(desk, **EVERY)).run_once()
    assert not await silent(desk)


async def test_one_that_nobody_arms_any_more_is_found_from_without(
    desk: Desk, canary: Canary, owner: asyncpg.Connection
) -> None:
    await sing(desk, canary)
    await ago(owner, 359)
    await SelfAudit(watching(desk, **EVERY)).run_once()
    assert not await silent(desk)
    await ago(owner, 2)
    await earlier(owner, 5)
    await SelfAudit(watching(desk, **EVERY)).run_once()
    assert [found["place"] for found in await silent(desk)] == ["not_armed"]


async def test_one_that_nobody_ever_armed_is_found_from_without(desk: Desk, owner: asyncpg.Connection) -> None:
    """Where no process of the escalation was ever started."""
    audit = SelfAudit(watching(desk, **EVERY))
    await audit.run_once()
    assert not await silent(desk), "one may be started yet"
    await ago(owner, 361)
    await earlier(owner, 5)
    await audit.run_once()
    (told,) = await desk.told(FAILED)
    assert (told["invariant"], told["subject_id"]) == ("canary_silent", str(CANARY))
    assert [found["place"] for found in await silent(desk)] == ["not_armed"]
    canary = Canary(watching(desk, **EVERY))
    await canary.run_once()
    assert await state(desk) == (1, "running", "pending", False)
    await sing(desk, canary)
    await earlier(owner, 5)
    await audit.run_once()
    assert not await silent(desk)


async def test_a_leap_of_time_is_no_alarm(desk: Desk, canary: Canary) -> None:
    desk.later(days=30)
    await desk.stack.settle()
    await canary.run_once()
    await SelfAudit(watching(desk, **EVERY)).run_once()
    assert await state(desk) == (1, "met", "fired", True)
    assert not await desk.told(FAILED)


async def test_of_several_one_drives_it(desk: Desk, owner: asyncpg.Connection) -> None:
    drivers = [Canary(watching(desk, **EVERY)) for _ in range(4)]
    await asyncio.gather(*(driver.run_once() for driver in drivers))
    assert (await state(desk))[0] == 1
    await sing(desk, drivers[0])
    await ago(owner, 121)
    await asyncio.gather(*(driver.run_once() for driver in drivers))
    assert (await state(desk))[0] == 2


async def test_it_can_be_left_out(desk: Desk) -> None:
    await Canary(watching(desk, canary_every=0)).run_once()
    assert not await desk.rows("SELECT * FROM canary")
