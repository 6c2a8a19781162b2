"""A process that simulates is killed with -9 in the middle; the next one goes on where it stood."""

from pathlib import Path
from typing import Any

import asyncpg

from tests.integration.appeal_tracker.desk import Desk, got, instant, made
from tests.integration.appeal_tracker.test_recalculating_killed import MANY, MULTIPLY, deployed
from tests.support.eventually import eventually

PAST = {"from": "2026-10-01", "to": "2026-10-16", "policy": "state-grid"}


async def test_killed_in_the_middle_it_counts_everything_once(
    desk: Desk, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await desk.raised()
    desk.clock.set(instant("10-17T09:00"))  # past by 5 working days, and not by 7
    await owner.execute(MULTIPLY)
    asked = await made(desk.admin.post("/simulations", json=PAST))

    async def shown() -> dict[str, Any]:
        return await got(desk.admin.get(f"/simulations/{asked['id']}"))

    async def begun() -> bool:
        return bool((await shown())["done"] > 0)

    async def ended() -> bool:
        return bool((await shown())["state"] == "done")

    with deployed(desk, tmp_path, "simulate") as first:
        await eventually(begun, within=60)
        first.kill()  # SIGKILL: nothing is tidied up
        first.wait()
    cut_off = await shown()
    assert cut_off["state"] == "running"
    assert 0 < cut_off["done"] < cut_off["total"] == MANY
    with deployed(desk, tmp_path, "simulate"):
        await eventually(ended, within=90)
    result = await shown()
    assert (result["done"], result["total"]) == (MANY, MANY)
    answers = next(each for each in result["rows"] if each["milestone"] == "answer")
    assert (answers["judged"], answers["would_breach"], answers["newly_breached"]) == (MANY, MANY, MANY)
    (kept,) = await desk.rows("SELECT count(*), count(DISTINCT (appeal_id, milestone)) FROM simulation_differences")
    assert tuple(kept) == (result["totals"]["newly_breached"],) * 2
