"""What is done with steps: they are recorded, corrected by others, and a question that waits is raised as an appeal."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import FieldError, Unprocessable
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from chassis.web.work import Statements
from visit_api.appeals import service as appeals
from visit_api.appeals.confidence import confidence
from visit_api.appeals.schemas import NewAppeal
from visit_api.base import add
from visit_api.civil import day_of
from visit_api.directory.staff import hold_named, visitors
from visit_api.materials.service import publicised
from visit_api.standard.asked import STEPS, asked
from visit_api.steps import repository
from visit_api.steps.contents import AppealsHeard, Consultation, Publicise, Publicised, Strategy
from visit_api.steps.errors import (
    BOTH,
    NEITHER,
    OTHER_KIND,
    UNKNOWN_STEP,
    StepSuperseded,
    StepTaken,
    hidden_appeal,
    unknown_appeal,
)
from visit_api.steps.models import Step
from visit_api.steps.schemas import NewStep, StepView
from visit_api.texts import service as texts
from visit_api.visits.begun import require_begun
from visit_api.visits.lateness import came_late
from visit_api.visits.lifecycle import Act, Unmet
from visit_api.visits.models import Visit
from visit_api.visits.service import get_visit, lock_visit, require_recordable


async def record(
    tx: AsyncSession,
    statements: Statements,
    runtime: Runtime,
    caller: Principal,
    visit_id: UUID,
    new: NewStep,
    *,
    late: bool = False,
) -> Step:
    """Records what was done on a visit; a question that could not be answered at once is raised in the same commit. One
    that comes `late` is not refused for a time before the visit began, nor one that corrects such a step. What became
    of a strategy (§7.2.4) is recorded whenever it is known, also after the archive, if nothing else is said anew.

    Raises `NotFound`, `ActRefused`, `StepTaken`, `StepSuperseded`, `Unprocessable`.
    """
    if isinstance(new.content, Strategy):  # before the visit, as whoever hands over what somebody has does
        await _hold_owner(tx, visit_id, new.content.owner)
    visit = await lock_visit(tx, caller, visit_id)
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if found:
        if found.visit_id != visit_id or not await texts.is_made_of(tx, runtime, found, new):
            raise StepTaken(id=new.id)
        await texts.show(tx, runtime, [found])
        return found
    now = runtime.clock.now()
    at = happened(new.at or now, now)
    old = None if new.supersedes is None else await repository.find(tx, caller.unit, new.supersedes)
    ends = await _is_outcome(tx, runtime, visit, old, new)
    if not ends:
        require_recordable(Act.RECORD, visit, at)
    old = _superseded(visit, old, new)
    if not late and (old is None or at < old.at):
        require_begun(visit, at)
    content = await _content(tx, caller, visit, new.model_copy(update={"at": at}), ends=ends)
    appeal_id = old and old.appeal_id
    if appeal_id is None and isinstance(new.content, Consultation) and new.content.answer is None:
        raised = await appeals.raise_appeal(statements, runtime, caller, visit_id, _appeal(new.content, at))
        appeal_id = raised["id"]
    its = {"kind": content["kind"], "at": at, "recorded_at": now, "recorded_by": caller.sub, "appeal_id": appeal_id}
    step = await _add(tx, runtime, visit, new, content, now, **its)
    if old is not None:
        old.superseded_by, old.updated_at = step.id, now
    await came_late(tx, visit, "steps", caller.sub, now)
    return step


async def list_steps(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    visit_id: UUID,
    window: Window,
    *,
    kind: str | None,
    current: bool | None,
) -> Listing[Step]:
    """The steps of a visit. Raises `NotFound`."""
    await get_visit(tx, caller, visit_id)
    found = await repository.find_all(tx, window, visit_id, kind=kind, current=current)
    await texts.show(tx, runtime, found.items)
    return found


async def follow_steps(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, *, kind: str | None, current: bool | None
) -> Listing[Step]:
    """The steps of all visits that the caller sees."""
    found = await repository.seen(tx, caller.unit, window, kind=kind, current=current)
    await texts.show(tx, runtime, found.items)
    return found


async def needs_heard(tx: AsyncSession, customer_id: UUID) -> set[str]:
    """The fields in which a customer had needs, on whatever visit."""
    return await repository.needs_heard(tx, customer_id)


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """Every step, the superseded ones too, in the order in which they were done, for the archive."""
    steps = await repository.of_visit(tx, visit.id)
    await texts.show(tx, runtime, steps)
    return [StepView.model_validate(step).model_dump(mode="json") for step in steps]


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """The steps that are asked of the visit and not recorded. What was raised is no hidden appeal: whoever may not know
    of one would be told of it by what is not asked."""
    steps = [step for step in await repository.of_visit(tx, visit.id) if step.superseded_by is None]
    kinds = {step.kind for step in steps}
    if not all(each.hidden for each in await appeals.all_raised(tx, visit.id)):
        kinds.add("appeals")
    needed = any(step.content.get("needs") for step in steps)
    rows = asked(STEPS, visit.channel, visit.direction, visit.form)
    missing = [
        Unmet(row.clause, row.what)
        for row in rows
        if row.what not in kinds and (needed or not row.where_needs_were_heard)
    ]
    strategies = [step.content for step in steps if step.kind == "strategy"]
    if any(each.get("due_on") is None for each in strategies):
        missing.append(Unmet("7.2.4", "strategy_due_on"))  # what is to be done by no day is no solution
    today = day_of(runtime.clock.now()).isoformat()
    if any((each.get("due_on") or today) < today and each.get("outcome") is None for each in strategies):
        missing.append(Unmet("7.2.4", "strategy_outcome"))
    return missing


async def _add(
    tx: AsyncSession,
    runtime: Runtime,
    visit: Visit,
    new: NewStep,
    content: dict[str, Any],
    now: datetime,
    **columns: Any,
) -> Step:
    id = new.id or new_id()  # noqa: A001
    its = {"id": id, "visit_id": visit.id, "unit_code": visit.unit_code, **columns}
    kept = await texts.kept(tx, runtime, Step, id, visit.unit_code, {"content": content})
    digest = await texts.digest(tx, runtime, new)
    step = await add(tx, Step, new, now, **its, **kept, content_digest=digest)
    if step is None:
        raise StepTaken(id=new.id)
    await texts.show(tx, runtime, [step])
    return step


async def _is_outcome(tx: AsyncSession, runtime: Runtime, visit: Visit, old: Step | None, new: NewStep) -> bool:
    """Whether a step is the one that it supersedes with what became of it, and says nothing else anew."""
    said = new.content
    if not isinstance(said, Strategy) or said.outcome is None:
        return False
    if old is None or (old.visit_id, old.kind) != (visit.id, said.kind):
        return False
    await texts.show(tx, runtime, [old])
    return said.model_copy(update={"outcome": None}).model_dump(mode="json") == {**old.content, "outcome": None}


def _superseded(visit: Visit, old: Step | None, new: NewStep) -> Step | None:
    if new.supersedes is None:
        return None
    if old is None or old.visit_id != visit.id:
        raise Unprocessable(UNKNOWN_STEP)
    if old.kind != new.content.kind:
        raise Unprocessable(OTHER_KIND)
    if old.superseded_by is not None:
        raise StepSuperseded(superseded_by=old.superseded_by)
    return old


async def _content(tx: AsyncSession, caller: Principal, visit: Visit, new: NewStep, *, ends: bool) -> dict[str, Any]:
    """The content as it is kept, once what it names is sure to be there; whose a strategy was that `ends` stands, also
    where they left since."""
    content = new.content
    kept = content.model_dump(mode="json")
    if isinstance(content, Publicise):
        assert new.at is not None
        editions = await publicised(tx, visit.unit_code, content.materials, new.at, "/content/materials")
        kept["materials"] = [Publicised.model_validate(each).model_dump(mode="json") for each in editions]
    elif isinstance(content, Strategy) and not ends:
        (kept["owner"],) = await _owner(tx, visit, content)
    elif isinstance(content, AppealsHeard):
        await _check_appeals(tx, caller, visit, content)
    elif isinstance(content, Consultation):
        if content.answer is None and content.reason_not_answered is None:
            raise Unprocessable(NEITHER, clause="7.2.3")
        if content.answer is not None and content.reason_not_answered is not None:
            raise Unprocessable(BOTH)
    return kept


async def _owner(tx: AsyncSession, visit: Visit, strategy: Strategy) -> list[str]:
    await _hold_owner(tx, visit.id, strategy.owner)  # who waited for the visit may not, now that it is held
    try:
        owner = [strategy.owner]
        return await visitors(tx, visit.unit_code, owner, "/content/owner", already=owner)
    except Unprocessable as fault:
        its = [FieldError("/content/owner", error.code, error.words) for error in fault.errors]
        raise Unprocessable(*its) from fault


async def _hold_owner(tx: AsyncSession, visit_id: UUID, owner: str) -> None:
    """Has nobody hand over what the owner of a strategy has until it is stored, so that it goes over too. Where the
    visit keeps whoever does waiting, nothing more is held: they would wait for each other."""
    if not await repository.has_work(tx, visit_id, owner):
        await hold_named(tx, owner)


async def _check_appeals(tx: AsyncSession, caller: Principal, visit: Visit, heard: AppealsHeard) -> None:
    known = await confidence(tx, caller)
    raised = {each.id: each for each in await appeals.all_raised(tx, visit.id) if known.may_know(each)}
    faults = [
        hidden_appeal(place) if each in raised else unknown_appeal(place)
        for place, each in enumerate(heard.appeal_ids)
        if each not in raised or raised[each].hidden
    ]
    if faults:
        raise Unprocessable(*faults)


def _appeal(question: Consultation, at: datetime) -> NewAppeal:
    reason = question.reason_not_answered
    return NewAppeal(type="consultation", summary=question.question, received_at=at, reason_not_answered=reason)
