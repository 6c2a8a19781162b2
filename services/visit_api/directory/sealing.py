"""How staff are reached, on its way into the vault and out of it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.vault import Place
from visit_api.directory.models import Reach, Staff, Unit
from visit_api.settings import keeps_plain

NOWHERE = Reach()


async def owner(tx: AsyncSession, unit_code: str) -> str:
    """By whose keys staff of a unit are sealed: those of the unit at the top."""
    return (await ancestors(tx, Unit, unit_code) or [unit_code])[-1]


async def sealed(tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, reach: Reach) -> bytes | None:
    """`reach` of the member of staff `id`, sealed under the keys of `owner`; nothing of none."""
    if reach == NOWHERE:
        return None
    return await runtime.vault.seal(tx, owner, _place(id), msgspec.json.encode(reach._asdict()).decode())


async def opened(tx: AsyncSession, runtime: Runtime, member: Staff) -> Reach:
    """How a member of staff is reached; what an earlier version wrote besides is newer."""
    reach = NOWHERE
    if member.reach_sealed is not None:
        text = await runtime.vault.open(tx, _place(member.id), member.reach_sealed)
        reach = Reach(**msgspec.json.decode(text))
    return Reach(member.plain_phone or reach.phone, member.plain_email or reach.email)


async def show(tx: AsyncSession, runtime: Runtime, members: Iterable[Staff]) -> None:
    """Has each of `members` show how they are reached."""
    for member in members:
        member.show(await opened(tx, runtime, member))


async def change(tx: AsyncSession, runtime: Runtime, owner: str, member: Staff, fields: Mapping[str, Any]) -> None:
    """Takes over of `fields` a number and an address, and seals them under the keys of `owner`; nothing of it stands in
    the clear any more, unless it has to for an earlier version."""
    reach = await opened(tx, runtime, member)
    reach = reach._replace(**{name: value for name, value in fields.items() if name in Reach._fields})
    keeps = keeps_plain(runtime)
    member.plain_phone, member.plain_email = reach if keeps else NOWHERE
    member.reach_sealed = None if keeps else await sealed(tx, runtime, owner, member.id, reach)
    member.show(reach)


def _place(id: UUID) -> Place:
    return Place("staff", "reach_sealed", id)
