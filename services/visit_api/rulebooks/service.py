"""Rules that are data of a unit: what a unit did not decide it has from the nearest unit above that did, and else as
shipped. An edition is never changed; the next one takes its place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.web.etag import Unchanged
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.directory.models import Unit
from visit_api.directory.units import get_unit, open_unit
from visit_api.rulebooks import repository
from visit_api.rulebooks.models import Edition

SHIPPED = "shipped"


class Rules(NamedTuple):
    """What counts in a unit; `decided_by` is the unit whose edition it is, None as shipped."""

    unit_code: str
    decided_by: str | None
    edition: int
    content: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What names the edition: `37401@3`."""
        return f"{self.decided_by or SHIPPED}@{self.edition}"

    @property
    def shown(self) -> dict[str, Any]:
        """As a view takes it."""
        return {**self.content, "unit_code": self.unit_code, "decided_by": self.decided_by, "edition": self.edition}


async def counting(tx: AsyncSession, unit_code: str, subject: str, shipped: Mapping[str, Any]) -> Rules:
    """What counts in a unit on a subject."""
    line = await ancestors(tx, Unit, unit_code)
    newest = await repository.newest(tx, line, subject)
    for code in line:
        if its := newest.get(code):
            return Rules(unit_code, code, its.edition, its.content)
    return Rules(unit_code, None, 1, shipped)


async def seen(
    tx: AsyncSession, caller: Principal, unit_code: str, subject: str, shipped: Mapping[str, Any]
) -> dict[str, Any]:
    """The same, for a caller. Raises `NotFound` for a unit that they do not see."""
    await get_unit(tx, caller, unit_code)
    return (await counting(tx, unit_code, subject, shipped)).shown


async def decide(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    unit_code: str,
    subject: str,
    shipped: Mapping[str, Any],
    content: Mapping[str, Any],
    unchanged: Unchanged,
) -> dict[str, Any]:
    """Publishes a unit's next edition. Raises `NotFound`, `UnitMerged`, `PreconditionFailed`."""
    await open_unit(tx, caller, unit_code, "change")
    unchanged((await counting(tx, unit_code, subject, shipped)).shown)
    own = (await repository.newest(tx, [unit_code], subject)).get(unit_code)
    edition = own.edition + 1 if own else 1
    tx.add(
        Edition(
            id=new_id(),
            unit_code=unit_code,
            subject=subject,
            edition=edition,
            content=dict(content),
            set_by=caller.sub,
            updated_at=runtime.clock.now(),
        )
    )
    return Rules(unit_code, unit_code, edition, content).shown


async def list_editions(tx: AsyncSession, caller: Principal, unit_code: str, window: Window) -> Listing[Edition]:
    """All that a unit decided, edition by edition. Raises `NotFound`."""
    await get_unit(tx, caller, unit_code)
    return await repository.of_unit(tx, unit_code, window)
