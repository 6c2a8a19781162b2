"""Where people are reached: asked of visit_api at the moment of sending, handed to the channel, and kept nowhere."""

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import quote

from chassis.peer import Peer

STAFF, CUSTOMER = "staff", "customer"
_PATHS = {STAFF: "/staff/{}/contact", CUSTOMER: "/customers/{}/contact"}


class Addressee(NamedTuple):
    """Who a message is for: a member of staff by number, or a customer by id."""

    kind: str
    name: str


class Contacts:
    """What visit_api says of people just now."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def addresses(self, people: Collection[Addressee], reach: str) -> dict[Addressee, str | None]:
        """The phone number or e-mail address of each of `people`; None where there is none. Raises `Outage`."""
        its = list(people)
        answers = await asyncio.gather(*(self._ask(one) for one in its))
        return {one: (answer or {}).get(reach) or None for one, answer in zip(its, answers, strict=True)}

    async def _ask(self, one: Addressee) -> dict[str, Any] | None:
        answer: dict[str, Any] | None = await self._peer.get(_PATHS[one.kind].format(quote(one.name, safe="")))
        return answer

    async def close(self) -> None:
        """Gives back the connections."""
        await self._peer.close()
