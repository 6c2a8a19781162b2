"""`python -m bench.peers.jobs JOBS`: procrastinate with so many jobs for later; a turn has some of them fall due, and
runs its worker until they are done. A job does nothing. The database is named by DATABASE_URL.
"""

import asyncio
import os
import sys
import time

import procrastinate

from bench.peers.turns import take_turns

AT_ONCE = 10  # jobs: more get it no further

_LATER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)
SELECT 'default', 'escalate', now() + interval '30 days' FROM generate_series(1, %(jobs)s)
"""
_FALL_DUE = """
UPDATE procrastinate_jobs SET scheduled_at = now()
WHERE id IN (SELECT id FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT %(count)s)
"""
_DONE = "SELECT count(*) AS done FROM procrastinate_jobs WHERE status = 'succeeded'"


async def escalate() -> None:
    """What the job does."""


def main(jobs: int) -> None:
    """Makes the jobs, then takes turns."""
    connector = procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"], max_size=AT_ONCE)
    app = procrastinate.App(connector=connector)
    app.task(name="escalate")(escalate)
    with asyncio.Runner() as runner:
        runner.run(_prepare(app, jobs))
        take_turns(lambda count: runner.run(_work(app, count)))


async def _prepare(app: procrastinate.App, jobs: int) -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await app.connector.execute_query_async(_LATER, jobs=jobs)
        await app.connector.execute_query_async("ANALYZE procrastinate_jobs")


async def _work(app: procrastinate.App, count: int) -> float:
    async with app.open_async():
        before = (await app.connector.execute_query_one_async(_DONE))["done"]
        await app.connector.execute_query_async(_FALL_DUE, count=count)
        start = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=AT_ONCE, install_signal_handlers=False)
        seconds = time.perf_counter() - start
        assert (await app.connector.execute_query_one_async(_DONE))["done"] - before == count
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]))
