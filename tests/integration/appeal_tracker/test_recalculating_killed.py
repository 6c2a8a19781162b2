"""A process that recalculates is killed with -9 in the middle; the next one goes on where it stood."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg

from deploy.local.services import REAL, base_environment
from tests.integration.appeal_tracker.desk import Desk, got, made
from tests.integration.appeal_tracker.test_recalculations import LATE, year_2027
from tests.support import forks
from tests.support.eventually import eventually
from tests.support.local_stack import free_port_base

MANY = 12_000  # several batches

# What one appeal left behind, so many times.
MULTIPLY = f"""
CREATE TEMP TABLE many AS
    SELECT gen_random_uuid() AS appeal, gen_random_uuid() AS clock, c.id AS like_clock, c.subject_id AS like_appeal
    FROM clocks c, generate_series(1, {MANY - 1}) WHERE c.milestone = 'answer';
INSERT INTO appeals SELECT (jsonb_populate_record(a, jsonb_build_object('id', m.appeal))).*
    FROM many m JOIN appeals a ON a.id = m.like_appeal;
INSERT INTO timers SELECT (jsonb_populate_record(t, jsonb_build_object('clock_id', m.clock))).*
    FROM many m JOIN timers t ON t.clock_id = m.like_clock;
INSERT INTO clocks SELECT (jsonb_populate_record(c, jsonb_build_object('id', m.clock, 'subject_id', m.appeal))).*
    FROM many m JOIN clocks c ON c.id = m.like_clock;
"""


@contextmanager
def deployed(desk: Desk, folder: Path, word: str) -> Iterator[forks.Child]:
    """A process of the service as it is deployed; killed at the end."""
    settings = desk.runtime.settings
    assert settings.bus_database_url is not None
    values = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "PORT": str(free_port_base()),
        "BUS": "embedded",
        "BUS_DATABASE_URL": settings.bus_database_url.get_secret_value(),
        "AUTH_ISSUER": settings.auth_issuer,
        "AUTH_AUDIENCE": settings.auth_audience,
        "AUTH_JWKS": str(settings.auth_jwks),
        "VAULT_KEYS": str(settings.vault_keys),
    }
    env = {**base_environment(), **{f"APPEAL_TRACKER_{name}": value for name, value in values.items()}}
    child = forks.start([*REAL.services["appeal_tracker"], word], log=folder / f"{word}.log", env=env)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


async def test_killed_in_the_middle_it_goes_on_where_it_stood(
    desk: Desk, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    desk.clock.set(LATE)
    await desk.raised(received_at=LATE)
    await owner.execute(MULTIPLY)
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    job_id = published["recalculation"]["id"]

    async def done(least: int) -> bool:
        (row,) = await desk.rows("SELECT done FROM recalculations WHERE id = $1", UUID(job_id))
        return bool(row["done"] >= least)

    with deployed(desk, tmp_path, "escalate") as first:
        await eventually(lambda: done(1), within=60)
        first.kill()  # SIGKILL: nothing is tidied up
        first.wait()
    job = await got(desk.admin.get(f"/recalculations/{job_id}"))
    assert job["state"] == "running"
    assert 0 < job["done"] < job["total"] == MANY
    with deployed(desk, tmp_path, "escalate"):
        await eventually(lambda: done(MANY), within=90)

        async def ended() -> bool:
            return bool((await got(desk.admin.get(f"/recalculations/{job_id}")))["state"] == "done")

        await eventually(ended, within=30)
    job = await got(desk.admin.get(f"/recalculations/{job_id}"))
    assert (job["total"], job["done"], job["moved"]) == (MANY, MANY, MANY)
    (kept,) = await desk.rows(
        "SELECT count(*), count(DISTINCT data ->> 'clock_id') AS clocks FROM timeline"
        " WHERE data ->> 'recalculation_id' = $1",
        job_id,
    )
    assert (kept["count"], kept["clocks"]) == (MANY, MANY), "each is on record once"
    (told,) = await desk.rows("SELECT count(*) FROM outbox WHERE type = 'deadline.recalculated.v1'")
    assert told["count"] == MANY
    (left,) = await desk.rows("SELECT count(*) FROM clocks WHERE milestone = 'answer' AND calendar = 'cn-statutory@1'")
    assert left["count"] == 0
