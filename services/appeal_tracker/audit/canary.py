"""The canary: a timer bound to no appeal that is armed again and again, and must be fired like any other.

It has one clock and one timer for ever, armed anew by an update: they are no record of anything, and rows are never
deleted. The real instants are kept beside them, so that a leap of scaled time raises no alarm.
"""

from datetime import timedelta

from asyncpg import Record
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit import canary_repository, service
from appeal_tracker.audit.models import CANARY
from appeal_tracker.settings import Settings
from chassis.db import driver
from chassis.runtime import Runtime
from chassis.worker import Worker

DELAY = timedelta(seconds=5)  # of real time, from arming to firing

_age = Gauge("canary_age_seconds", "Real seconds since the canary was seen to have fired")
_lateness = Gauge("canary_lateness_seconds", "Real seconds from the canary's moment to its firing, of the last one")
_missed = Gauge("canary_missed_periods", "Periods that the canary was out without firing; 0 when all is well")

# Of several processes one drives it at a time; the others look again later.
_LOOK = """
SELECT c.expected_at IS NULL AS new, t.state, c.fired_at IS NOT NULL AS seen,
       extract(epoch FROM now() - c.armed_at)::float AS armed, extract(epoch FROM now() - c.expected_at)::float AS past,
       extract(epoch FROM now() - c.fired_at)::float AS age
FROM canary c LEFT JOIN timers t ON t.clock_id = c.clock_id WHERE c.clock_id = $1 FOR UPDATE OF c SKIP LOCKED
"""
_SEEN = """
WITH met AS (
    UPDATE clocks SET state = 'met', stopped_at = t.fired_at FROM timers t WHERE clocks.id = $1 AND t.clock_id = $1)
UPDATE canary SET fired_at = now() WHERE clock_id = $1
"""
_ARM = """
WITH clock AS (
    INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, started_at, due_at, policy, calendar,
                        provisional, state)
    VALUES ($1, 'canary', $1, 1, 'canary', $2, $3, '', '', false, 'running')
    ON CONFLICT (id) DO UPDATE SET round = clocks.round + 1, started_at = excluded.started_at,
        due_at = excluded.due_at, state = 'running', stopped_at = NULL
), timer AS (
    INSERT INTO timers (clock_id, step, phase, tell, fire_at, state)
    VALUES ($1, 'canary', 'before', '{}', $3, 'pending')
    ON CONFLICT (clock_id, step) DO UPDATE
        SET fire_at = excluded.fire_at, state = 'pending', fired_at = NULL, late = NULL
)
UPDATE canary SET armed_at = now(), expected_at = now() + $4::interval, fired_at = NULL WHERE clock_id = $1
"""


class Canary(Worker):
    """Arms the canary every so many real seconds, `canary_every` of the settings (0: never), and sees that it fires.

    It runs beside the escalation, so that one who is alone in a process is watched from within, and by the self-audit
    from without.
    """

    class Config(Worker.Config):
        idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.canary")
        settings = runtime.settings
        assert isinstance(settings, Settings)
        self._runtime, self._every, self._hatched = runtime, settings.canary_every, False

    async def run_once(self) -> bool:
        if self._every:
            async with self._runtime.db.transaction() as tx:
                await self._drive(tx)
        return False

    async def _drive(self, tx: AsyncSession) -> None:
        if not self._hatched:
            await canary_repository.hatch(tx)
            self._hatched = True
        connection = await driver(tx)
        its: Record | None = await connection.fetchrow(_LOOK, CANARY)
        if its is None:
            return
        out = not its["new"] and not its["seen"]
        if out and its["past"] > service.PATIENCE.total_seconds():
            await service.watch_canary(tx, self._runtime)
        if out and its["state"] == "fired":
            await connection.execute(_SEEN, CANARY)
            _lateness.set(max(its["past"], 0.0))
        elif its["new"] or (not out and its["armed"] >= self._every):
            await self._arm(tx)
        _missed.set(its["armed"] // self._every if out and its["state"] != "fired" else 0)
        _age.set(its["age"] if its["seen"] else its["armed"] or 0.0)

    async def _arm(self, tx: AsyncSession) -> None:
        now = self._runtime.clock.now()
        await (await driver(tx)).execute(_ARM, CANARY, now, now + DELAY * self._runtime.clock.speed, DELAY)
