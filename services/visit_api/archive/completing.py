"""What is missing of a visit's record, why, and how strict its unit is about it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.appeals import service as appeals
from visit_api.appeals.confidence import confidence
from visit_api.archive import reasons, repository
from visit_api.archive.errors import NO_SUCH_GAP, NOT_BEFORE_TODAY, GapStaysOpen
from visit_api.archive.gaps import Gap, Reason, judged
from visit_api.archive.models import GapReason, Rule
from visit_api.archive.schemas import NewReason, NewRule
from visit_api.archive.sections import SLICES
from visit_api.civil import day_of
from visit_api.directory.units import get_unit, open_unit
from visit_api.visits.lifecycle import Form, Unmet, VisitState
from visit_api.visits.models import Visit
from visit_api.visits.service import get_visit

_ENDED = frozenset({VisitState.COMPLETED, VisitState.ARCHIVED})


async def get_gaps(tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID) -> dict[str, Any]:
    """What a visit lacks by now. Raises `NotFound`."""
    visit = await get_visit(tx, caller, visit_id)
    strict, gaps = await gaps_of(tx, runtime, caller, visit)
    return {"visit_id": visit.id, "strict": strict, "gaps": [gap.shown() for gap in gaps]}


async def gaps_of(tx: AsyncSession, runtime: Runtime, caller: Principal, visit: Visit) -> tuple[bool, list[Gap]]:
    """Whether the visit's unit is strict, and what the visit lacks, what is open first."""
    strict = await repository.is_strict(tx, visit.unit_code, day_of(visit.started_at or visit.scheduled_at))
    given = {
        Unmet(each.clause, each.what): Reason(await reasons.show(tx, runtime, each), each.given_by, each.recorded_at)
        for each in await repository.reasons_of(tx, visit.id)
    }
    gaps, unmet, named = await _open(tx, caller, visit), list[Unmet](), dict[str, Mapping[str, Any]]()
    for its in SLICES:
        found = await its.unmet(tx, runtime, visit) if its.unmet else []
        if its.open:
            gaps += [Gap(*each, demanded=True, open=True) for each in found]
        else:
            unmet += found
        if its.named is not None:
            named |= await its.named(tx, runtime, visit)
    return strict, gaps + judged(unmet, Form(visit.form), strict=strict, reasons=given, named=named)


async def give_reason(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit: Visit, new: NewReason
) -> GapReason | None:
    """Says why something is not there; None where just that was said last.

    Raises `GapStaysOpen`, `Unprocessable` for what is not missing.
    """
    _, gaps = await gaps_of(tx, runtime, caller, visit)
    gap = next((gap for gap in gaps if (gap.clause, gap.what) == (new.clause, new.what)), None)
    if gap is None:
        raise Unprocessable(NO_SUCH_GAP)
    if gap.open:
        raise GapStaysOpen
    if gap.reason is not None and (gap.reason.reason, gap.reason.given_by) == (new.reason, caller.sub):
        return None
    its = GapReason(
        id=new_id(),
        visit_id=visit.id,
        unit_code=visit.unit_code,
        clause=new.clause,
        what=new.what,
        given_by=caller.sub,
        recorded_at=runtime.clock.now(),
    )
    return await reasons.add(tx, runtime, its, new.reason)


async def adopt(tx: AsyncSession, runtime: Runtime, caller: Principal, unit_code: str, new: NewRule) -> Rule:
    """Has a unit demand everything from a day on, or no longer; what was begun before is judged as it was.

    Raises `NotFound`, `UnitMerged`, `Unprocessable` for a day that is past.
    """
    unit = await open_unit(tx, caller, unit_code)
    now = runtime.clock.now()
    if new.effective_from is not None and new.effective_from < day_of(now):
        raise Unprocessable(NOT_BEFORE_TODAY)
    rule = Rule(
        id=new_id(),
        unit_code=unit.code,
        strict=new.strict,
        effective_from=new.effective_from or day_of(now),
        reason=new.reason,
        adopted_by=caller.sub,
        recorded_at=now,
    )
    tx.add(rule)
    await tx.flush()
    return rule


async def list_rules(tx: AsyncSession, caller: Principal, unit_code: str, window: Window) -> Listing[Rule]:
    """What a unit adopted. Raises `NotFound`."""
    unit = await get_unit(tx, caller, unit_code)
    return await repository.rules_of(tx, window, unit.code)


async def _open(tx: AsyncSession, caller: Principal, visit: Visit) -> list[Gap]:
    """What is still to be done: the visit, and the appeals; whose words are not the caller's to know has no name."""
    gaps = [] if visit.state in _ENDED else [Gap("7.1", "visit_completed", demanded=True, open=True)]
    known = await confidence(tx, caller)
    for each in await appeals.all_raised(tx, visit.id):
        if each.state != "closed":
            named = {"appeal_id": str(each.id), "appeal_no": each.appeal_no} if known.may_know(each) else {}
            gaps.append(Gap("7.2.6", "appeal_closed", demanded=True, open=True, named=named))
    return gaps
