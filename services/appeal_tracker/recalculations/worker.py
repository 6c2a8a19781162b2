"""The loop that recalculates. One works at a time; whoever dies is followed by another, where the job stood."""

import asyncio
import logging
import time
from datetime import datetime
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from appeal_tracker.policies import publishing
from appeal_tracker.policies.repository import Standing
from appeal_tracker.recalculations import measuring, repository
from appeal_tracker.recalculations.looking import FIRST, MOST_UNDONE, Errand, errand_of
from appeal_tracker.recalculations.models import JobState, Recalculation
from appeal_tracker.recalculations.writing import write_seen
from chassis.failure import reason
from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker
from contracts.deadlines import DeadlineRecalculated

log = logging.getLogger(__name__)

_LEAD = "SELECT pg_try_advisory_lock(hashtext('recalculation'))"
_moved = Counter("deadlines_recalculated", "Deadlines that a recalculation moved", ["cause"])


class _MuchToJudge(Exception):
    """A part is too large for one transaction."""


class _Turn:
    """One passage over all that a job is about, while packs stand as they did when it began: none was withdrawn since,
    no unit picked another. It is the last if nobody could still add to it when it began, and it found nothing in
    somebody else's hands."""

    def __init__(self, errand: Errand, after: UUID, packs: Standing, *, whole: bool) -> None:
        self.errand, self.after, self.packs, self.whole = errand, after, packs, whole
        self.left = 0  # held by somebody
        self.undone, self.why = 0, ""


