"""The bus port: what the chassis asks of a log of records, and nothing more. Adapters: `kafka`, `embedded`."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from chassis.outage import Outage
from contracts.envelope import dead_letter

MAX_RECORD_BYTES = 1_000_000  # key, value and headers together; under Kafka's own default of 1,048,588

Headers = tuple[tuple[str, bytes], ...]


class BusUnavailable(Outage):
    """The bus cannot be reached, or did not acknowledge in time."""


class UnknownTopic(BusUnavailable):
    """The topic does not exist (yet): its records wait, for its writer's deployment makes it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist")
        self.topic = topic


class RecordTooLarge(Exception):
    """A record is larger than any adapter carries; sending it again cannot help."""

    def __init__(self, record: "Record", size: int) -> None:
        super().__init__(f"record of {size} bytes for {record.topic} is over {MAX_RECORD_BYTES} bytes")
        self.record = record
        self.size = size


class TopicSpec(Protocol):
    """What an adapter must know to make a topic."""

    @property
    def name(self) -> str: ...
    @property
    def compacted(self) -> bool: ...
    @property
    def retention_days(self) -> int: ...
    @property
    def partitions(self) -> int: ...


class DeadLetterTopic(msgspec.Struct, frozen=True):
    """The topic beside a topic that takes what could not be applied."""

    of: TopicSpec
    compacted: bool = False
    retention_days: int = 90
    partitions: int = 1

    @property
    def name(self) -> str:
        return dead_letter(self.of.name)


def with_dead_letters(topics: Sequence[TopicSpec]) -> list[TopicSpec]:
    """The topics, and the one beside each."""
    return [*topics, *map(DeadLetterTopic, topics)]


class Record(msgspec.Struct, frozen=True):
    """What is published: records of one key keep their order within a topic; a `value` of None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers = ()

    def size(self) -> int:
        """Bytes as every adapter counts them."""
        size = len(self.key.encode()) + len(self.value or b"")
        for name, value in self.headers:
            size += len(name) + len(value)
        return size


class Received(msgspec.Struct, frozen=True):
    """What is read: a record and its place. `key` is bytes as written: a stranger's may not be text."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Headers


class Subscription(Protocol):
    """One group's reading of one topic, at least once."""

    async def fetch(self, limit: int, wait: float) -> list[Received]:
        """The records after those fetched before, at most `limit`, waiting up to `wait` seconds for the first; after
        a crash or a change of members reading goes on from the committed place."""
        ...

    async def commit(self, records: Sequence[Received]) -> None:
        """Stores that `records`, as fetched, are done. Losing the race against a new member is normal, not an error."""
        ...

    async def lag(self) -> int:
        """Records behind the end of the log, of the parts this member reads."""
        ...

    async def close(self) -> None:
        """Leaves the group; safe twice."""
        ...


class Bus(Protocol):
    """The log itself."""

    async def start(self) -> None: ...

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns when every record is acknowledged; otherwise raises, and any of them may have been written."""
        ...

    async def subscribe(self, group: str, topic: str) -> Subscription: ...

    async def ensure(self, topics: Iterable[TopicSpec]) -> None:
        """Makes the topics that are missing; safe to repeat, and by several at once."""
        ...

    async def maintain(self, topics: Iterable[TopicSpec]) -> None:
        """Applies retention and compaction where the log does not do so by itself."""
        ...

    async def ping(self) -> None:
        """Raises when the bus cannot be used."""
        ...

    async def close(self) -> None: ...


def check_size(records: Iterable[Record]) -> None:
    """Raises `RecordTooLarge` for the first record that no adapter would carry."""
    for record in records:
        if (size := record.size()) > MAX_RECORD_BYTES:
            raise RecordTooLarge(record, size)
