"""The consumer: one loop per topic, one batch = one transaction = inbox + effects + what they tell."""

import asyncio
import logging
import time
from collections.abc import Sequence
from zlib import crc32

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import crash
from chassis.clock import Clock
from chassis.db import Database
from chassis.messaging import dead_letters
from chassis.messaging.bus import Bus, Received, Subscription
from chassis.messaging.handlers import Handlers
from chassis.messaging.outbox import Outbox
from chassis.outage import Outage, is_outage, is_too_slow
from chassis.telemetry import trace_id, traced
from chassis.worker import Worker
from contracts.envelope import Message, Undecodable, UnknownType, decode, decode_type

log = logging.getLogger(__name__)

_lag = Gauge("consumer_lag", "Records behind the end of the topic", ["service", "topic"])
_applied = Counter("consumer_events", "Events applied", ["service", "topic"])
_repeated = Counter("inbox_duplicates", "Events that had been applied before", ["service", "topic"])
_parked = Counter("dead_letters", "Events parked as dead letters", ["service", "topic"])


class Consumer(Worker):
    """Applies a topic's events in order, each once in effect, whatever dies in between.

    An outage makes the batch wait. A batch that fails by its own fault is taken apart: each event alone, `attempts`
    times, then parked, and with it what follows on its key (unless its handler says that order does not matter). So is
    one that takes too long; a single event that does waits, for then the database is slow.
    A large batch is taken in lanes, each with keys of its own: while one is in the database, the other is computed.
    """

    class Config(Worker.Config):
        idle = 0.0
        batch = 1000  # records
        lanes = 2  # transactions at once
        lane = 100  # records that are worth a transaction of their own
        wait = 0.5  # seconds a fetch waits for its first record
        attempts = 3
        noted = 10  # events of a batch of which each has its line in the log; of more only where DEBUG is on
        patience = 45.0  # seconds a batch may take before it is taken apart; the loop counts as stuck soon after
        pause = 0.2  # seconds before an event's second try, doubled for the third
        store_every = 0.2  # seconds between two storings of its place while there is work
        watch_every = 5.0  # seconds between two looks at the lag
        stuck_after = 60.0  # seconds behind without moving
        blind_after = 600.0  # the same while the bus does not say how far: it is away, or else our client is broken

    config: Config

    def __init__(
        self, service: str, db: Database, bus: Bus, outbox: Outbox, clock: Clock, handlers: Handlers, topic: str
    ) -> None:
        super().__init__(f"{service}.consume.{topic}")
        self._service, self._topic = service, topic
        self._db, self._bus, self._outbox, self._clock, self._handlers = db, bus, outbox, clock, handlers
        self._subscription: Subscription | None = None
        self._pending: list[Received] = []
        self._done: dict[int, Received] = {}  # the last record of each partition whose offset is still to be stored
        self._storing: asyncio.Task[None] | None = None
        self._stored = float("-inf")
        self.position = 0  # records taken since the start
        self._moved = self._watched = time.monotonic()
        self._behind = 0
        self._blind: float | None = None  # since when nobody says how far

    async def run_once(self) -> bool:
        if self._subscription is None:
            self._subscription = await self._bus.subscribe(self._service, self._topic)
        await self._watch(self._subscription)  # first: that it falls behind must be seen also while it cannot go on
        if not self._pending:
            self._pending = await self._subscription.fetch(self.config.batch, self.config.wait)
        busy = bool(self._pending)
        if busy:
            with self._db.waited_for():
                await self._take(self._pending)
            crash.point("consumer.applied")
            self._done.update((record.partition, record) for record in self._pending)
            self.position += len(self._pending)
            self._pending = []
            self._moved = time.monotonic()
        if not busy or time.monotonic() - self._stored > self.config.store_every:
            await self._keep_place(self._subscription)
        return True

    async def close(self) -> None:
        if self._subscription is not None:
            try:
                while self._done or self._storing is not None:
                    if self._storing is not None:
                        await asyncio.wait({self._storing})
                    await self._keep_place(self._subscription)
            except Outage as error:
                log.warning("the last offset is not stored", extra={"topic": self._topic, "error": repr(error)})
            await self._subscription.close()

    def healthy(self) -> tuple[bool, str]:
        """Stuck also when it is behind and does not move, as a client may be after a broker's restart."""
        well, why = super().healthy()
        still = time.monotonic() - self._moved
        if well and not self._outage and self._blind is None and self._behind and still > self.config.stuck_after:
            return False, f"{self._behind} records behind, not moving"
        if well and not self._outage and self._blind is not None and still > self.config.blind_after:
            return False, "the lag is not known, not moving"
        return well, why

    async def _watch(self, subscription: Subscription) -> None:
        if time.monotonic() - self._watched > self.config.watch_every:
            self._watched = time.monotonic()
            try:
                self._behind = await subscription.lag()
            except Outage as error:
                self._blind = self._blind or self._watched
                log.warning("the lag is not known", extra={"topic": self._topic, "error": repr(error)})
            else:
                _lag.labels(self._service, self._topic).set(self._behind)
                if not self._behind:  # and had nothing to move for: what comes now is not behind since then
                    self._moved = self._watched
                elif self._blind is not None:  # meanwhile it could not move; if it did, it did so at the latest now
                    self._moved = min(self._watched, self._moved + self._watched - self._blind)
                self._blind = None

    async def _keep_place(self, subscription: Subscription) -> None:
        """Stores how far it came while the next batch is taken: what is read again after a death has no second effect.
        A slow bus stores less often, and holds nothing up."""
        if self._storing is not None and self._storing.done():
            storing, self._storing = self._storing, None
            await storing
        if self._done and self._storing is None:
            done, self._done, self._stored = self._done, {}, time.monotonic()
            self._storing = asyncio.create_task(self._store(subscription, done))

    async def _store(self, subscription: Subscription, done: dict[int, Received]) -> None:
        try:
            await subscription.commit(list(done.values()))
        except BaseException:
            self._done = done | self._done
            raise
        crash.point("consumer.committed")

    async def _take(self, records: Sequence[Received]) -> None:
        lanes: list[list[Received]] = [
            [] for _ in range(max(1, min(self.config.lanes, len(records) // self.config.lane)))
        ]
        for record in records:
            lanes[crc32(record.key) % len(lanes)].append(record)
        outcomes = await asyncio.gather(*(self._take_lane(lane) for lane in lanes if lane), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _take_lane(self, records: Sequence[Received]) -> None:
        several = len(records) > 1
        try:
            async with asyncio.timeout(self.config.patience if several else None) as patience:
                await self._apply(records)
        except Exception as error:
            if is_outage(error) and not (several and (is_too_slow(error) or patience.expired())):
                raise
            log.warning(
                "a batch failed and is taken apart", extra={"topic": self._topic, "error": dead_letters.why(error)}
            )
            for record in records:
                await self._take_alone(record)

    async def _take_alone(self, record: Received) -> None:
        self._progress = time.monotonic()
        async with self._db.transaction() as tx:
            if await dead_letters.is_parked(tx, record):
                return
        for attempt in range(1, self.config.attempts + 1):
            try:
                await self._apply([record])
            except Exception as error:
                if is_outage(error):
                    raise
                if attempt == self.config.attempts or isinstance(error, Undecodable):
                    await self._park(record, error, attempt)
                    return
                await asyncio.sleep(self.config.pause * 2 ** (attempt - 1))
            else:
                return

    async def _apply(self, records: Sequence[Received]) -> None:
        heard = [(record, message) for record in records if (message := self._read(record)) is not None]
        if not heard:
            return
        async with self._db.transaction() as tx:
            held = await dead_letters.parked_keys(tx, self._topic, [record.key for record, _ in heard])
            ready = []
            for record, message in heard:
                if record.key in held and not self._handlers[type(message.event)].commutes:
                    await self._park_in(tx, record, "waits for an earlier event of its key", 0)
                else:
                    ready.append(message)
            with traced(_common_trace(ready)):
                new = await self._handlers.apply(tx, ready)
        _applied.labels(self._service, self._topic).inc(len(new))
        _repeated.labels(self._service, self._topic).inc(len(ready) - len(new))
        self._note(new)

    def _note(self, applied: Sequence[Message]) -> None:
        """Logs what was applied, each event under its own trace; a flood in one line."""
        level = logging.INFO if len(applied) <= self.config.noted else logging.DEBUG
        if level == logging.DEBUG:
            log.info("events applied", extra={"topic": self._topic, "events": len(applied)})
        if log.isEnabledFor(level):
            for message in applied:
                its = {"topic": self._topic, "event": message.id, "type": message.type, "subject": message.subject}
                with traced(message.traceparent):
                    log.log(level, "event applied", extra=its)

    def _read(self, record: Received) -> Message | None:
        """The message, None when this service does not hear its kind; raises `Undecodable`."""
        try:
            message = decode(record.headers, record.value)
        except UnknownType:
            return None
        return message if type(message.event) in self._handlers else None

    async def _park(self, record: Received, error: Exception, attempts: int) -> None:
        # What says of itself that it is none of ours is told, but holds nothing up here.
        event_type = decode_type(record.headers)
        holds = event_type is None or self._handlers.hears(event_type)
        async with self._db.transaction() as tx:
            await self._park_in(tx, record, dead_letters.why(error), attempts, holds=holds)

    async def _park_in(
        self, tx: AsyncSession, record: Received, reason: str, attempts: int, *, holds: bool = True
    ) -> None:
        if await dead_letters.park(tx, self._outbox, record, reason, attempts, self._clock.now(), holds=holds):
            _parked.labels(self._service, self._topic).inc()
            place = f"{record.topic}/{record.partition}/{record.offset}"
            log.error("an event is parked as a dead letter", extra={"record": place, "reason": reason})


def _common_trace(messages: Sequence[Message]) -> str | None:
    # A batch that serves several traces has one of its own: what it does for all of them belongs to none.
    traces = {trace_id(message.traceparent) for message in messages}
    return messages[0].traceparent if len(traces) == 1 else None
