"""The link by which a customer rates an answer: asked of the tracker when a message is handed over, by the send's id,
so that the same send bears the same link; kept nowhere."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from chassis.outage import Outage
from chassis.peer import Declined, Peer, Unanswered
from notifier.channels.port import Letter
from notifier.templates.wording import LONGEST_LINK, with_link

log = logging.getLogger(__name__)

UNAVAILABLE = "link_unavailable"  # the tracker is away
NOT_DUE = "link_not_due"
# What the tracker lacks, not the appeal: once it is set, there is a link.
_NOT_SET = "no_address"
_NO_LINK = "/link-not-due"


class NotDue(msgspec.Struct, frozen=True):
    """There is nothing that the customer could say of it any more, or yet; `why`, as a code."""

    why: str


class Links:
    """What the tracker says of links just now."""

    patience = 3.0  # seconds; the lease of a send runs meanwhile
    pause = 10.0  # seconds for which nobody asks, once nobody answered

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._away_until = float("-inf")

    async def of(self, letters: Iterable[Letter]) -> dict[UUID, Letter | NotDue]:
        """Each letter with its link, or that there is none for it; those of which nobody tells just now are left out.
        One that bears none is as it was."""
        its = list(letters)
        bearing = [letter for letter in its if letter.link_for is not None]
        answers = await asyncio.gather(*map(self._linked, bearing)) if bearing else []
        found: dict[UUID, Letter | NotDue | None] = {letter.send_id: letter for letter in its}
        found |= {letter.send_id: answer for letter, answer in zip(bearing, answers, strict=True)}
        return {send: answer for send, answer in found.items() if answer is not None}

    async def close(self) -> None:
        """Gives back the connections."""
        await self._peer.close()

    async def _linked(self, letter: Letter) -> Letter | NotDue | None:
        if time.monotonic() < self._away_until:
            return None
        path, said = f"/appeals/{letter.link_for}/callback-links/for-send", None
        try:
            async with asyncio.timeout(self.patience):
                said = await self._peer.post(path, {"send_id": str(letter.send_id)})
        except Declined as no:
            why = str(no.problem.get("reason", ""))
            if why == _NOT_SET:
                self._away_until = time.monotonic() + self.pause
                log.error("the tracker has no public address, so that no customer is sent a link")
            elif str(no.problem.get("type", "")).endswith(_NO_LINK):
                return NotDue(f"{NOT_DUE}:{why}" if why.isidentifier() else NOT_DUE)
            return None  # of anything else it says no for the moment
        except Unanswered as error:
            log.warning("nobody tells a customer's link", extra={"send": str(letter.send_id), "error": str(error)})
            return None
        except (Outage, TimeoutError) as error:
            self._away_until = time.monotonic() + self.pause
            log.warning("nobody tells customers' links", extra={"error": type(error).__name__})
            return None
        # The tracker has not heard of the appeal yet; or it is of a version that knows nothing of links.
        return None if said is None else _filled(letter, said)


def _filled(letter: Letter, said: Any) -> Letter | None:
    url = said.get("url") if isinstance(said, dict) else None
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or len(url) > LONGEST_LINK:
        log.warning("what should be a customer's link is none", extra={"send": str(letter.send_id)})
        return None
    return msgspec.structs.replace(
        letter,
        subject=with_link(letter.subject, url),
        body=with_link(letter.body, url),
        params={name: with_link(value, url) for name, value in letter.params.items()},
        link_for=None,
    )
