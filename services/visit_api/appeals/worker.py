"""The loop that seals the words of what was raised, a moment after it was."""

import logging
import time
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from chassis.db import driver
from chassis.runtime import Runtime
from chassis.vault import KeysMissing, VaultError
from chassis.worker import Worker
from visit_api.appeals import sealing
from visit_api.appeals.models import Words
from visit_api.base import key_digest
from visit_api.directory.units import top_unit
from visit_api.settings import keeps_plain

log = logging.getLogger(__name__)
_unsealed = Counter("appeals_unsealed", "Times that the words of an appeal could not be sealed, and stayed open")

LOOKED_AT, SEALED = 2000, 200  # rows of a look, and of a transaction that seals
AGAIN = 60.0  # seconds until what could not be sealed is tried again

# In the order of the feed, and no further than it: what commits late is met late, and is never passed over.
_NEXT = """
SELECT changed_xid, id, summary IS NOT NULL AS plain FROM appeals
WHERE (changed_xid, id) > ($1, $2) AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY changed_xid, id LIMIT $3
"""
_PLAIN = """
SELECT id, unit_code, summary, reason_not_answered, content_digest FROM appeals
WHERE id = ANY($1::uuid[]) AND summary IS NOT NULL ORDER BY id FOR UPDATE
"""
# Nobody may change words: all that this function does is to seal them, once. Feeds do not tell it again.
_EMPTY = "SELECT seal_appeal_words($1, $2, $3)"
_PLAIN_DIGEST = 32  # bytes; a keyed one has fewer


class WordsSealer(Worker):
    """Follows what is raised and seals its words; what was raised before it began is met first. What cannot be sealed,
    for the file of keys is damaged, stays open until it can, and holds up nothing else."""

    class Config(Worker.Config):
        idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.words_sealer")
        self._runtime = runtime
        self._at = 0, UUID(int=0)
        self._left: list[UUID] = []
        self._tried = 0.0

    async def run_once(self) -> bool:
        if keeps_plain(self._runtime):
            return False
        if self._left and time.monotonic() - self._tried > AGAIN:
            await self._try_again()
        async with self._runtime.db.transaction() as tx:
            rows = await (await driver(tx)).fetch(_NEXT, *self._at, LOOKED_AT)
        plain = [row["id"] for row in rows if row["plain"]]
        for start in range(0, len(plain), SEALED):
            await self._seal(plain[start : start + SEALED])
        if rows:
            self._at = rows[-1]["changed_xid"], rows[-1]["id"]
        return len(rows) == LOOKED_AT

    async def _seal(self, ids: list[UUID]) -> None:
        async with self._runtime.db.transaction() as tx:
            connection, tops = await driver(tx), dict[str, str]()
            done: list[tuple[Any, ...]] = []
            for row in await connection.fetch(_PLAIN, ids):
                unit, digest = row["unit_code"], row["content_digest"]
                tops[unit] = tops.get(unit) or await top_unit(tx, unit)
                words = Words(row["summary"], row["reason_not_answered"])
                try:
                    sealed = await sealing.seal(tx, self._runtime, tops[unit], row["id"], words)
                    if len(digest) == _PLAIN_DIGEST:
                        digest = await key_digest(tx, self._runtime, digest)
                except (VaultError, KeysMissing) as error:
                    self._leave(row["id"], error)
                    continue
                done.append((row["id"], sealed, digest))
            if done:
                await connection.execute(_EMPTY, *zip(*done, strict=True))

    async def _try_again(self) -> None:
        left, self._left = self._left, []
        try:
            for start in range(0, len(left), SEALED):
                await self._seal(left[start : start + SEALED])
        except BaseException:
            self._left = left
            raise

    def _leave(self, id: UUID, error: Exception) -> None:
        if not self._left:
            log.error("the words of appeals cannot be sealed", extra={"appeal": str(id), "error": str(error)})
        _unsealed.inc()
        self._left.append(id)
        self._tried = time.monotonic()
