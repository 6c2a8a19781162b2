"""What a service hears: one table from event type to handler."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging import inbox
from contracts.envelope import Event, Message

Apply = Callable[[AsyncSession, Sequence[Message]], Awaitable[None]]


class Handler(msgspec.Struct, frozen=True):
    """How a run of events of one type takes effect, all in one transaction.

    `commutes` says that the effect does not depend on earlier events of the same key, so that it never waits behind
    one that could not be applied: a complaint is not held up by a broken note about its visit.
    """

    apply: Apply
    commutes: bool = False


class Handlers(Mapping[type[Event], Handler]):
    """The table. `versioned` topics are applied by the version in the payload and need no inbox."""

    def __init__(self, table: Mapping[type[Event], Handler | Apply], versioned: Iterable[str] = ()) -> None:
        self._table = {event: h if isinstance(h, Handler) else Handler(h) for event, h in table.items()}
        self._versioned = frozenset(versioned)

    def __getitem__(self, event: type[Event]) -> Handler:
        return self._table[event]

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def hears(self, event_type: str) -> bool:
        """Whether events of this type, in whichever version, concern this service."""
        return event_type.rpartition(".v")[0] in {event.type.rpartition(".v")[0] for event in self._table}

    @property
    def topics(self) -> list[str]:
        """The topics heard."""
        return sorted({event.topic for event in self._table})

    async def apply(self, tx: AsyncSession, messages: Sequence[Message]) -> Sequence[Message]:
        """Applies what was not applied before, in order, and returns it."""
        messages = await self._new(tx, messages)
        for event, run in groupby(messages, key=lambda message: type(message.event)):
            await self._table[event].apply(tx, list(run))
        return messages

    async def _new(self, tx: AsyncSession, messages: Sequence[Message]) -> list[Message]:
        once = [message.id for message in messages if message.event.topic not in self._versioned]
        fresh = await inbox.see(tx, once) if once else set()
        new = []
        for message in messages:
            if message.event.topic in self._versioned:
                new.append(message)
            elif message.id in fresh:
                fresh.remove(message.id)  # the same event twice in one batch
                new.append(message)
        return new
