"""The frame of every act on an appeal, in one transaction: lock, check, change, and tell.

Rows are locked in one order, so that no two acts wait for each other: first the appeal that speaks for those merged
into it, and where an act is about two such, the one with the lower id first; then those merged into it, by id; then,
where there are several, the packs, which nobody withdraws meanwhile; then the clocks of all of them, by id. Whoever
withdraws a pack holds the packs alone and waits for clocks, never for an appeal. Whoever fires timers never waits.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import asking, repository
from appeal_tracker.appeals.cases import Case, cases
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import AppealNotFound, MergedMeanwhile
from appeal_tracker.appeals.faults import BeforeReceived
from appeal_tracker.directory import service as directory
from chassis.runtime import Runtime
from chassis.web.moments import happened
from chassis.web.tokens import Principal


async def begin(
    tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: UUID, at: datetime | None = None
) -> Deed:
    """Begins an act that was done at `at`, now where it is left out; until the transaction ends nobody else acts on the
    appeal, nor on those merged with it. Raises `AppealNotFound`, also for another unit's; `BeforeReceived`,
    `InTheFuture`, `MergedMeanwhile`.
    """
    leader = await repository.lock_leader(tx, appeal, caller.unit)
    if leader is None:
        raise AppealNotFound
    group = [leader, *await repository.lock_merged(tx, [leader.id])]
    found = next((each for each in group if each.id == appeal), None)
    if found is None or leader.is_merged:
        raise MergedMeanwhile
    if at is not None and at < found.since:
        raise BeforeReceived(found.since)
    if at is not None:
        happened(at, runtime.clock.now())
    by = await directory.today(tx, caller)
    return deed_of(tx, runtime, by, await cases(tx, group), appeal)


def deed_of(tx: AsyncSession, runtime: Runtime, caller: Principal, group: Sequence[Case], acted: UUID) -> Deed:
    """An act about one of a group of locked appeals; at its end the callback is asked for that the pack requires, or no
    more."""
    return Deed(tx, runtime, caller, group, acted, asking.settle)
