"""Open visits that lack a clock which the policy that counts for them gives.

A visit keeps no policy of its own, so that one is judged only by rules that were there when it was last heard of: what
was published, picked or withdrawn since, or came with another place in the tree, is for a recalculation to bring about.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.repository import on_visits
from appeal_tracker.audit import repository
from appeal_tracker.audit.invariants import Finding, Invariant
from appeal_tracker.clocks import service as clocks
from appeal_tracker.directory.models import Unit
from appeal_tracker.policies import service as policies
from appeal_tracker.visits import repository as visits
from appeal_tracker.visits.course import Standing, facts
from appeal_tracker.visits.following import Lacking, lacking
from appeal_tracker.visits.models import SUBJECT, Visit
from appeal_tracker.visits.service import ended_on_purpose
from chassis import scope


async def without_clocks(tx: AsyncSession, subjects: Sequence[UUID]) -> list[Finding]:
    """What visits lack of their clocks. They are read without being held; those that seem to lack any are held then,
    and looked at once more."""
    suspects = {visit.id for visit, _ in await _lacking(tx, await visits.among(tx, subjects))}
    found = await _lacking(tx, await visits.hold(tx, suspects)) if suspects else []
    changed = {unit: await _rules_changed(tx, unit) for unit in {visit.unit_code for visit, _ in found}}
    return [
        _finding(visit, its)
        for visit, its in found
        if (since := changed[visit.unit_code]) is None or since <= visit.updated_at
    ]


def _finding(visit: Visit, its: Lacking) -> Finding:
    milestone = its.limit.milestone
    return Finding(Invariant.CLOCK_MISSING, SUBJECT, visit.id, f"{milestone}#{its.round}", None, milestone)


async def _lacking(tx: AsyncSession, some: Sequence[Visit]) -> list[tuple[Visit, Lacking]]:
    open_ones = [visit for visit in some if visit.is_open and not visit.policy_assumed]
    if not open_ones:
        return []
    shelf = await policies.shelf(tx, {visit.unit_code for visit in open_ones})
    its = await clocks.of_subjects(tx, SUBJECT, [visit.id for visit in open_ones])
    ended = await ended_on_purpose(tx, its)
    standing = await on_visits(tx, [visit.id for visit in open_ones if visit.completed_at])
    return [
        (visit, each)
        for visit in open_ones
        for each in lacking(shelf, visit, its[visit.id], facts(visit, standing.get(visit.id, Standing())), ended)
    ]


async def _rules_changed(tx: AsyncSession, unit: str) -> datetime | None:
    return await repository.rules_changed(tx, await scope.ancestors(tx, Unit, unit) or [unit])
