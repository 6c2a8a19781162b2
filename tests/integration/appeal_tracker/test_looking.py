"""Timers are looked for from a floor on where a look at all of them is dear; none below it is lost."""

import asyncio
import json
import math
from datetime import datetime, timedelta
from typing import cast

import asyncpg
import pytest

from appeal_tracker.escalation import repository
from appeal_tracker.escalation.repository import NEXT, NEXT_FROM
from appeal_tracker.escalation.worker import Escalation
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, instant, raised
from tests.support.eventually import eventually

_PENDING = """
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state)
SELECT gen_random_uuid(), 'due', 'due', '{}', $1::timestamptz + n * interval '1 second', 'pending'
FROM generate_series(1, 3000) AS n
"""


async def pages_read(owner: asyncpg.Connection, look: str) -> int:
    (plan,) = json.loads(await owner.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {look}"))
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


async def test_a_look_from_a_floor_does_not_pass_what_an_old_reader_keeps(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    await owner.execute(_PENDING, RECEIVED)
    async with desk.runtime.db.connection() as reader, reader.transaction(isolation="repeatable_read"):
        await reader.fetchval("SELECT count(*) FROM timers")
        await owner.execute("UPDATE timers SET state = 'fired' WHERE fire_at < $1", RECEIVED + timedelta(seconds=2990))
        floor = f"{RECEIVED + timedelta(seconds=2989):%Y-%m-%d %H:%M:%S%z}"
        for _ in range(2):  # the first look reads once what later ones know
            passed = await pages_read(owner, NEXT)
        assert passed > 30
        await owner.execute(f"PREPARE look (timestamptz) AS {NEXT_FROM}")
        try:
            assert await pages_read(owner, f"EXECUTE look ('{floor}')") < 10
        finally:
            await owner.execute("DEALLOCATE look")


async def test_what_turns_up_below_the_floor_fires_before_the_loop_rests(desk: Desk) -> None:
    escalation, usual = desk.escalation, (desk.escalation.config.dear, desk.escalation.config.at_least)
    escalation.config.dear, escalation.config.at_least = 0, math.inf
    try:
        first = await desk.raised()
        await desk.at("10-10T09:30")
        late = await desk.raised(received_at=RECEIVED - timedelta(hours=2))  # its "+2h" lies at the floor, and waits
        assert [event["subject_id"] for event in await desk.told("deadline.breached.v1")] == [first, late]
        second = await desk.raised(received_at=RECEIVED + timedelta(minutes=1))
        await desk.at("10-10T09:31")
        assert [event["subject_id"] for event in await desk.told("deadline.breached.v1")] == [first, late, second]
    finally:
        escalation.config.dear, escalation.config.at_least = usual


async def test_late_steps_on_both_sides_of_the_floor_are_told_of_once(desk: Desk) -> None:
    escalation, usual = desk.escalation, (desk.escalation.config.dear, desk.escalation.config.at_least)
    escalation.config.dear, escalation.config.at_least = 0, math.inf
    try:
        await desk.at("10-10T09:00")  # the floor, above its warnings and below its breach
        desk.clock.set(instant("10-10T11:00"))
        await desk.raised()
        told = [each for each in await desk.told() if each.get("milestone") == "contact" and "step" in each]
        assert [each["step"] for each in told] == ["0.5", "0.75", "due"]
        assert [each["audience"] for each in told] == [[], [], ["owner", "unit_supervisors"]]
    finally:
        escalation.config.dear, escalation.config.at_least = usual


async def test_what_turns_up_below_the_floor_waits_for_no_backlog(desk: Desk, owner: asyncpg.Connection) -> None:
    await desk.hear(*(raised(received_at=RECEIVED + timedelta(minutes=n)) for n in range(30)))
    desk.clock.set(instant("10-10T10:00"))
    escalation = Escalation(desk.runtime)
    escalation.config.batch, escalation.config.longest = 1, 1
    while not await desk.told("deadline.breached.v1"):
        assert await escalation.run_once()
    escalation.config.dear, escalation.config.at_least = 0, math.inf
    (late,) = await owner.fetch(
        "UPDATE timers SET fire_at = '2026-10-09T09:00+08' WHERE (clock_id, step) ="
        " (SELECT clock_id, step FROM timers WHERE phase = 'due' AND state = 'pending' AND fire_at < $1"
        "  ORDER BY fire_at DESC LIMIT 1) RETURNING clock_id",
        desk.clock.now(),
    )
    assert await escalation.run_once()
    breached = [event["clock_id"] for event in await desk.told("deadline.breached.v1")]
    assert str(late["clock_id"]) not in breached, "it goes on from the floor"
    escalation.config.at_least = 0
    while str(late["clock_id"]) not in breached:
        assert await escalation.run_once()
        breached = [event["clock_id"] for event in await desk.told("deadline.breached.v1")]
    assert await owner.fetchval(
        "SELECT count(*) FROM timers WHERE state = 'pending' AND fire_at <= $1", desk.clock.now()
    ), "the backlog is not gone yet"
    await escalation.close()


async def test_a_look_at_all_beside_what_is_fired_ends_with_the_loop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hear(*(raised() for _ in range(6)))
    desk.clock.set(instant("10-10T09:36"))
    escalation, looks = Escalation(desk.runtime), list[asyncio.Task[object]]()
    escalation.config.batch, escalation.config.longest = 1, 1
    escalation.config.dear, escalation.config.at_least = 0, 0
    assert await escalation.run_once()
    next_moment = repository.next_moment

    async def for_ever(connection: asyncpg.Connection, floor: datetime | None = None) -> datetime | None:
        if floor is None:
            looks.append(cast("asyncio.Task[object]", asyncio.current_task()))
            await asyncio.Event().wait()
        return await next_moment(connection, floor)

    await escalation.close()
    monkeypatch.setattr(repository, "next_moment", for_ever)
    assert await escalation.run_once(), "what is fired does not wait for it"
    await eventually(lambda: looks)
    await escalation.close()
    assert [(look.get_name(), look.cancelled()) for look in looks] == [("appeal_tracker.escalate.look", True)]
    monkeypatch.undo()
    assert await escalation.run_once(), "it can go on"
    await escalation.close()
