"""What the inside must look like when all is quiet, held against the outside ledger.

Read by PostgreSQL's administrator and past our own bus adapters; each check fails with the ids that break the promise.
"""

import importlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import asyncpg

from chassis.messaging.handlers import Handlers
from contracts.deadlines import LadderEvent
from contracts.topics import TOPICS
from notifier.deliveries.sender import Sender
from tests.faults.bus_reader import EmbeddedReader, KafkaReader, OnBus, Reader
from tests.faults.ledger import Ledger
from tests.support.databases import SERVICES
from tests.support.eventually import eventually
from tests.support.processes import Processes

# In the order in which work flows: what is empty stays empty once everything before it is.
_WAITING: list[tuple[str, str]] = [
    ("visit_api", "outbox WHERE published_at IS NULL"),
    ("appeal_tracker", "visit.events"),
    ("appeal_tracker", "directory.changes"),
    ("appeal_tracker", "timers WHERE state = 'pending' AND fire_at <= $1"),
    ("appeal_tracker", "outbox WHERE published_at IS NULL"),
    ("visit_api", "appeal.events"),
    ("notifier", "visit.events"),
    ("notifier", "directory.changes"),
    ("notifier", "appeal.events"),
    ("notifier", "notices WHERE plan_at IS NOT NULL"),
    ("notifier", "deliveries WHERE state IN ('queued', 'deferred', 'failed') AND not_before <= $1"),
    ("notifier", "sends WHERE state = 'sending'"),
    ("notifier", "outbox WHERE published_at IS NULL"),
]

# Of the canary nobody is told.
_TIMERS = """
SELECT clock_id, step, fire_at, fired_at, timers.state
FROM timers JOIN clocks ON clocks.id = clock_id WHERE subject_kind <> 'canary'
"""


