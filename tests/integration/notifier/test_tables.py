"""The tables that the migrations make are those that the models describe; the sender finds its rows by an index."""

import re
from typing import Any
from uuid import UUID

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from chassis import migrate
from chassis.db import Database
from notifier.base import Base
from notifier.deliveries import looking
from notifier.routes.shipped import shipped
from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office
from tests.support.databases import Databases

CHASSIS = {"alembic_version", "outbox", "inbox", "dead_letters", "idempotency_keys", "data_keys", "trail"}


def differences(connection: Connection) -> list[Any]:
    def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return not (kind == "table" and name in CHASSIS)

    options = {"compare_type": True, "include_object": ours}
    context = MigrationContext.configure(connection, opts=options)
    return compare_metadata(context, Base.metadata)


async def test_the_migrations_make_what_the_models_say(bare: Office):
    async with bare.notifier.runtime.db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_check_of_the_models_is_in_the_tables(bare: Office):
    # Alembic does not compare CHECK constraints.
    named = {str(c.name) for table in Base.metadata.tables.values() for c in table.constraints if c.name}
    async with bare.notifier.runtime.db.connection() as connection:
        found = await connection.fetch("SELECT conname FROM pg_constraint WHERE conrelid <> 0")
    assert named <= {row["conname"] for row in found}


async def test_the_shipped_routes_are_published_and_publishing_again_keeps_what_was_changed(databases: Databases):
    urls = await databases.clone("notifier")
    await migrate.upgrade("notifier", urls.migration)
    db = Database(urls.migration, pool_size=1)
    try:
        async with db.transaction() as tx:
            await tx.execute(
                text("UPDATE routes SET channels = '{mailbox,mailbox}' WHERE id = 'deadline.warned.owner'")
            )
        await migrate.upgrade("notifier", urls.migration)
        async with db.connection() as connection:
            routes = {row["id"]: row["channels"] for row in await connection.fetch("SELECT id, channels FROM routes")}
    finally:
        await db.close()
        await databases.drop(urls)
    assert routes.pop("deadline.warned.owner") == ["mailbox", "mailbox"]
    assert routes == {route.id: route.channels for route in shipped() if route.id != "deadline.warned.owner"}


async def test_what_is_due_is_found_by_its_index_among_much_that_is_not(office: Office):
    await office.hear(*(Appeal(START).warned() for _ in range(20)))
    await office.sql("""
        INSERT INTO deliveries (id, event_id, recipient, channel, audience, state, not_before, planned_at, updated_at)
        SELECT gen_random_uuid(), event_id, 'X' || n, 'mailbox', 'owner', 'sent', at, at, at
        FROM notices, generate_series(1, 500) AS n
    """)
    values = {"channel": "mailbox", "now": office.clock.now()}
    async with office.notifier.runtime.db.transaction() as tx:
        plan = "\n".join(await tx.scalars(text(f"EXPLAIN {looking._due(50).text}"), values))
        await tx.execute(
            text("""
        INSERT INTO deliveries (id, event_id, recipient, channel, audience, state, not_before, planned_at, updated_at)
        SELECT gen_random_uuid(), event_id, 'Y' || n, 'mailbox', 'owner', 'queued', at, at, at
        FROM notices, generate_series(1, 500) AS n""")
        )
        await tx.execute(text("ANALYZE deliveries"))
        others = values | {"recipients": ["H1"], "had": [], "after": UUID(int=0)}
        together = "\n".join(await tx.scalars(text(f"EXPLAIN {looking._OTHERS.text}"), others))
    assert "deliveries_of_one" in together, together
    assert "Seq Scan on deliveries" not in together, together
    # Found in order, so that no more are looked at than are taken.
    assert re.search(r"Limit[^\n]*\n *->  LockRows[^\n]*\n *->  Index Scan using deliveries_due", plan), plan
