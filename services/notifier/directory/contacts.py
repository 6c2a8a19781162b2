"""Where people are reached: asked of visit_api at the moment of sending, handed to the channel, and kept nowhere."""

import asyncio
import logging
from collections.abc import Collection
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import quote

from chassis.peer import Peer, Unanswered

log = logging.getLogger(__name__)

STAFF, CUSTOMER = "staff", "customer"
# A customer is written to only by what they agreed to; that they may be called is no such thing.
_AGREED = {"phone": "sms", "email": "email"}
_PATHS = {STAFF: "/staff/{}/contact", CUSTOMER: "/customers/{}/contact"}


class Addressee(NamedTuple):
    """Who a message is for: a member of staff by number, or a customer by id."""

    kind: str
    name: str


class Nowhere(Enum):
    """Why somebody is reached nowhere on a channel."""

    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"  # whoever may be written to at the customer agreed to something else, or nobody did


class Contacts:
    """What visit_api says of people just now."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def addresses(self, people: Collection[Addressee], reach: str) -> dict[Addressee, str | Nowhere]:
        """The phone number or e-mail address of each of `people`, or why there is none. Of whom alone it cannot be
        said is left out, so that nobody waits for them. Raises `Outage`."""
        its = list(people)
        answers = await asyncio.gather(*(self._ask(one) for one in its))
        return {
            one: _address(one, answer, reach) for one, answer in zip(its, answers, strict=True) if answer is not None
        }

    async def _ask(self, one: Addressee) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] | None = await self._peer.get(_PATHS[one.kind].format(quote(one.name, safe="")))
        except Unanswered as error:
            log.warning("nobody says how one person is reached", extra={"kind": one.kind, "error": str(error)})
            return None
        return answer or {}

    async def close(self) -> None:
        """Gives back the connections."""
        await self._peer.close()


def _address(one: Addressee, answer: dict[str, Any], reach: str) -> str | Nowhere:
    if one.kind == CUSTOMER and answer and _AGREED[reach] not in answer.get("channels", ()):
        return Nowhere.NO_CONSENT
    return answer.get(reach) or Nowhere.NO_ADDRESS
