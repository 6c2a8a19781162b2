"""The loop that seals what an earlier version wrote in the clear: after an upgrade, and while one still runs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select, text, tuple_

from chassis.db import driver
from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.base import key_digest
from visit_api.settings import keeps_plain
from visit_api.texts import service

# Rows of a look, and of a transaction that seals: what was prepared for a visit may be 200 kB long, and whoever raises
# something on it waits meanwhile.
LOOKED_AT, SEALED = 2000, 20
_PLAIN_DIGEST = 32  # bytes; a keyed one has fewer
# As far as the feed goes: what commits late is met late, and is never passed over.
_COMMITTED = text("changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


class PlainWords(Worker):
    """Follows the tables of `entities` in the order of their feeds, from the first row on, and seals the words that
    stand open. Nothing of it changed for anybody: feeds do not tell it again."""

    class Config(Worker.Config):
        idle = 60.0

    def __init__(self, runtime: Runtime, entities: Sequence[type[Any]]) -> None:
        super().__init__("visit_api.plain_words")
        self._runtime = runtime
        self._at = dict.fromkeys(entities, (0, UUID(int=0)))

    async def run_once(self) -> bool:
        if keeps_plain(self._runtime):
            return False
        return any([await self._follow(entity) for entity in self._at])

    async def _follow(self, entity: type[Any]) -> bool:
        key = (entity.changed_xid, entity.id)
        query = select(*key, _stands_open(entity)).where(tuple_(*key) > tuple_(*self._at[entity]), _COMMITTED)
        async with self._runtime.db.transaction() as tx:
            rows = (await tx.execute(query.order_by(*key).limit(LOOKED_AT))).all()
        plain = [row_id for _, row_id, is_open in rows if is_open]
        for start in range(0, len(plain), SEALED):
            await self._seal(entity, plain[start : start + SEALED])
        if rows:
            self._at[entity] = rows[-1][0], rows[-1][1]
        return len(rows) == LOOKED_AT

    async def _seal(self, entity: type[Any], ids: Sequence[UUID]) -> None:
        async with self._runtime.db.transaction() as tx:
            done = []
            for row in (await tx.scalars(select(entity).where(entity.id.in_(ids)).order_by(entity.id))).all():
                said = {
                    name: getattr(row, name)
                    for column, names in entity.sealed_in.items()
                    for name in names
                    if getattr(row, column) is None
                }
                its = await service.sealed(tx, self._runtime, entity, row.id, row.unit_code, said)
                if its == said:
                    continue
                if "content_digest" in entity.once:
                    digest = row.content_digest
                    keyed = len(digest) != _PLAIN_DIGEST
                    its["content_digest"] = digest if keyed else await key_digest(tx, self._runtime, digest)
                if "version" in entity.once:  # of one that was changed meanwhile, that is sealed
                    its["version"] = row.version
                done.append((row.id, *(_as_stored(its.get(column)) for column in entity.once)))
            if done:
                places = ", ".join(f"${place}" for place in range(1, len(entity.once) + 2))
                statement = f"SELECT seal_{entity.__tablename__}({places})"
                # One after the other: they are held in the order of their ids, as by whoever else holds several.
                await (await driver(tx)).executemany(statement, [tuple([value] for value in row) for row in done])


def _stands_open(entity: type[Any]) -> ColumnElement[bool]:
    return or_(
        *(
            and_(getattr(entity, column).is_(None), or_(*(_says(entity, name) for name in names)))
            for column, names in entity.sealed_in.items()
        )
    )


def _says(entity: type[Any], name: str) -> ColumnElement[bool]:
    says: ColumnElement[bool] = getattr(entity, name).is_not(None)
    return and_(says, getattr(entity, name) != entity.silent[name]) if name in entity.silent else says


def _as_stored(value: Any) -> Any:
    # An array of documents goes to the function as text.
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value
