"""The tables that the migrations make are those that the models describe, and what they hold is there to stay."""

from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from appeal_tracker.base import Base
from appeal_tracker.calendars.models import CalendarVersion, ListedDay
from appeal_tracker.callbacks import models as _callbacks  # noqa: F401 - the metadata knows what was imported
from appeal_tracker.policies.models import PolicyVersion, Withdrawal
from tests.integration.appeal_tracker.desk import Desk

CHASSIS = {"alembic_version", "outbox", "inbox", "dead_letters", "idempotency_keys", "data_keys", "trail"}
CHASSIS |= {"chain", "chain_waiting"}


def differences(connection: Connection) -> list[Any]:
    def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return not (kind == "table" and name in CHASSIS)

    options = {"compare_type": True, "include_object": ours}
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


async def test_the_migrations_make_what_the_models_say(desk: Desk) -> None:
    async with desk.runtime.db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_of_the_models_is_in_the_tables(desk: Desk, owner: asyncpg.Connection) -> None:
    named = {
        (table.name, str(constraint.name))
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name
    }
    rows = await owner.fetch("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid <> 0")
    found = {tuple(row) for row in rows}
    assert named <= found
    assert {(table, name) for table, name in found if name.endswith("_check")} <= named


@pytest.mark.clause("002 6.4.5.6")
async def test_the_service_can_delete_nothing_of_the_record(desk: Desk) -> None:
    but = {"words_wanted", "callback_link_misses"}  # what is still to be done; what is counted for a day
    for table in Base.metadata.tables.keys() - but:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await desk.rows(f"DELETE FROM {table}")


async def test_the_service_can_change_nothing_that_is_published(desk: Desk) -> None:
    marks = {"updated_at", "changed_xid"}  # by which its lists are followed
    for model in (CalendarVersion, ListedDay, PolicyVersion, Withdrawal):
        table = model.__tablename__
        for column in {column.name for column in model.__table__.columns} - marks:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await desk.rows(f"UPDATE {table} SET {column} = {column}")
