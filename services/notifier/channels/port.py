"""The port every channel stands behind, and the ways in which handing over a send can end."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.channels.limits import Limit

# What a channel must know of a recipient to reach them.
Reach = Literal["phone", "email"]


class Letter(msgspec.Struct, frozen=True):
    """What a provider is handed. `send_id` is its idempotency key: the same id is always the same letter.

    `address` is a number or an e-mail address, asked for at the moment of sending and kept nowhere; `account` is whose
    credentials it goes out under; `template` and `params` are the provider's own code for the text, where it has one;
    `times` is how often it was handed over, where it is asked what became of it. `link_for` is the appeal whose
    customer's link is still to be filled in.
    """

    send_id: UUID
    recipient: str
    subject: str
    body: str
    address: str | None = None
    account: UUID | None = None
    template: str | None = None
    params: Mapping[str, str] = {}
    times: int = 1
    link_for: UUID | None = None

    @property
    def made_at(self) -> datetime:
        """When its id was made, in real time: a UUIDv7 tells."""
        return datetime.fromtimestamp((self.send_id.int >> 80) / 1000, UTC)

    @property
    def text(self) -> str:
        """Subject and body, for a provider that knows only one text."""
        return f"{self.subject}\n{self.body}" if self.subject else self.body


class Receipt(msgspec.Struct, frozen=True):
    """A provider's word that it has the letter; `delivered` if it also says that it has arrived, `failed` why it never
    will."""

    reference: str
    delivered: bool = False
    failed: str | None = None


class ChannelError(Exception):
    """Root of what a channel may raise; `reason` is short and free of contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(ChannelError):
    """The provider did not take the letter, for certain. `permanent`: trying again cannot help; otherwise not before
    `retry_after` seconds, and with `all_wait` nor may any other letter of the account."""

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: float = 0, all_wait: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after
        self.all_wait = all_wait


class Ambiguous(ChannelError):
    """Nobody knows whether the provider took the letter: its answer was lost."""


class CannotTell(ChannelError):
    """The provider cannot be asked what became of a letter, or not now; if `ask_again`, in so many seconds."""

    def __init__(self, reason: str, *, ask_again: float | None = None) -> None:
        super().__init__(reason)
        self.ask_again = ask_again


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """Under which code an account's provider has the text of an event, and what is filled into it in what order: all
    there is, where that is not said."""

    event_type: str
    code: str
    params: tuple[str, ...] | None = None

    def filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """What is filled in."""
        return dict(values) if self.params is None else {name: values.get(name, "") for name in self.params}


class Terms(msgspec.Struct, frozen=True):
    """On which terms something goes out for a unit: by which account, in texts of so many bytes, so many at a time; not
    at all for `paused` seconds, nor while the account has a `problem`. `calls`: it is said to a group, all at once for
    all it concerns, who are called on in this form. `codes`: those of the account, by event, `worded`: also what has
    one goes out in our words, as well as what fills it; `coded`: it says nothing that has none."""

    account: UUID | None = None
    bytes: int | None = None
    limits: tuple[Limit, ...] = ()
    calls: str = ""
    paused: float = 0.0
    problem: str | None = None
    codes: Mapping[str, Code] = {}
    worded: bool = True
    coded: bool = False


FREE = Terms()


class Channel(Protocol):
    """One way of sending."""

    @property
    def reaches(self) -> Reach | None:
        """What of a recipient's contact data it needs; None: the recipient's number is enough."""
        ...

    async def send(self, letter: Letter) -> Receipt:
        """Hands the letter over. Raises `Refused` or `Ambiguous`."""
        ...

    async def find(self, letter: Letter) -> Receipt | None:
        """What became of a letter whose answer was lost; None: the provider never took it. Raises `CannotTell`."""
        ...

    def takes_once(self, letter: Letter) -> bool:
        """Whether the provider takes a letter of one id only once, however often it is handed over."""
        ...

    async def terms(self, tx: AsyncSession, units: Collection[str]) -> Mapping[str, Terms | None]:
        """On which terms it sends for each of `units`; None: there is no account for that one."""
        ...

    async def close(self) -> None:
        """Gives back what it holds open; safe twice."""
        ...


class Adapter(ABC):
    """A channel of one provider. Unless it says otherwise it may double, and cannot be asked."""

    reaches: ClassVar[Reach | None] = None
    idempotent: ClassVar[bool] = False

    @abstractmethod
    async def send(self, letter: Letter) -> Receipt: ...

    async def find(self, letter: Letter) -> Receipt | None:
        raise CannotTell("this provider cannot be asked")

    def takes_once(self, letter: Letter) -> bool:
        return self.idempotent

    async def terms(self, tx: AsyncSession, units: Collection[str]) -> Mapping[str, Terms | None]:
        return dict.fromkeys(units, FREE)

    async def close(self) -> None:
        """Nothing is held open."""
