"""Why something is missing of a record, or a record is held: sealed as the record is, and chained as it was said."""

import hashlib
import json
import secrets
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from chassis.runtime import Runtime
from chassis.vault import Place
from visit_api.archive.models import Explained
from visit_api.directory.units import top_unit
from visit_api.settings import keeps_plain

Row = TypeVar("Row", bound=Explained)


async def add(tx: AsyncSession, runtime: Runtime, row: Row, reason: str) -> Row:
    """Adds a row with its reason, which it shows: sealed under the keys of the unit at the top, or open for good where
    an earlier version still has to read it."""
    if keeps_plain(runtime):
        row.reason = reason
    else:
        # With something random, or short words could be tried out against the digest.
        said = json.dumps([secrets.token_hex(16), reason], ensure_ascii=False)
        row.reason_sealed = await runtime.vault.seal(tx, await top_unit(tx, row.unit_code), _place(row), said)
        row.said_digest = hashlib.sha256(said.encode()).digest()
    tx.add(row)
    await tx.flush()
    set_committed_value(row, "reason", reason)
    return row


async def show(tx: AsyncSession, runtime: Runtime, row: Explained) -> str:
    """The reason of a row, which it shows from now on; one that stands open is chained so, whatever was put beside."""
    if row.reason is None:
        assert row.reason_sealed is not None, "what does not stand open is sealed"
        _, reason = json.loads(await runtime.vault.open(tx, _place(row), row.reason_sealed))
        set_committed_value(row, "reason", reason)
    assert row.reason is not None
    return row.reason


def _place(row: Explained) -> Place:
    return Place(row.__tablename__, "reason_sealed", row.id)
