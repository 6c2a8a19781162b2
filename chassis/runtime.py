"""What every part of a service's process stands on: settings, clock, database, bus, outbox, vault."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from chassis.clock import Clock, clock_from
from chassis.db import Database
from chassis.messaging import inbox, outbox
from chassis.messaging.bus import Bus, TopicSpec, with_dead_letters
from chassis.messaging.consumer import Consumer
from chassis.messaging.embedded import EmbeddedBus
from chassis.messaging.handlers import Handlers
from chassis.messaging.housekeeping import Housekeeping
from chassis.messaging.outbox import Outbox
from chassis.messaging.relay import Relay
from chassis.settings import AuthSettings, BusSettings, ClockSettings, DatabaseSettings, HttpSettings, VaultSettings
from chassis.vault import Vault
from chassis.web import idempotency
from chassis.worker import Worker
from contracts.envelope import dead_letter

# An inbox must outlive every topic it guards (the longest keeps 14 days, compacted ones need no inbox).
KEEP_INBOX = timedelta(days=30)
KEEP_OUTBOX = timedelta(days=14)
KEEP_IDEMPOTENCY_KEYS = timedelta(days=3)

# Connections beside those of requests: for lanes that are always at work, and for the other loops in turn.
FOR_LOOPS = 11


class RuntimeSettings(DatabaseSettings, HttpSettings, AuthSettings, BusSettings, ClockSettings, VaultSettings):
    """What a runtime is made from; a service's settings add its prefix and its own fields."""


class Runtime:
    """Opened and closed once by the process; the parts of the process share it."""

    def __init__(self, service: str, settings: RuntimeSettings, clock: Clock | None = None) -> None:
        self.service = service
        self.settings = settings
        self.clock = clock or clock_from(settings.clock_file)
        self.db = Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            spare=FOR_LOOPS,
            name=service,
        )
        self.bus = bus_from(service, settings)
        self.outbox = Outbox(f"/{service}")
        self.vault = Vault(self.db, settings.vault_keys)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bus.close()
        await self.db.close()

    def relay(self, writes: Sequence[TopicSpec], hears: Sequence[str] = ()) -> list[Worker]:
        """The parts of a relay process: the relay of the topics written (and of the dead letters of those heard),
        and the housekeeping."""
        topics = [topic.name for topic in writes] + [dead_letter(topic) for topic in hears]
        relay = Relay(self.service, self.db, self.bus, topics)
        self.outbox.wake = relay.wake
        purges = [
            (inbox.purge, KEEP_INBOX),
            (outbox.purge, KEEP_OUTBOX),
            (idempotency.purge, KEEP_IDEMPOTENCY_KEYS),
        ]
        return [relay, Housekeeping(self.service, self.db, self.bus, with_dead_letters(writes), purges)]

    def consume(self, handlers: Handlers) -> list[Worker]:
        """The parts of a consuming process: one consumer per topic heard."""
        return [
            Consumer(self.service, self.db, self.bus, self.outbox, self.clock, handlers, topic)
            for topic in handlers.topics
        ]


def bus_from(service: str, settings: RuntimeSettings) -> Bus:
    """The bus that the settings name."""
    if settings.bus == "kafka":
        assert settings.kafka_bootstrap_servers is not None, "checked by the settings"
        from chassis.messaging.kafka import KafkaBus  # not loaded where the embedded bus runs: it costs 10 MB

        return KafkaBus(settings.kafka_bootstrap_servers, replication=settings.kafka_replication, client_id=service)
    assert settings.bus_database_url is not None, "checked by the settings"
    url = settings.bus_database_url.get_secret_value()
    return EmbeddedBus(Database(url, pool_size=6, name=f"{service} bus", by_index=True))
