"""What is done with code tables: they are read, and written anew as a whole."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory import service as directory
from appeal_tracker.sources import repository
from appeal_tracker.sources.codes import Meant, meaning
from appeal_tracker.sources.errors import SourceNotFound
from appeal_tracker.sources.models import CodeTable
from chassis.runtime import Runtime
from chassis.web.etag import Unchanged
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal


async def listing(tx: AsyncSession, window: Window) -> Listing[CodeTable]:
    """Each source's, as it counts now."""
    return await window.fetch(tx, repository.newest(), CodeTable)


async def show(tx: AsyncSession, source: str) -> CodeTable:
    """What counts for a source now. Raises `SourceNotFound`."""
    found = await repository.find(tx, source)
    if found is None:
        raise SourceNotFound
    return found


async def write(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    source: str,
    values: dict[str, Any],
    unchanged: Unchanged,
) -> CodeTable:
    """Has other codes count from now on; appeals taken in before stay as they are. It belongs to no unit. Raises
    `Forbidden`, `PreconditionFailed`."""
    await directory.demand_top(tx, caller)
    await repository.lock(tx)
    before = await repository.find(tx, source)
    if before is not None:
        unchanged(before)
    table = CodeTable(
        source=source,
        version=before.version + 1 if before else 1,
        recorded_at=runtime.clock.now(),
        recorded_by=caller.sub,
        **values,
    )
    tx.add(table)
    await tx.flush()
    return table


async def meant(tx: AsyncSession, source: str, type_code: str | None, category_code: str | None) -> Meant:
    """What a source means by its codes."""
    return meaning(source, await repository.find(tx, source), type_code, category_code)
