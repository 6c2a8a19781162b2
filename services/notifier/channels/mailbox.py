"""The built-in local mailbox: a provider that happens to live in our database, and is treated like a foreign one.

It commits by itself, knows nothing of deliveries, and keeps its own ledger, against which ours can be checked.
"""

import asyncio

from chassis.clock import Clock
from chassis.db import Database, is_outage
from notifier.channels.port import Adapter, Ambiguous, CannotTell, Letter, Receipt

_ACCEPT = """
INSERT INTO mailbox (send_id, recipient, subject, body, accepted_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (send_id) DO UPDATE SET attempts = mailbox.attempts + 1, updated_at = excluded.updated_at,
    changed_xid = excluded.changed_xid
"""
_FIND = "SELECT true FROM mailbox WHERE send_id = $1"


class Mailbox(Adapter):
    """Takes every letter, each id once; counts every time it is handed over."""

    idempotent = True
    at_once = 4  # letters; the rest of the process wants connections too

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._turns = asyncio.Semaphore(self.at_once)

    async def send(self, letter: Letter) -> Receipt:
        words = (letter.send_id, letter.recipient, letter.subject, letter.body)
        try:
            async with self._turns, self._db.connection() as connection:
                await connection.execute(_ACCEPT, *words, self._clock.now())
        except Exception as error:
            if is_outage(error):
                raise Ambiguous("the mailbox is away") from error  # a COMMIT may be lost in flight
            raise
        return Receipt(str(letter.send_id))

    async def find(self, letter: Letter) -> Receipt | None:
        try:
            async with self._turns, self._db.connection() as connection:
                found = await connection.fetchval(_FIND, letter.send_id)
        except Exception as error:
            if is_outage(error):
                raise CannotTell("the mailbox is away") from error
            raise
        return Receipt(str(letter.send_id)) if found else None
