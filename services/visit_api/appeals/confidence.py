"""Who may know on which visit a hidden appeal was raised, and what it says: not the unit that it may be about (002
§6.4.5.5). What an appeal raised on a visit complains about is, as a rule, whoever visits. So it is for whoever heard
it, and for those who supervise or audit from above that unit, as the tracker has it of the words.
"""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web.tokens import Principal
from visit_api.appeals.models import Appeal
from visit_api.directory.models import Unit

_CONFIDANTS = frozenset({"supervisor", "admin", "auditor"})


class Confidence(NamedTuple):
    """What of hidden appeals somebody may know: those that they heard or typed, and those of other units than `inside`;
    where that is None, no others."""

    sub: str
    inside: frozenset[str] | None

    def may_know(self, appeal: Appeal) -> bool:
        """Whether they may know that the appeal was raised on its visit."""
        if not appeal.hidden or heard(self.sub, appeal):
            return True
        return self.inside is not None and appeal.unit_code not in self.inside

    def hides(self, unit_code: Any) -> ColumnElement[bool]:
        """The condition that what others heard in confidence in a unit is not for them."""
        if self.inside is None:
            return true()
        its: ColumnElement[bool] = unit_code.in_(self.inside)
        return its if self.inside else false()

    @property
    def hidden(self) -> ColumnElement[bool]:
        """The condition that an appeal is hidden from them."""
        theirs = func.coalesce(or_(Appeal.raised_by == self.sub, Appeal.typed_by == self.sub), False)
        return Appeal.hidden & ~theirs & self.hides(Appeal.unit_code)


async def confidence(tx: AsyncSession, caller: Principal) -> Confidence:
    """What the caller may know."""
    if not caller.roles & _CONFIDANTS:
        return Confidence(caller.sub, None)
    if caller.unit is None:
        return Confidence(caller.sub, frozenset())
    its = await scope.successor(tx, Unit, caller.unit)
    # What was said about a unit is not read by the one that it merged into: its people are there by now.
    merged = await tx.scalars(select(Unit.code).where(Unit.merged_into == its))
    return Confidence(caller.sub, frozenset({its, *merged}))


async def decides(tx: AsyncSession, caller: Principal) -> bool:
    """Whether the caller may know besides of what contradicts a hidden appeal for as long as nobody has decided, which
    keeps a visit from its archive: the supervisors of a unit without one above it, or nobody could decide."""
    if caller.unit is None or "supervisor" not in caller.roles:
        return False
    return await scope.is_top_level(tx, Unit, await scope.successor(tx, Unit, caller.unit))


async def hidden_from(tx: AsyncSession, caller: Principal, visit_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """By visit, the ids of the appeals raised on it that are hidden from the caller."""
    its, found = await confidence(tx, caller), dict[UUID, set[str]]()
    query = select(Appeal.visit_id, Appeal.id).where(Appeal.visit_id.in_(visit_ids), its.hidden)
    for visit_id, appeal_id in await tx.execute(query):
        found.setdefault(visit_id, set()).add(str(appeal_id))
    return found


def heard(sub: str, appeal: Appeal) -> bool:
    """Whether somebody heard an appeal, or typed it in."""
    return sub in (appeal.raised_by, appeal.typed_by)
