"""What the things of all slices have in common: how they are made, known again and told apart."""

import hashlib
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, LargeBinary, MetaData, Text, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Tracked, Written
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.schemas import Body, Id


class Base(DeclarativeBase):
    """The service's tables; `migrations/` makes them."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_name)s_key",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {
        str: Text,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        bytes: LargeBinary,
    }


class New(Body):
    """What a client sends to make a thing; it may bring the id, as a device without a connection must."""

    kept_otherwise: ClassVar[frozenset[str]] = frozenset()  # fields that no column of that name takes

    id: Id | None = None


class Left(Written):
    """That something is no more where it was: a trigger of its table writes it, whoever takes it elsewhere."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Made:
    """By which transaction a row was made; none where older code made it."""

    made_xid: Mapped[int | None] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)")
    )


class Brought(Tracked):
    """A thing made of a client's words; the same id with the same content is answered as the first time."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    content_digest: Mapped[bytes]

    def is_made_of(self, new: New) -> bool:
        """Whether `new` is what this was made of, whatever was changed since."""
        return self.content_digest == digest(new) and new.id in (None, self.id)


class Versioned(Brought):
    """A thing that changes; each change is told with its number."""

    version: Mapped[int]

    def touch(self, now: datetime) -> None:
        """Notes a change."""
        self.version += 1
        self.updated_at = now


Row = TypeVar("Row", bound=Base)


def digest(new: New) -> bytes:
    """What content is known by when it comes again: the same however it was written, and whatever optional fields a
    later version of the service adds."""
    return hashlib.sha256(new.model_dump_json(exclude={"id"}, exclude_defaults=True).encode()).digest()


async def keyed_digest(tx: AsyncSession, runtime: Runtime, new: New) -> bytes:
    """The same of content that holds a telephone number: of a plain digest all numbers could be tried."""
    return await key_digest(tx, runtime, digest(new))


async def key_digest(tx: AsyncSession, runtime: Runtime, plain: bytes) -> bytes:
    """The same, of the digest that an earlier version stored."""
    return (await runtime.vault.index(tx)).blind("content", plain.hex())


async def add(tx: AsyncSession, entity: type[Row], new: New, now: datetime, **columns: Any) -> Row | None:
    """The row made of `new`, with `columns` beside or instead of its fields; None where its id or number is taken."""
    values = {
        **new.model_dump(exclude=set(new.kept_otherwise)),
        "id": new.id or new_id(),
        "content_digest": digest(new),
        **({"version": 1} if issubclass(entity, Versioned) else {}),
        "updated_at": now,
        **columns,
    }
    row: Row | None = await tx.scalar(insert(entity).values(values).on_conflict_do_nothing().returning(entity))
    return row
