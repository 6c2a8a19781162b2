"""Entries as they are made and read: sealed at rest under the key of the top unit, opened for who may see them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.vault import Place
from chassis.vault.searching import folded
from visit_api.archive.contents import contents
from visit_api.archive.models import Entry
from visit_api.archive.wording import words_in
from visit_api.civil import day_of, years_after
from visit_api.directory.models import Unit
from visit_api.settings import Settings
from visit_api.visits.models import Visit

_FIELD = "archive.words"


async def enter(
    tx: AsyncSession, runtime: Runtime, visit: Visit, record: dict[str, Any], *, now: datetime, by: str | None
) -> Entry:
    """Enters the record of a visit, where it has the visit in it, or a supplement, filed alike: by class, when and by
    whom the visit was made, and to whom."""
    assert isinstance(runtime.settings, Settings)
    its_id, said = new_id(), msgspec.json.encode(record, order="deterministic")
    owner = (await ancestors(tx, Unit, visit.unit_code) or [visit.unit_code])[-1]
    entry = Entry(
        id=its_id,
        visit_id=visit.id,
        unit_code=visit.unit_code,
        kind="record" if "visit" in record else "supplement",
        contents=contents(record),
        record=None,
        sealed=await runtime.vault.seal(tx, owner, _place(its_id), said.decode()),
        said_digest=hashlib.sha256(said).digest(),
        words=(await runtime.vault.index(tx)).pairs(_FIELD, "\n".join(words_in(record))),
        appeal_types=sorted({each["type"] for each in record.get("appeals", ())}),
        entered_by=by,
        updated_at=now,
        filed_as=f"{visit.form}.{visit.channel}",
        keep_until=years_after(day_of(now), runtime.settings.archive_years),
        visited_at=visit.started_at,
        customer_id=visit.customer_id,
        customer_kind=record["customer"]["kind"] if "customer" in record else None,
        people=visit.visitor_ids,
    )
    tx.add(entry)
    await tx.flush()
    return entry


async def opened(tx: AsyncSession, runtime: Runtime, entry: Entry) -> dict[str, Any]:
    """What an entry holds; what stands open is chained so, whatever was put beside."""
    if entry.record is not None or entry.sealed is None:
        return entry.record or {}
    its: dict[str, Any] = msgspec.json.decode(await runtime.vault.open(tx, _place(entry.id), entry.sealed))
    return its


async def sought(tx: AsyncSession, runtime: Runtime, words: Sequence[str]) -> list[int]:
    """What an entry with all of `words` has among its hashes; what they find is to be looked at."""
    index = await runtime.vault.index(tx)
    return sorted({number for word in words for number in index.pairs(_FIELD, word)})


def holds(record: dict[str, Any], words: Sequence[str]) -> bool:
    """Whether all of `words` are in a record."""
    text = folded("\n".join(words_in(record)))
    return all(folded(word) in text for word in words)


def _place(id: Any) -> Place:
    return Place("archive_entries", "sealed", id)
