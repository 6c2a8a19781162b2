"""The port every channel stands behind, and the ways in which handing over a send can end."""

from typing import Protocol
from uuid import UUID

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """What a provider is handed. `send_id` is its idempotency key: the same id is always the same letter."""

    send_id: UUID
    recipient: str
    subject: str
    body: str


class Receipt(msgspec.Struct, frozen=True):
    """A provider's word that it has the letter; `delivered` if it also says that it has arrived."""

    reference: str
    delivered: bool = False


class ChannelError(Exception):
    """Root of what a channel may raise; `reason` is short and free of contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(ChannelError):
    """The provider did not take the letter, for certain. `permanent`: trying again cannot help; otherwise not before
    `retry_after` seconds."""

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


class Ambiguous(ChannelError):
    """Nobody knows whether the provider took the letter: its answer was lost."""


class CannotTell(ChannelError):
    """The provider cannot be asked what became of a letter, or not now."""


class Channel(Protocol):
    """One way of sending."""

    @property
    def idempotent(self) -> bool:
        """Whether the provider takes a letter of one id only once, however often it is handed over."""
        ...

    async def send(self, letter: Letter) -> Receipt:
        """Hands the letter over. Raises `Refused` or `Ambiguous`."""
        ...

    async def find(self, send_id: UUID) -> Receipt | None:
        """What became of a letter whose answer was lost; None: the provider never took it. Raises `CannotTell`."""
        ...