@dataclass
class Audit:
    """Looks into `services`; `async with`, for it keeps connections."""

    services: Processes
    _connections: dict[str, asyncpg.Connection] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections.values():
            connection.terminate()

    @property
    def reader(self) -> Reader:
        return KafkaReader(self.services.kafka) if self.services.kafka else EmbeddedReader(self.services.admin("bus"))

    async def rows(self, service: str, sql: str, *values: Any) -> list[asyncpg.Record]:
        """What a service has stored."""
        connection = self._connections.get(service)
        if connection is None or connection.is_closed():
            self._connections[service] = connection = await asyncpg.connect(self.services.admin(service))
        found: list[asyncpg.Record] = await connection.fetch(sql, *values)
        return found

    async def waiting(self) -> str | None:
        """Something that is still to be done, or to be heard."""
        for service, what in _WAITING:
            if what in TOPICS:
                count = await self.reader.lag(service, what)
            else:
                values = [self.services.now()] if "$1" in what else []
                count = (await self.rows(service, f"SELECT count(*) FROM {what}", *values))[0][0]
            if count:
                return f"{service}: {count} of {what}"
        return None

    async def until_quiet(self, within: float = 60.0) -> None:
        """Waits until nothing is to be done any more and every service is ready."""

        async def quiet() -> bool:
            assert not self.services.accidents(), self.services.accidents()
            waiting = await self.waiting()
            assert waiting is None, waiting
            return True

        await eventually(quiet, within=within)
        await self.services.until_ready()

    async def until_told(self, service: str, within: float = 30.0) -> None:
        """Waits until nothing in a service's outbox is unpublished."""

        async def published() -> bool:
            return await self.rows(service, "SELECT FROM outbox WHERE published_at IS NULL") == []

        await eventually(published, within=within)

    async def expire_leases(self) -> None:
        """Lets run out what a dead sender has leased: leases are in real time, which a test does not wait for."""
        before = datetime.fromtimestamp(self.services.started("notifier"), UTC) + Sender.Config.lease
        sql = "UPDATE sends SET leased_until = now() WHERE state = 'sending' AND leased_until < $1"
        await self.rows("notifier", sql, before)

    async def everything(self, ledger: Ledger) -> None:
        """Every promise; to be called when all is quiet."""
        await self.stored(ledger)
        await self.tracked(ledger)
        await self.followed(ledger)
        await self.known(ledger)
        await self.told()
        await self.heard()
        await self.fired()
        await self.delivered()
        for service in SERVICES:
            assert await self.rows(service, "SELECT topic, reason FROM dead_letters") == []

    async def stored(self, ledger: Ledger) -> None:
        """visit_api has what was acknowledged, each once, and nothing else; the directory is known everywhere."""
        kept: dict[str, Iterable[UUID]] = {"units": ledger.units, "staff": ledger.staff, "customers": ledger.customers}
        kept |= {"visits": ledger.visits(), "appeals": ledger.appeals()}
        for table, acknowledged in kept.items():
            same(await self._ids("visit_api", table), acknowledged, f"{table} of visit_api")
        for table in ("units", "staff"):
            for hearer in ("appeal_tracker", "notifier"):
                same(await self._ids(hearer, table), kept[table], f"{table} of {hearer}")
        states = {row["id"]: row["state"] for row in await self.rows("visit_api", "SELECT id, state FROM visits")}
        for act, state in (("cancel", "cancelled"), ("archive", "archived")):
            same([visit for visit, its in states.items() if its == state], ledger.visits(act), f"{state} visits")
        closed = await self._ids("visit_api", "appeals WHERE state = 'closed'")
        same(closed, ledger.appeals("close"), "appeals that visit_api knows to be closed")

    async def tracked(self, ledger: Ledger) -> None:
        """The tracker has every appeal once, with its two clocks, and every act once."""
        same(await self._ids("appeal_tracker", "appeals"), ledger.appeals(), "appeals of appeal_tracker")
        on_appeals = "SELECT subject_id, milestone FROM clocks WHERE subject_kind = 'appeal'"
        clocks = await self.rows("appeal_tracker", on_appeals)
        two = [(appeal, milestone) for appeal in ledger.appeals() for milestone in ("contact", "answer")]
        same([tuple(row) for row in clocks], two, "clocks")
        for table in ("contacts", "answers", "callbacks"):
            acts = [row["appeal_id"] for row in await self.rows("appeal_tracker", f"SELECT appeal_id FROM {table}")]
            same(acts, [done.appeal for done in ledger.of(table)], table)
        closed = await self._ids("appeal_tracker", "appeals WHERE state = 'closed'")
        same(closed, ledger.appeals("close"), "closed appeals of appeal_tracker")

    async def followed(self, ledger: Ledger) -> None:
        """The tracker has every visit once, as visit_api has it, and with what the client did to it."""
        times = [f"{fact}_at" for fact in ("arrived", "started", "completed", "cancelled", "missed", "archived")]
        columns = f"SELECT id, unit_code, {{}}, {', '.join(times)} FROM visits"
        found = await self.rows("appeal_tracker", columns.format("array_to_string(visitors, ' ')"))
        kept = await self.rows("visit_api", columns.format("array_to_string(visitor_ids, ' ')"))
        same(map(tuple, found), map(tuple, kept), "visits of appeal_tracker")
        same([row["id"] for row in found], ledger.visits(), "visits of appeal_tracker")
        for act, time in {"start": "started_at", "complete": "completed_at", "archive": "archived_at"}.items():
            same([row["id"] for row in found if row[time]], ledger.visits(act), f"visits by {time}")

    async def known(self, ledger: Ledger) -> None:
        """The notifier knows every appeal, what ended and what there is nothing left to warn of."""
        subjects = await self.rows("notifier", "SELECT id, ended FROM subjects")
        ends = dict.fromkeys(ledger.visits("archive"), "archived") | dict.fromkeys(ledger.visits("cancel"), "cancelled")
        ends |= dict.fromkeys(ledger.appeals(), None) | dict.fromkeys(ledger.appeals("close"), "resolved")
        same(map(tuple, subjects), ends.items(), "subjects of notifier")
        stops = await self.rows("notifier", "SELECT subject_id, milestone, certain FROM stops")
        acts = {"contacts": [("contact", False)], "callbacks": [("callback", False)]}
        acts["answers"] = [("answer", True), ("contact", True)]
        done = [(appeal, *stop) for act, its in acts.items() for appeal in ledger.appeals(act) for stop in its]
        same(map(tuple, stops), done, "what the notifier knows to be done")

    async def heard(self) -> None:
        """Each service has taken in whatever was told of the kinds that it hears, and nothing else; of what goes by
        versions it has the last."""
        for service in self.services.names:
            hears = handlers_of(service)
            told = [
                record.id
                for topic in hears.topics
                if not TOPICS[topic].compacted
                for record in await self.reader.read(topic)
                if type(record.message.event) in hears
            ]
            same(await self._ids(service, "inbox", "event_id"), set(told), f"inbox of {service}")
            for table in ("units", "staff") if "directory.changes" in hears.topics else ():
                versions = f"SELECT id, version FROM {table}"
                kept = await self.rows("visit_api", versions)
                same(map(tuple, await self.rows(service, versions)), map(tuple, kept), f"{table} of {service}")

    async def told(self) -> dict[str, list[OnBus]]:
        """What was stored to be told is on its topic, as it was stored, and nothing else is; returns the topics."""
        topics = {}
        for topic in (its for its in TOPICS.values() if its.writer in self.services.names):
            outbox = await self.rows(
                topic.writer,
                "SELECT id, aggregateid, payload FROM outbox WHERE aggregatetype = $1 ORDER BY seq",
                topic.name,
            )
            topics[topic.name] = on_bus = await self.reader.read(topic.name)
            told = {record.id: (record.key, record.value) for record in on_bus}
            stored = {row["id"]: (row["aggregateid"], row["payload"]) for row in outbox}
            assert len(stored) == len(outbox), "an event id was used twice"
            assert told.items() <= stored.items(), f"announced, not stored: {told.keys() - stored.keys()}"
            if topic.compacted:  # the last of each key stays
                last = {row["aggregateid"]: row["id"] for row in outbox}
                stored = {event: stored[event] for event in last.values()}
            assert stored.items() <= told.items(), f"stored, not announced: {stored.keys() - told.keys()}"
            assert not await self.reader.read(f"{topic.name}.dlq")
        return topics

    async def fired(self) -> None:
        """Every due timer fired once, none early, each told as one event and heard by the notifier as one notice."""
        timers = await self.rows("appeal_tracker", _TIMERS)
        assert [row for row in timers if row["state"] == "fired" and row["fired_at"] < row["fire_at"]] == []
        now = self.services.now()
        assert [row for row in timers if row["state"] == "pending" and row["fire_at"] <= now] == []
        fired = [(row["clock_id"], row["step"]) for row in timers if row["state"] == "fired"]
        events = {record.id: record.message.event for record in await self.reader.read("appeal.events")}
        ladder = {its: event for its, event in events.items() if isinstance(event, LadderEvent)}
        same([(event.clock_id, event.step) for event in ladder.values()], fired, "steps told")
        same(await self._ids("notifier", "notices", "event_id"), list(ladder), "notices")

    async def delivered(self) -> None:
        """Every notice that names somebody became deliveries, all settled; the mailbox took each send once, and no
        other."""
        deliveries = await self.rows(
            "notifier", "SELECT id, event_id, recipient, channel, state, send_id FROM deliveries"
        )
        assert [dict(row) for row in deliveries if row["state"] not in {"sent", "delivered", "cancelled"}] == []
        # Of several late steps the highest tells the audience of all: the others name nobody.
        naming = await self.rows("notifier", "SELECT event_id FROM notices WHERE audience <> '{}'")
        notices = {row["event_id"] for row in naming}
        assert {row["event_id"] for row in deliveries} == notices, "a notice reached nobody"
        same({tuple(row)[1:4] for row in deliveries}, [tuple(row)[1:4] for row in deliveries], "deliveries")
        letters = await self.rows("notifier", "SELECT send_id, attempts FROM mailbox")
        sent = {row["send_id"] for row in deliveries if row["state"] in ("sent", "delivered")}
        same([row["send_id"] for row in letters], sent, "letters in the mailbox")
        assert [row for row in letters if row["attempts"] != 1] == [], "handed over twice"

    async def _ids(self, service: str, table: str, column: str = "id") -> list[UUID]:
        return [row[0] for row in await self.rows(service, f"SELECT {column} FROM {table}")]


def handlers_of(service: str) -> Handlers:
    """The table of what a service hears. It is only looked at: nothing stands behind it."""
    found: Handlers = importlib.import_module(f"{service}.handlers").handlers(None)
    return found


def same(found: Iterable[Any], expected: Iterable[Any], what: str) -> None:
    """Each of `expected` is found exactly as often, and nothing else."""
    found_, expected_ = Counter(found), Counter(expected)
    lost, too_many = expected_ - found_, found_ - expected_
    assert not lost + too_many, f"{what}: lost {dict(lost)}, not asked for {dict(too_many)}"
