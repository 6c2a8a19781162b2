"""Identifiers: UUIDv7, so that rows made together lie together and sort by the time they were made."""

from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7


def new_id() -> UUID:
    """A new UUIDv7."""
    its: UUID = pgproto.UUID(uuid7().bytes)  # a UUID as rows are read with, made in a fifth of the time
    return its
