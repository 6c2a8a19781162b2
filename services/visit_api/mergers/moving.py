"""What a closed unit has open becomes that of the unit it is part of, some of one kind in a transaction. What is over
stays where it was: who sees the one unit sees the other.

What somebody holds is left for later, so that nobody waits for us and we for nobody: a complaint on a visit least.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from contracts.envelope import Event
from contracts.visits import VisitReplanned
from visit_api.base import Versioned
from visit_api.customers.models import Customer
from visit_api.customers.service import told as customer_told
from visit_api.directory.models import Staff
from visit_api.directory.staff import staff_changed
from visit_api.directory.units import successor
from visit_api.materials.models import Material
from visit_api.measures.models import Measure
from visit_api.mergers import repository
from visit_api.mergers.models import UnitMerger
from visit_api.obligations.models import Obligation
from visit_api.online.models import Account, Group, Inquiry
from visit_api.plans import joining
from visit_api.posts.models import PolicyPost
from visit_api.visits.models import Visit
from visit_api.visits.service import plan_told

BATCH = 200  # things of one transaction: what is planned or said meanwhile waits for moments only


class Kind(NamedTuple):
    """Things of a unit: which of them are open, and what is told of one that moved, if anything."""

    entity: Any
    is_open: ColumnElement[bool]
    told: Callable[[Any], Event] | None = None


KINDS = (
    Kind(Staff, true(), staff_changed),
    Kind(Customer, Customer.removed_at.is_(None), customer_told),
    Kind(Visit, Visit.state.in_(("planned", "in_progress")), lambda visit: plan_told(visit, VisitReplanned)),
    Kind(Obligation, Obligation.state == "open"),
    Kind(Measure, Measure.state != "verified"),
    Kind(Material, Material.state.in_(("draft", "published")) & Material.replaced_at.is_(None)),
    Kind(Account, Account.active.is_(True)),
    Kind(Group, true()),
    Kind(Inquiry, Inquiry.answered_at.is_(None)),
    Kind(PolicyPost, PolicyPost.state.in_(("draft", "submitted", "approved"))),
)


async def advance(tx: AsyncSession, runtime: Runtime) -> bool:
    """Moves some of what a closed unit has open; False where nothing can be moved now."""
    for merger in await repository.undone(tx):
        if await _moved(tx, runtime, merger):
            return True
    return False


async def _moved(tx: AsyncSession, runtime: Runtime, merger: UnitMerger) -> bool:
    now, code = runtime.clock.now(), merger.unit_code
    into = await successor(tx, code)  # which may have merged into another since
    left = False
    for kind in KINDS:
        if await _move(tx, runtime, kind, code, into):
            return True
        left = left or await _is_left(tx, kind, code)
    if await joining.join(tx, code, into, now, BATCH):
        return True
    left = left or await joining.is_left(tx, code, now)
    if not left and await repository.is_known_to_all(tx, merger):
        merger.done_at = merger.updated_at = now
    return False


async def _move(tx: AsyncSession, runtime: Runtime, kind: Kind, code: str, into: str) -> bool:
    its, now = kind.entity, runtime.clock.now()
    query = select(its.id).where(its.unit_code == code, kind.is_open).limit(BATCH)
    ids = (await tx.scalars(query.with_for_update(skip_locked=True, key_share=True))).all()
    if not ids:
        return False
    values = {"unit_code": into, "updated_at": now}
    if issubclass(its, Versioned):
        values["version"] = its.version + 1
    change = update(its).where(its.id.in_(ids)).values(values).returning(its)
    rows = (await tx.scalars(change, execution_options={"synchronize_session": False})).all()
    if kind.told is not None:
        events = [kind.told(row) for row in sorted(rows, key=lambda row: row.id)]
        await runtime.outbox.append(tx, events, at=now)
    return True


async def _is_left(tx: AsyncSession, kind: Kind, code: str) -> bool:
    its = kind.entity
    return await tx.scalar(select(its.id).where(its.unit_code == code, kind.is_open).limit(1)) is not None
