"""What a service hears: one table from event type to handler."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging import inbox
from contracts.envelope import Event, Message

Apply = Callable[[AsyncSession, Sequence[Message]], Awaitable[None]]


class Handler(msgspec.Struct, frozen=True):
    """How a run of events takes effect, all in one transaction: of one type, or of all that name this handler.

    `commutes` says that the effect does not depend on earlier events of the same key, so that it never waits behind
    one that could not be applied: a complaint is not held up by a broken note about its visit.
    """

    apply: Apply
    commutes: bool = False
    holds: bool = True  # whether one that cannot be read holds up what follows on its key


class Handlers(Mapping[type[Event], Handler]):
    """The table. `versioned` topics are applied by the version in the payload and need no inbox."""

    def __init__(self, table: Mapping[type[Event], Handler | Apply], versioned: Iterable[str] = ()) -> None:
        self._table = {event: h if isinstance(h, Handler) else Handler(h) for event, h in table.items()}
        self.versioned = frozenset(versioned)

    def __getitem__(self, event: type[Event]) -> Handler:
        return self._table[event]

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def hears(self, event_type: str) -> bool:
        """Whether events of this type, in whichever version, concern this service."""
        return event_type.rpartition(".v")[0] in {
            event.type.rpartition(".v")[0] for event, handler in self._table.items() if handler.holds
        }

    @property
    def topics(self) -> list[str]:
        """The topics heard."""
        return sorted({event.topic for event in self._table})

    async def apply(self, tx: AsyncSession, messages: Sequence[Message]) -> Sequence[Message]:
        """Applies what was not applied before, in the order of each key, and returns it."""
        messages = await self._new(tx, messages)
        for apply, run in self.runs(messages):
            await apply(tx, run)
        return messages

    def runs(self, messages: Sequence[Message]) -> Iterator[tuple[Apply, list[Message]]]:
        """`messages` in as few runs of one handler as the order of each key allows: between keys there is none, so that
        what alternates on a topic is applied together all the same."""
        last: dict[str, tuple[int, Apply]] = {}  # of each key: in which turn its last message is applied, and by whom
        turns: list[dict[Apply, list[Message]]] = []
        for message in messages:
            apply = self._table[type(message.event)].apply
            turn, before = last.get(message.event.key, (0, apply))
            turn += apply is not before
            last[message.event.key] = turn, apply
            if turn == len(turns):
                turns.append({})
            turns[turn].setdefault(apply, []).append(message)
        return ((apply, run) for its in turns for apply, run in its.items())

    async def _new(self, tx: AsyncSession, messages: Sequence[Message]) -> list[Message]:
        once = [message.id for message in messages if message.event.topic not in self.versioned]
        fresh = await inbox.see(tx, once) if once else set()
        new = []
        for message in messages:
            if message.event.topic in self.versioned:
                new.append(message)
            elif message.id in fresh:
                fresh.remove(message.id)  # the same event twice in one batch
                new.append(message)
        return new
