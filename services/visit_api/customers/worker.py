"""Seals what an earlier version stored in the clear: after an upgrade, and while one that still runs writes more."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.worker import Worker
from visit_api.customers import sealing
from visit_api.customers.models import Customer
from visit_api.directory.service import top_unit

BATCH = 200  # rows of one transaction

# Nothing of it changed for anybody: feeds do not tell it again.
_EMPTY = """
UPDATE customers SET phone = NULL, phone_sealed = new.sealed, phone_index = new.index, content_digest = new.digest
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) AS new (row, sealed, index, digest)
WHERE id = new.row
"""
_PLAIN_DIGEST = 32  # bytes; a keyed one has fewer


class PlainSealer(Worker):
    """Takes some customers whose number is in the clear, seals it, and empties the old column."""

    idle = 60.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.plain_sealer")
        self._runtime = runtime

    async def run_once(self) -> bool:
        plain = select(Customer).where(Customer.plain_phone.is_not(None)).order_by(Customer.id).limit(BATCH)
        async with self._runtime.db.transaction() as tx:
            found = (await tx.scalars(plain.with_for_update(skip_locked=True, of=Customer))).all()
            rows = [await self._sealed(tx, customer) for customer in found]
            if rows:
                await (await driver(tx)).execute(_EMPTY, *zip(*rows, strict=True))
        return len(rows) == BATCH

    async def _sealed(self, tx: AsyncSession, customer: Customer) -> tuple[object, ...]:
        owner, place = await top_unit(tx, customer.unit_code), Place(sealing.TABLE, "phone_sealed", customer.id)
        phone = await sealing.seal_phone(tx, self._runtime, owner, place, customer.plain_phone)
        digest = customer.content_digest
        if len(digest) == _PLAIN_DIGEST:
            digest = await sealing.key_digest(tx, self._runtime, digest)
        return customer.id, phone.sealed, phone.found_by, digest
