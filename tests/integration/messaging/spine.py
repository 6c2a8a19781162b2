"""A service with nothing but plumbing: it tells what it is asked to, and writes down what it hears."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import ManualClock
from chassis.db import Database
from chassis.ids import new_id
from chassis.messaging.bus import Bus, Received, Record
from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handler, Handlers
from chassis.messaging.outbox import Outbox
from chassis.messaging.relay import Relay
from chassis.messaging.schema import MESSAGING
from contracts.appeals import AppealRaised
from contracts.envelope import Event, Message, headers
from contracts.topics import TOPICS, dead_letter
from contracts.visits import VisitStarted
from tests.support.databases import Databases

NOW = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
TOPIC = "visit.events"
EFFECTS = """
CREATE TABLE effects (place bigint GENERATED ALWAYS AS IDENTITY, event_id uuid, subject text, type text);
"""


async def template(databases: Databases) -> None:
    """Makes the template database `spine` once."""
    if "spine" in databases.templates:
        return
    urls = databases.server.ensure_database("spine")
    connection = await asyncpg.connect(urls.migration)
    await connection.execute(MESSAGING + EFFECTS)
    await connection.close()
    databases.templates["spine"] = urls


def started(visit: UUID | None = None) -> VisitStarted:
    return VisitStarted(visit_id=visit or uuid4(), unit_code="37401", at=NOW)


def raised(visit: UUID | None = None) -> AppealRaised:
    return AppealRaised(
        appeal_id=new_id(),
        appeal_no="VA1",
        visit_id=visit or uuid4(),
        customer_id=None,
        unit_code="37401",
        appeal_type="complaint",
        received_at=NOW,
        recorded_at=NOW,
        raised_by="S1",
    )


class Spine:
    """The plumbing on one database and one bus; `broken` names the subjects that its handler chokes on."""

    def __init__(self, service_url: str, bus: Bus) -> None:
        self.db = Database(service_url, pool_size=5, name="spine")
        self.bus = bus
        self.clock = ManualClock(NOW)
        self.outbox = Outbox("/spine")
        self.broken: set[str] = set()
        self.handlers = Handlers(
            {VisitStarted: self._write_down, AppealRaised: Handler(self._write_down, commutes=True)}
        )

    async def __aenter__(self) -> Self:
        topics = list(TOPICS.values())
        await self.bus.ensure(topics + [t._replace(name=dead_letter(t.name), compacted=False) for t in topics])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bus.close()
        await self.db.close()

    def relay(self) -> Relay:
        relay = Relay("spine", self.db, self.bus, [*TOPICS, *map(dead_letter, TOPICS)])
        relay.config.follower_idle = 0.01
        return relay

    def consumer(self, topic: str = TOPIC) -> Consumer:
        consumer = Consumer("spine", self.db, self.bus, self.outbox, self.clock, self.handlers, topic)
        consumer.config.wait, consumer.config.pause = 0.05, 0.001
        return consumer

    async def tell(self, *events: Event) -> list[UUID]:
        async with self.db.transaction() as tx:
            return await self.outbox.append(tx, events, at=self.clock.now())

    async def publish_raw(self, key: str, value: bytes, type_: str = "visit.started.v1") -> None:
        """Puts on the bus what our own outbox would never tell."""
        its = headers(uuid4(), type_, "/elsewhere", key, NOW)
        await self.bus.publish([Record(TOPIC, key, value, tuple(its))])

    async def relayed(self) -> None:
        """Lets a relay publish what there is."""
        relay = self.relay()
        while await relay.run_once():
            pass
        await relay.close()

    async def taken(self, records: int) -> None:
        """Lets a consumer take so many records, in as many rounds as it needs to become a member and to read them."""
        consumer = self.consumer()
        async with asyncio.timeout(30):
            while consumer.position < records:
                await consumer.run_once()
        assert consumer.position == records
        await consumer.close()

    async def on(self, topic: str, records: int) -> list[Received]:
        """So many records of a topic, from its beginning, read by somebody else."""
        subscription = await self.bus.subscribe(uuid4().hex, topic)
        found: list[Received] = []
        async with asyncio.timeout(30):
            while len(found) < records:
                found += await subscription.fetch(100, 0.5)
        await subscription.close()
        return found

    async def effects(self) -> list[str]:
        """The subjects written down, in order."""
        return [str(row["subject"]) for row in await self.rows("SELECT subject FROM effects ORDER BY place")]

    async def rows(self, sql: str) -> list[asyncpg.Record]:
        async with self.db.connection() as connection:
            found: list[asyncpg.Record] = await connection.fetch(sql)
            return found

    async def _write_down(self, tx: AsyncSession, messages: Sequence[Message]) -> None:
        for message in messages:
            values = {"id": message.id, "subject": message.subject, "type": message.type}
            await tx.execute(
                text("INSERT INTO effects (event_id, subject, type) VALUES (:id, :subject, :type)"), values
            )
            if message.subject in self.broken:
                raise ValueError(f"cannot bear {message.subject}")
