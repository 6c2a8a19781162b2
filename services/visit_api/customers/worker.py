"""Seals what an earlier version stored in the clear: after an upgrade, and while one that still runs writes more."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.worker import Worker
from visit_api.customers import sealing
from visit_api.customers.models import Customer
from visit_api.customers.persons import PERSON
from visit_api.directory.units import top_unit
from visit_api.settings import keeps_plain

BATCH = 200  # rows of one transaction

# Nothing of it changed for anybody: feeds do not tell it again.
_EMPTY = """
UPDATE customers SET phone = NULL, phone_sealed = new.sealed, phone_index = new.index, content_digest = new.digest
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) AS new (row, sealed, index, digest)
WHERE id = new.row
"""
_PLAIN_DIGEST = 32  # bytes; a keyed one has fewer


# In the order of the feed, and no further than it: what commits late is met late, and is never passed over.
_NEXT = """
SELECT changed_xid, id, removed_at IS NOT NULL AS removed FROM customers
WHERE (changed_xid, id) > ($1, $2) AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY changed_xid, id LIMIT $3
"""
# Nothing of them changed for anybody either. One that was renamed meanwhile is met again.
_PERSONS = f"""
SELECT changed_xid, id, unit_code, CASE WHEN {PERSON} THEN name END AS name FROM customers
WHERE (changed_xid, id) > ($1, $2) AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY changed_xid, id LIMIT $3
"""  # noqa: S608 - made of constants
_NAMED = """
UPDATE customers SET name = NULL, name_sealed = new.sealed
FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS new (row, name, sealed)
WHERE id = new.row AND customers.name = new.name
"""
_FORGET = """
UPDATE customers SET
    phone = NULL, phone_sealed = NULL, phone_index = NULL, address_sealed = NULL, particulars_sealed = NULL
WHERE id = ANY($1::uuid[]) AND num_nonnulls(phone, phone_sealed, phone_index, address_sealed, particulars_sealed) > 0
"""
# Feeds tell of the contacts that go.
_FORGET_CONTACTS = """
UPDATE contacts SET
    person_sealed = NULL, phone_index = NULL, removed_at = customers.removed_at, version = contacts.version + 1,
    updated_at = customers.removed_at, changed_xid = pg_current_xact_id()::text::bigint
FROM customers WHERE customers.id = contacts.customer_id AND customers.id = ANY($1::uuid[])
    AND contacts.removed_at IS NULL
"""
_FORGET_SAID = "DELETE FROM customer_said WHERE customer_id = ANY($1::uuid[])"


class PlainSealer(Worker):
    """Takes some customers whose number is in the clear, seals it, and empties the old column."""

    class Config(Worker.Config):
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


class PersonSealer(Worker):
    """Follows the customers, and seals the names of those who are persons: an earlier version wrote them, or a file
    said only later that they are."""

    class Config(Worker.Config):
        idle = 60.0
        batch = 2000  # customers of a look

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.person_sealer")
        self._runtime = runtime
        self._at = 0, UUID(int=0)

    async def run_once(self) -> bool:
        if keeps_plain(self._runtime):
            return False
        async with self._runtime.db.transaction() as tx:
            connection = await driver(tx)
            rows, tops = await connection.fetch(_PERSONS, *self._at, self.config.batch), dict[str, str]()
            done = []
            for row in rows:
                if row["name"] is not None:
                    unit = row["unit_code"]
                    tops[unit] = tops.get(unit) or await top_unit(tx, unit)
                    sealed = await sealing.seal_name(tx, self._runtime, tops[unit], row["id"], row["name"])
                    done.append((row["id"], row["name"], sealed))
            if done:
                await connection.execute(_NAMED, *zip(*done, strict=True))
        if rows:
            self._at = rows[-1]["changed_xid"], rows[-1]["id"]
        return len(rows) == self.config.batch


class Forgetter(Worker):
    """Follows the customers, and forgets what is personal of those that an earlier version removed: it left that."""

    class Config(Worker.Config):
        idle = 60.0
        batch = 2000  # customers of a look

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.forgetter")
        self._runtime = runtime
        self._at = 0, UUID(int=0)

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            connection = await driver(tx)
            rows = await connection.fetch(_NEXT, *self._at, self.config.batch)
            if removed := [row["id"] for row in rows if row["removed"]]:
                for statement in (_FORGET, _FORGET_CONTACTS, _FORGET_SAID):
                    await connection.execute(statement, removed)
        if rows:
            self._at = rows[-1]["changed_xid"], rows[-1]["id"]
        return len(rows) == self.config.batch
