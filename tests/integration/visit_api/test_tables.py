"""The tables that the migrations make are those that the models describe."""

from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from tests.integration.visit_api.world import World
from visit_api.base import Base

CHASSIS = {
    "alembic_version",
    "outbox",
    "inbox",
    "dead_letters",
    "idempotency_keys",
    "data_keys",
    "trail",
    "chain",
    "chain_waiting",
}


def differences(connection: Connection) -> list[Any]:
    def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return not (kind == "table" and name in CHASSIS)

    options = {"compare_type": True, "include_object": ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Base.metadata))


async def test_the_migrations_make_what_the_models_say(world: World) -> None:
    async with world.runtime.db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_of_the_models_is_in_the_tables(world: World, owner: asyncpg.Connection) -> None:
    # Alembic does not compare CHECK constraints.
    named = {
        (table.name, str(constraint.name))
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name
    }
    found = await owner.fetch("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid <> 0")
    assert named <= {tuple(row) for row in found}
    checks = {(table, name) for table, name in map(tuple, found) if name.endswith(("_known", "_reason", "_parent"))}
    assert checks <= named
