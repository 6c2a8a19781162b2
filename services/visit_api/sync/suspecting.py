"""Visits that may be one, recorded twice: to one customer, by one channel, on one civil day. A person says which."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.tokens import Principal
from visit_api.civil import begins, day_of
from visit_api.sync import suspicions
from visit_api.sync.errors import KEPT_IS_DOUBLE, NOT_OF_THE_TWO
from visit_api.sync.models import Suspected, Suspicion
from visit_api.sync.schemas import Difference, Merging
from visit_api.visits.correcting import mark_double
from visit_api.visits.lateness import came_late
from visit_api.visits.models import Visit
from visit_api.visits.service import lock_visit


async def wait_for_twins(tx: AsyncSession, customer_id: UUID) -> None:
    """Lets no other device bring a visit to the customer until the transaction ends: of two at once, one sees the
    other. Nothing is lost where a lock is: it only makes them wait."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sync visits {customer_id}", 0))))


async def suspect(tx: AsyncSession, visit: Visit, now: datetime) -> None:
    """Notes each visit that `visit`, brought by a device, may be the same as; once."""
    day = day_of(visit.scheduled_at)
    others = select(Visit.id).where(
        Visit.customer_id == visit.customer_id,
        Visit.channel == visit.channel,
        Visit.id != visit.id,
        Visit.scheduled_at >= begins(day),
        Visit.scheduled_at < begins(day + timedelta(days=1)),
        Visit.state.not_in(("cancelled", "missed")),
    )
    for other in (await tx.scalars(others)).all():
        values = {
            "id": new_id(),
            "first_id": other,
            "second_id": visit.id,
            "customer_id": visit.customer_id,
            "channel": visit.channel,
            "day": day,
            "unit_code": visit.unit_code,
            "state": "open",
            "recorded_at": now,
            "updated_at": now,
        }
        if not await suspicions.is_suspected(tx, other, visit.id):
            await tx.execute(insert(Suspicion).values(values).on_conflict_do_nothing())


async def get_suspicion(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Suspicion:
    """The suspicion `id`, held for a change if `lock` says so. Raises `NotFound`."""
    found = await suspicions.find(tx, caller.unit, id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def merge(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, merging: Merging) -> Suspicion:
    """Says that the two visits are one, and which of them counts. Both stay, with all that was recorded of each; the
    other is counted no more, and not made where it was still planned. Raises `NotFound`, `Unprocessable`."""
    its = await get_suspicion(tx, caller, id, lock=True)
    if merging.kept not in (its.first_id, its.second_id):
        raise Unprocessable(NOT_OF_THE_TWO)
    return await _decide(tx, runtime, caller, its, "merged", merging.kept, merging.reason)


async def tell_apart(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, why: Difference) -> Suspicion:
    """Says that the two visits are two, also where they were said to be one before. Raises `NotFound`."""
    its = await get_suspicion(tx, caller, id, lock=True)
    return await _decide(tx, runtime, caller, its, "different", None, why.reason)


async def _decide(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    its: Suspicion,
    state: Suspected,
    kept: UUID | None,
    reason: str | None,
) -> Suspicion:
    if (its.state, its.kept) == (state, kept):
        return its
    pair = sorted((its.first_id, its.second_id))
    for visit_id in pair:  # held first, so that of two decisions about one visit each sees the other
        await lock_visit(tx, caller, visit_id)
    if kept is not None and await suspicions.counts_instead(tx, kept, but=its.id) is not None:
        raise Unprocessable(KEPT_IS_DOUBLE)
    now = runtime.clock.now()
    its.state, its.kept, its.reason = state, kept, reason
    its.decided_at, its.decided_by, its.updated_at = now, caller.sub, now
    await tx.flush()
    for visit_id in pair:  # what was decided with others stands
        instead = await suspicions.counts_instead(tx, visit_id)
        visit = await mark_double(tx, runtime, caller, visit_id, instead, reason)
        await came_late(tx, visit, "doubles", caller.sub, now)
    await trail.note(
        tx,
        runtime,
        caller,
        act=f"sync.{state}",
        thing="sync_suspicion",
        thing_id=its.id,
        unit_code=its.unit_code,
        reason=reason,
    )
    return its
