"""P1: a raised appeal, committed and told, beside the same route without a database and beside the bare statement."""

import asyncio
import json
import pstats
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import asyncpg

from bench.children import Part, answers_to
from bench.events import UNIT
from bench.load import Answers, Load
from bench.measure import Side, Stopwatch, interleave, profile_text
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from chassis.ids import new_id
from deploy.local.processes import LOOPBACK

VISITS = 2000
CONNECTIONS = 32  # of the load client
WRITERS = 16  # connections of the bare statement
SECONDS = 4.0
SERVICE = "visit_api"
ROUTE, BARE = "the route, no database", "bare INSERT"
SUMMARY = "客户反映七月电费与抄表示数不符，要求复核并书面答复；现场已核对表计编号，照片随后补充。"

_SEED = f"""
INSERT INTO units (id, code, name, version, content_digest, updated_at)
VALUES (gen_random_uuid(), '{UNIT}', '济南供电公司', 1, '', now());
INSERT INTO customers (id, name, kind, unit_code, accounts, version, content_digest, updated_at)
VALUES (gen_random_uuid(), '第三中学', 'other.important', '{UNIT}', '{{}}', 1, '', now());
INSERT INTO visits (id, customer_id, unit_code, channel, direction, form, state, scheduled_at, visitor_ids, preparation,
                    version, content_digest, updated_at)
SELECT gen_random_uuid(), customers.id, '{UNIT}', 'on_site', 'outbound', 'ordinary', 'in_progress', now(), '{{S1}}',
       '{{}}', 1, '', now()
FROM customers, generate_series(1, {VISITS});
"""

# What a raised appeal leaves behind, in one statement, without asking anything.
_BARE = """
WITH appeal AS (
    INSERT INTO appeals (id, appeal_no, visit_id, unit_code, type, summary, received_at, recorded_at, raised_by,
                         confidential, anonymous, content_digest, updated_at)
    VALUES ($1, $2, $3, $4, 'complaint', $5, $6, $7, 'S1', false, false, $8, $7)
)
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, traceparent)
VALUES ($9, 'visit.events', $10, 'appeal.raised.v1', '/visit_api', $11, $7, $12, $13)
"""


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines: one for each limit."""
    visits = await _seed(run)
    ours = await Part(run.ground, SERVICE, "api").prepared(run.ground)
    without = await Part(run.ground, SERVICE, "api", "--without-database").prepared(run.ground)
    with ours.running(), without.running():
        await ours.ready()
        await without.ready()
        latencies: list[Answers] = []

        async def asked(part: Part, seen: list[Answers]) -> float:
            await run.ground.rest()
            seen.append(await answers_to(_load(run, part, visits)))
            return seen[-1].rate

        async with _bare(run, visits) as bare:
            sides: dict[str, Side] = {
                "ours": lambda: asked(ours, latencies),
                ROUTE: lambda: asked(without, []),
                BARE: bare,
            }
            series = await interleave(run.say, "appeals/s", run.rounds, sides)
    made = [
        Outcome("P1", "intake, HTTP", "appeals/s", Goal(0.6), series["ours"], ROUTE, series[ROUTE]),
        Outcome("P1", "intake, storage", "appeals/s", Goal(0.35), series["ours"], BARE, series[BARE]),
    ]
    note = f"{CONNECTIONS} connections, p50 {latencies[-1].p50_ms:.1f} ms, p99 {latencies[-1].p99_ms:.1f} ms"
    made[0] = replace(made[0], notes=[note])
    if all(outcome.met for outcome in made):
        return made
    where = await _where(run, visits)
    return [replace(outcome, where=where if not outcome.met else "") for outcome in made]


ROW = Row("P1", "POST /v1/visits/{id}/appeals, answered after its commit", measure)


async def _seed(run: Run) -> list[UUID]:
    urls = await run.ground.database(SERVICE)
    await run.ground.clear(SERVICE, "appeals", "visits", "customers", "staff", "units", "outbox")
    connection = await asyncpg.connect(urls.migration)
    try:
        await connection.execute(_SEED)
        return [row["id"] for row in await connection.fetch("SELECT id FROM visits")]
    finally:
        await connection.close()


def _load(run: Run, part: Part, visits: Sequence[UUID]) -> Load:
    received = datetime.now(UTC) - timedelta(hours=1)
    body = json.dumps(
        {"type": "complaint", "summary": SUMMARY, "received_at": received.isoformat()}, ensure_ascii=False
    ).encode()
    token = run.ground.issuer().token(["visitor"], UNIT, "S1")
    head = (
        f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    requests = [f"POST /v1/visits/{visit}/appeals HTTP/1.1\r\n{head}" for visit in visits]
    return Load(LOOPBACK, part.port, CONNECTIONS, SECONDS, [request.encode() + body for request in requests])


@asynccontextmanager
async def _bare(run: Run, visits: Sequence[UUID]) -> AsyncIterator[Side]:
    urls = await run.ground.database(SERVICE)
    connections = [await asyncpg.connect(urls.service) for _ in range(WRITERS)]
    payload = json.dumps({name: str(new_id()) for name in ("appeal_id", "visit_id", "customer_id")}).encode() * 3
    now = datetime.now(UTC)

    async def write(connection: asyncpg.Connection, watch: Stopwatch) -> int:
        statement, count = await connection.prepare(_BARE), 0
        while watch.seconds < SECONDS:
            id_, visit = new_id(), visits[count % len(visits)]
            subject = str(id_)
            trace = f"00-{id_.hex}-{id_.hex[:16]}-01"
            told = (new_id(), str(visit), subject, payload, trace)
            await statement.fetch(id_, f"VB{id_.hex}", visit, UNIT, SUMMARY, now, now, id_.bytes * 2, *told)
            count += 1
        return count

    async def written() -> float:
        await run.ground.rest()
        watch = Stopwatch()
        counts = await asyncio.gather(*(write(connection, watch) for connection in connections))
        return sum(counts) / watch.seconds

    try:
        yield written
    finally:
        for connection in connections:
            await connection.close()


async def _where(run: Run, visits: Sequence[UUID]) -> str:
    file = run.ground.folder / "intake.profile"
    part = await Part(run.ground, SERVICE, "api", "--profile", str(file)).prepared(run.ground)
    with part.running():
        await part.ready()
        await answers_to(_load(run, part, visits))
    return profile_text(pstats.Stats(str(file), stream=StringIO()))
