"""P7b: ten thousand cases through the REST call, beside decoding, counting and encoding them bare."""

import asyncio
import pstats
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from io import StringIO
from random import Random
from typing import Any

import asyncpg
import msgspec

from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.calculation import due
from appeal_tracker.policies.loader import FLOOR, packaged_policies
from bench.children import Part
from bench.events import UNIT
from bench.measure import Stopwatch, interleave, profile_text
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.tracker import SERVICE
from deploy.local.processes import LOOPBACK

CASES = 10_000
CALLS = 3  # a round; the quickest counts, for in the others somebody else had the processor
TYPES = ("complaint", "consultation")
ABOVE = UNIT[:-2]
BARE = "decode, count, encode"
_PICKED = (
    "INSERT INTO units (id, code, parent_code, version) VALUES (gen_random_uuid(), $1, $2, 1)",
    """
INSERT INTO policy_assignments (unit_code, effective_from, policy, assigned_by, assigned_at)
VALUES ($2, make_date(2026, 6, 1), 'state-grid', $1, now())
""",
)
_FORGOTTEN = (
    "DELETE FROM units WHERE code = $1 AND parent_code = $2",
    "DELETE FROM policy_assignments WHERE unit_code = $2 AND assigned_by = $1",
)


async def measure(run: Run) -> Sequence[Outcome]:
    """One line."""
    body = msgspec.json.encode({"cases": _cases()})
    async with _picked(run):
        part = await Part(run.ground, SERVICE, "api").prepared(run.ground)
        with part.running():
            await part.ready()
            caller = _Caller(run, part)

            async def called() -> float:
                return min([await asyncio.to_thread(caller.call, body) for _ in range(CALLS)])

            async def bare() -> float:
                return min(_bare(body) for _ in range(CALLS))

            series = await interleave(run.say, "ms", run.rounds, {"ours": called, BARE: bare})
        work, goal = f"{CASES:,} cases through the REST call", Goal(150, at_least=False, alone=True)
        outcome = Outcome("P7b", work, "ms", goal, series["ours"], BARE, series[BARE])
        return [outcome if outcome.met else replace(outcome, where=await _where(run, body))]


ROW = Row("P7b", f"POST /v1/deadline-calculations, {CASES:,} cases", measure)


def _cases() -> list[dict[str, str]]:
    random, first = Random(7), datetime(2026, 1, 5, tzinfo=UTC)
    moments = [first + timedelta(seconds=random.randrange(300 * 86_400)) for _ in range(CASES)]
    cases = [{"appeal_type": random.choice(TYPES), "received_at": moment.isoformat()} for moment in moments]
    return [case | {"unit_code": UNIT} if place % 2 else case for place, case in enumerate(cases)]


@asynccontextmanager
async def _picked(run: Run) -> AsyncIterator[None]:
    """Above the unit of half the cases one picked another pack, from the middle of their time on."""
    owner = await asyncpg.connect((await run.ground.database(SERVICE)).migration)
    try:
        for statement in _PICKED:
            await owner.execute(statement, UNIT, ABOVE)
        yield
    finally:
        for statement in _FORGOTTEN:
            await owner.execute(statement, UNIT, ABOVE)
        await owner.close()


class _Caller:
    """Calls over one connection that is kept."""

    def __init__(self, run: Run, part: Part) -> None:
        token = run.ground.issuer().token(["handler"], UNIT, "S1")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = HTTPConnection(LOOPBACK, part.port)

    def call(self, body: bytes) -> float:
        watch = Stopwatch()
        self._connection.request("POST", "/v1/deadline-calculations", body, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        spent = watch.seconds * 1000
        results = msgspec.json.decode(told).get("results", [])
        if answer.status != 200 or sum("clocks" in result for result in results) != CASES:
            raise RuntimeError(f"not every case was calculated: {answer.status} {told[:200]!r}")
        return spent


def _bare(body: bytes) -> float:
    policy, calendar = packaged_policies()[FLOOR], cn_statutory()
    watch = Stopwatch()
    cases: list[dict[str, Any]] = msgspec.json.decode(body)["cases"]
    counted = [
        [due(datetime.fromisoformat(case["received_at"]), limit.within, calendar) for limit in limits]
        for case in cases
        for limits in [policy.limits(case["appeal_type"])]
    ]
    msgspec.json.encode(counted)
    return watch.seconds * 1000


async def _where(run: Run, body: bytes) -> str:
    file = run.ground.folder / "calculations.profile"
    part = await Part(run.ground, SERVICE, "api", "--profile", str(file)).prepared(run.ground)
    with part.running():
        await part.ready()
        await asyncio.to_thread(_Caller(run, part).call, body)
    return profile_text(pstats.Stats(str(file), stream=StringIO()))