class Recalculating(Worker):
    """Does the jobs one after the other, a batch in a transaction, a few abreast; rests while much waits to be told.

    A job ends when nothing is left to do, and every transaction that may not know of its cause has ended: one that read
    the calendars before the new version was published opens its appeal by the old one. One that fails stands in
    nobody's way, and what follows by itself is tried again (`repository.fail`): until then, the self-audit says so.
    A part that fails is taken apart: whatever cannot be done is left, on record and named by the self-audit; the job
    does the rest, and fails for that alone. So is one in which much is judged anew, for each appeal of it is acted on,
    and whoever acts on any waits for all. While somebody waits for what this process does beside it, it does few and
    small parts, and lets whoever waits go before the next, for as long as those before it took, and for a moment before
    it writes what moves, as it holds that by then.
    """

    class Config(Worker.Config):
        idle = 0.5
        lanes = 4  # batches at once: one computes while the database writes the others
        deep = 20_000  # rows that wait to be published: what is told now must not wait behind more
        counted_every = 0.2  # seconds between two looks at them
        few, small = 2, 120  # batches at once, and of how many each, while somebody waits for this process
        judged = 50  # appeals about which what was tried is judged anew, in a transaction
        attentive = 5.0  # seconds since anybody did, until nobody does

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.recalculate")
        self._runtime = runtime
        self._connection: asyncpg.Connection | None = None
        self._job: Recalculation | None = None
        self._since: datetime | None = None  # when the job was first seen, by the database's time
        self._turn: _Turn | None = None
        self._counted = float("-inf")

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            job = await repository.oldest(tx)
        if job is None or not await self._lead():
            self._job = self._turn = None
            await self.close()
            return False
        try:
            return await self._go_on(job)
        except BaseException as error:
            # What is known of the job is what the database says, from the next time on.
            self._job = self._turn = None
            if _is_its_own(error):
                log.exception("a recalculation fails", extra={"recalculation": str(job.id)})
                async with self._runtime.db.transaction() as tx:
                    await repository.fail(tx, job, reason(error), self._runtime.clock.now())
                return True
            raise

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)
        self._connection = None

    async def _lead(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            connection = await self._runtime.db.dedicated()
            if not await connection.fetchval(_LEAD):
                await connection.close(timeout=5)
                return False
            self._connection, self._job = connection, None
        return True

    async def _go_on(self, job: Recalculation) -> bool:
        began = time.monotonic()
        if self._job is None or self._job.id != job.id:
            self._turn = None
            await self._take_up(job)
        self._job = job
        if self._turn is None:
            self._turn = await self._begin(job)
            return self._turn is not None
        if began - self._counted > self.config.counted_every:
            assert self._connection is not None
            deep = self.config.deep
            if await repository.waiting(self._connection, DeadlineRecalculated.topic, deep) >= deep:
                return False
            self._counted = began
        async with self._runtime.db.transaction() as tx:
            abreast = self.config.lanes if job.turn == 0 else 1  # where two hold what both need, one alone gets it
            most = self._turn.errand.most
            ids = await self._turn.errand.next(tx, self._turn.after, abreast * most)
        if not ids:
            return await self._end(job, self._turn)
        if self._runtime.db.is_waited_for(self.config.attentive):
            abreast, most = min(self.config.few, abreast), min(self.config.small, most)
        if not await self._do(job, self._turn, ids, abreast, most):
            self._turn = None  # what was planned so would tell people again: the rest is done by the rules as they are
            return True
        self._turn.after = ids[-1]
        await self._write(job, after=ids[-1], seconds=job.seconds + time.monotonic() - began)
        return True

    async def _take_up(self, job: Recalculation) -> None:
        # First this, then the rules: who hears of units meanwhile waits for it, or asks for a job of their own.
        started = job.started_at or self._runtime.clock.now()
        await self._write(job, state=JobState.RUNNING, started_at=started, finished_at=None)
        async with self._runtime.db.transaction() as tx:
            self._since = await repository.now(tx)

    async def _begin(self, job: Recalculation) -> _Turn | None:
        """The next turn, or the rest of one that was cut short; None while a last one would have to wait for others."""
        assert self._since is not None
        async with self._runtime.db.transaction() as tx:
            alone = not await repository.is_anyone_older(tx, self._since)
            packs = await publishing.hold(tx)
            if job.after is None and job.turn > 0 and not alone:
                return None
            await measuring.demand_strict(tx, job)  # once more: calendars may have been published since it was asked
            if job.after is not None:
                return _Turn(await errand_of(tx, job), job.after, packs, whole=False)
            errand = await errand_of(tx, job)
            total, first = await errand.count(tx)
        if job.turn == 0:
            await self._write(job, total=total)
        after = FIRST if first is None else UUID(int=first.int - 1)
        return _Turn(errand, after, packs, whole=alone)

    async def _do(self, job: Recalculation, turn: _Turn, ids: list[UUID], abreast: int, most: int) -> bool:
        """Does what comes next, so many parts at once of so many each; False as `_batch`."""
        parts = [ids[place : place + most] for place in range(0, len(ids), most)]
        took = 0.0
        for place in range(0, len(parts), abreast):
            await self._runtime.db.leisure(took)
            began = time.monotonic()
            some = parts[place : place + abreast]
            lanes = (self._batch(job, turn, part) for part in some)
            done = await asyncio.gather(*lanes, return_exceptions=True)  # so that none still writes when one has failed
            for result in done:
                if isinstance(result, BaseException) and not _is_its_own(result):
                    raise result
            stands = [
                await self._apart(job, turn, part, result) if isinstance(result, Exception) else result
                for part, result in zip(some, done, strict=True)
            ]
            if not all(stands):
                return False
            took = time.monotonic() - began
        return True

    async def _batch(self, job: Recalculation, turn: _Turn, ids: list[UUID]) -> bool:
        """Does a part of a turn; nothing, and False, where a pack was withdrawn or picked since that began. Whoever
        withdraws one waits for us, and then finds what we planned."""
        self._progress = time.monotonic()
        async with self._runtime.db.transaction() as tx:
            if await publishing.hold(tx) != turn.packs:
                return False
            now = self._runtime.clock.now()
            seen = await turn.errand.look(tx, ids, now, lock=True)
            if len(ids) > 1 and len(seen.counting) > self.config.judged:
                raise _MuchToJudge
            again = turn.errand.repeats and job.turn > 0  # then it was counted before
            done = seen.changed if again else seen.settled
            written = await write_seen(tx, self._runtime, job, seen, now)
            await repository.progress(tx, job.id, done, *written)
        turn.left += len(ids) - seen.settled
        _moved.labels(job.cause).inc(written.moved)
        return True

    async def _apart(self, job: Recalculation, turn: _Turn, ids: list[UUID], error: Exception) -> bool:
        """Does by halves what could not be done at once, down to what cannot be done at all; False as `_batch`."""
        if len(ids) == 1:
            await self._leave(job, turn, ids[0], error)
            return True
        for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            try:
                stands = await self._batch(job, turn, half)
            except Exception as its:
                if not _is_its_own(its):
                    raise
                stands = await self._apart(job, turn, half, its)
            if not stands:
                return False
        return True

    async def _leave(self, job: Recalculation, turn: _Turn, item: UUID, error: Exception) -> None:
        turn.undone, why = turn.undone + 1, reason(error)
        turn.why = turn.why or why
        what = {"recalculation": str(job.id), "item": str(item), "why": why}
        log.error("it cannot be recalculated", exc_info=error if turn.undone == 1 else None, extra=what)
        if turn.undone > MOST_UNDONE:
            raise error
        async with self._runtime.db.transaction() as tx:
            await repository.leave(tx, job, item, why, self._runtime.clock.now())

    async def _end(self, job: Recalculation, turn: _Turn) -> bool:
        """Ends the job with its turn, or has it pass by once more what was left."""
        self._turn = None
        if not turn.whole or turn.left:
            await self._write(job, after=None, turn=job.turn + 1)
            return not turn.left  # what somebody holds is held for a moment
        now = self._runtime.clock.now()
        async with self._runtime.db.transaction() as tx:
            await repository.settle(tx, job, now)
            if turn.undone:
                await repository.write(tx, job.id, after=None, turn=job.turn + 1, undone=turn.undone)
                await repository.fail(tx, job, turn.why, now)
                return True
        its = {"total": Recalculation.done, "after": None, "failure": None, "retry_at": None, "undone": 0}
        await self._write(job, state=JobState.DONE, **its, finished_at=now)
        return True

    async def _write(self, job: Recalculation, **values: object) -> None:
        async with self._runtime.db.transaction() as tx:
            await repository.write(tx, job.id, **values, updated_at=self._runtime.clock.now())


def _is_its_own(error: BaseException) -> bool:
    """Whether it says that the work is wrong, and not that something is away."""
    return isinstance(error, Exception) and not is_outage(error)
