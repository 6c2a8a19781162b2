"""Seals how staff are reached where an earlier version stored it in the clear: after an upgrade, and while one that
still runs writes more."""

import logging

from prometheus_client import Counter
from sqlalchemy import or_, select

from chassis.db import driver
from chassis.runtime import Runtime
from chassis.vault import Misplaced
from chassis.worker import Worker
from visit_api.base import key_digest
from visit_api.directory import sealing
from visit_api.directory.models import Staff
from visit_api.settings import keeps_plain

log = logging.getLogger(__name__)

_unsealed = Counter("staff_unsealed", "Times that somebody's number or address could not be sealed, and stayed open")

BATCH = 200  # rows of one transaction

# Nothing of it changed for anybody: feeds do not tell it again.
_EMPTY = """
UPDATE staff SET phone = NULL, email = NULL, reach_sealed = new.sealed, content_digest = new.digest
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS new (row, sealed, digest)
WHERE id = new.row
"""
_PLAIN_DIGEST = 32  # bytes; a keyed one has fewer


class StaffSealer(Worker):
    """Takes some of the staff whose number or address is in the clear, seals it, and empties the old columns."""

    class Config(Worker.Config):
        idle = 60.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.staff_sealer")
        self._runtime = runtime

    async def run_once(self) -> bool:
        if keeps_plain(self._runtime):
            log.warning("how staff are reached and what is raised stays in the clear, for an earlier version")
            return False
        plain = select(Staff).where(or_(Staff.plain_phone.is_not(None), Staff.plain_email.is_not(None)))
        plain = plain.order_by(Staff.id).limit(BATCH).with_for_update(skip_locked=True, of=Staff)
        async with self._runtime.db.transaction() as tx:
            rows = []
            for member in (await tx.scalars(plain)).all():
                try:
                    reach, digest = await sealing.opened(tx, self._runtime, member), member.content_digest
                except Misplaced as error:  # its own fault: said every time, and no reason to leave the others open
                    log.error(
                        "how somebody is reached cannot be opened", extra={"id": str(member.id), "error": str(error)}
                    )
                    _unsealed.inc()
                    continue
                if len(digest) == _PLAIN_DIGEST:
                    digest = await key_digest(tx, self._runtime, digest)
                owner = await sealing.owner(tx, member.unit_code)
                sealed = await sealing.sealed(tx, self._runtime, owner, member.id, reach)
                rows.append((member.id, sealed, digest))
            if rows:
                await (await driver(tx)).execute(_EMPTY, *zip(*rows, strict=True))
        return len(rows) == BATCH
