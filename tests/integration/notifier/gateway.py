"""A provider in the test's hand."""

from typing import Any
from uuid import UUID

from notifier.channels.port import Adapter, Ambiguous, CannotTell, Letter, Reach, Receipt
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from tests.integration.notifier.office import Office

EXPIRE = "UPDATE sends SET leased_until = now() - interval '1 second' WHERE state = 'sending'"


class Gateway(Adapter):
    """A provider in the test's hand: `answers` are given in turn, then it takes what comes; it keeps its own ledger."""

    reaches: Reach | None = None

    def __init__(self, *answers: Exception, idempotent: bool = True, asked: bool = True) -> None:
        self.answers = list(answers)
        self.idempotent, self.asked = idempotent, asked
        self.ledger: dict[UUID, int] = {}
        self.letters: list[Letter] = []
        self.loses_answers = False

    async def send(self, letter: Letter) -> Receipt:
        if self.answers:
            raise self.answers.pop(0)
        self.letters.append(letter)
        self.ledger[letter.send_id] = self.ledger.get(letter.send_id, 0) + 1
        if self.loses_answers:
            raise Ambiguous("the line went dead")
        return Receipt("ok", delivered=True)

    async def find(self, letter: Letter) -> Receipt | None:
        if not self.asked:
            raise CannotTell("no such service")
        return Receipt("found") if letter.send_id in self.ledger else None

    def takes_once(self, letter: Letter) -> bool:
        return self.idempotent


def sender_of(office: Office, gateway: Any) -> Sender:
    office.sender.channel = gateway
    office.sender.config.back_off = BackOff(first=0.0, most=3)
    return office.sender


async def one(office: Office) -> dict[str, Any]:
    (delivery,) = await office.deliveries()
    return delivery
