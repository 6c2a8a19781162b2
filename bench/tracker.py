"""The tracker as a hearer of raised appeals, in the process of whoever asks."""

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

from bench.events import AT, UNIT, raised
from chassis.clock import Clock
from chassis.garbage import spare_what_is_loaded
from chassis.ids import new_id
from chassis.messaging.bus import Record
from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from chassis.process import Service
from chassis.runtime import Runtime
from contracts.directory import UnitChanged
from contracts.envelope import Message, encode_payload, headers
from contracts.topics import TOPICS, dead_letter

SERVICE = "appeal_tracker"
TOPIC = TOPICS["visit.events"]
WRITTEN = ("inbox", "appeals", "words_wanted", "clocks", "timers", "timeline", "outbox")  # what one event leaves behind

BusName = Literal["embedded", "kafka"]
BUSES: Mapping[BusName, str] = {"embedded": "embedded log", "kafka": "Kafka"}


@asynccontextmanager
async def tracker(environment: Mapping[str, str], clock: Clock | None = None) -> AsyncIterator[Runtime]:
    """The tracker's runtime; `environment` is what its process would be started with, `clock` its domain time. It knows
    the unit of all appeals, as it does of all but a company's first."""
    prefix = f"{SERVICE}_".upper()
    values = {
        name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)
    }
    async with Runtime(SERVICE, _service().settings(**values), clock) as runtime:  # type: ignore[arg-type]
        await runtime.bus.ensure([TOPIC, TOPIC._replace(name=dead_letter(TOPIC.name))])
        await _hear_of_the_unit(runtime)
        spare_what_is_loaded()
        yield runtime


async def _hear_of_the_unit(runtime: Runtime) -> None:
    unit = UnitChanged(id=UUID(int=1), unit_code=UNIT, parent_code=None, version=1)
    told = Message(
        id=new_id(), type=unit.type, source="/visit_api", subject=unit.subject, time=AT, event=unit, traceparent=None
    )
    async with runtime.db.transaction() as tx:
        await handlers(runtime).apply(tx, [told])


def handlers(runtime: Runtime) -> Handlers:
    """What it hears, and what it does then."""
    return _service().handlers(runtime)


def consumer(runtime: Runtime, its: Handlers | None = None) -> Consumer:
    """The consumer of the topic on which appeals are raised."""
    heard = its or handlers(runtime)
    return Consumer(SERVICE, runtime.db, runtime.bus, runtime.outbox, runtime.clock, heard, TOPIC.name)


def records(count: int) -> list[Record]:
    """Raised appeals as the relay publishes them."""
    return [
        Record(
            TOPIC.name,
            event.key,
            encode_payload(event),
            tuple(headers(new_id(), event.type, "/visit_api", event.subject, AT)),
        )
        for event in (raised() for _ in range(count))
    ]


def _service() -> Service:
    service: Service = importlib.import_module(f"{SERVICE}.__main__").SERVICE
    return service
