"""Text messages by a cloud that says only what it has approved: a code for each text, and what is filled into it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from notifier.channels.port import Adapter, Ambiguous, Letter, Receipt, Refused


class Cloud(Adapter):
    """One account. `_free` is the code of a text into which any other goes whole, where the account has one."""

    reaches = "phone"
    patience = 4.0  # seconds
    _free: str

    async def send(self, letter: Letter) -> Receipt:
        if letter.address is None:
            raise Refused("no_address", permanent=True)
        template = letter.template or self._free
        if not template:
            raise Refused("no_template", permanent=True)
        code, reference = self._read(await self._hand_over(letter, letter.address, template))
        if reference is not None:
            return Receipt(reference or str(letter.send_id))
        if (pause := self._pause(code)) is not None:
            raise Refused(code, retry_after=pause)
        if self._is_unclear(code):
            raise Ambiguous(code)
        raise Refused(code, permanent=True)

    @abstractmethod
    async def _hand_over(self, letter: Letter, number: str, template: str) -> Mapping[str, Any]:
        """The answer to a letter that is handed over."""

    @abstractmethod
    def _read(self, answer: Mapping[str, Any]) -> tuple[str, str | None]:
        """The code of an answer, and under which reference the letter was taken; None: it was not."""

    @abstractmethod
    def _pause(self, code: str) -> float | None:
        """After how many seconds it may be tried again, where the code says so."""

    @abstractmethod
    def _is_unclear(self, code: str) -> bool:
        """Whether the letter may have been taken all the same."""
