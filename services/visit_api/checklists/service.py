"""What is done with checklists: items are answered, one by one or all at once, as often as a bad line needs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.moments import happened
from chassis.web.tokens import Principal
from visit_api.checklists import repository
from visit_api.checklists.errors import item_elsewhere, item_twice, no_reason
from visit_api.checklists.models import ItemAnswer
from visit_api.checklists.schemas import ChecklistLineView, ChecklistView, NewAnswer, NewAnswers
from visit_api.standard.asked import CHECKLISTS, asked
from visit_api.standard.checklists import Item, sheet
from visit_api.standard.schemas import words
from visit_api.texts import service as texts
from visit_api.visits.begun import require_begun
from visit_api.visits.lateness import came_late
from visit_api.visits.lifecycle import Act, Unmet
from visit_api.visits.models import Visit
from visit_api.visits.service import get_visit, lock_visit, require_recordable


async def get_checklist(tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID) -> ChecklistView:
    """What is asked after a visit, and what is answered. Raises `NotFound`."""
    visit = await get_visit(tx, caller, visit_id)
    return _shown(visit, await _answered(tx, runtime, visit_id))


async def answer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, new: NewAnswers, *, late: bool = False
) -> ChecklistView:
    """Answers some items; what is the answer already is not stored again. What comes `late` is not refused for a time
    before the visit began. Raises `NotFound`, `ActRefused`, `Unprocessable`."""
    visit = await lock_visit(tx, caller, visit_id)
    now = runtime.clock.now()
    at = None if new.at is None else happened(new.at, now)
    _check(visit, new.answers)
    before = await _answered(tx, runtime, visit_id)
    fresh = [one for one in new.answers if not _said(before, caller, one, at)]
    if fresh:
        # What was answered before is answered as the first time, also after the archive.
        require_recordable(Act.ANSWER, visit, at or now)
        if not late:
            require_begun(visit, at or now)
        await came_late(tx, visit, "checklist", caller.sub, now)
    stored = [await _stored(tx, runtime, visit, caller, one, at or now, now) for one in fresh]
    tx.add_all(stored)
    await tx.flush()
    await texts.show(tx, runtime, stored)
    return _shown(visit, sorted([*before, *stored], key=lambda each: (each.answered_at, each.id)))


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """Every answer, in the order in which they were given, for the archive."""
    return [
        {
            "item": each.item,
            "answer": each.answer,
            "note": each.note,
            "answered_by": each.answered_by,
            "answered_at": each.answered_at.isoformat(),
        }
        for each in await _answered(tx, runtime, visit.id)
    ]


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """The items that are asked of the visit and not answered. A no is an answer: a record is honest, not perfect."""
    answered = {each.item for each in await repository.of_visit(tx, visit.id)}
    return [Unmet(item.clause, item.code) for item in _items(visit) if item.code not in answered]


async def _answered(tx: AsyncSession, runtime: Runtime, visit_id: UUID) -> Sequence[ItemAnswer]:
    answers = await repository.of_visit(tx, visit_id)
    await texts.show(tx, runtime, answers)
    return answers


def _items(visit: Visit) -> list[Item]:
    sheets = asked(CHECKLISTS, visit.channel, visit.direction, visit.form)
    return [item for each in sheets for item in sheet(each.what, visit.channel)]


def _check(visit: Visit, answers: Sequence[NewAnswer]) -> None:
    codes = {item.code for item in _items(visit)}
    named = [each.item for each in answers]
    faults = [
        *(item_elsewhere(place) for place, item in enumerate(named) if item not in codes),
        *(item_twice(place) for place, item in enumerate(named) if item in named[:place]),
        *(no_reason(place) for place, each in enumerate(answers) if each.answer == "no" and each.note is None),
    ]
    if faults:
        raise Unprocessable(*faults)


def _said(before: Sequence[ItemAnswer], caller: Principal, new: NewAnswer, at: datetime | None) -> bool:
    """Whether it was answered so: then, by the caller; or, where no time is given, whether that is the answer."""
    answers = [each for each in before if each.item == new.item]
    if at is None:
        return bool(answers) and (answers[-1].answer, answers[-1].note) == (new.answer, new.note)
    then = (at, caller.sub, new.answer, new.note)
    return then in [(each.answered_at, each.answered_by, each.answer, each.note) for each in answers]


async def _stored(
    tx: AsyncSession,
    runtime: Runtime,
    visit: Visit,
    caller: Principal,
    new: NewAnswer,
    at: datetime,
    now: datetime,
) -> ItemAnswer:
    id = new_id()  # noqa: A001
    return ItemAnswer(
        id=id,
        visit_id=visit.id,
        unit_code=visit.unit_code,
        item=new.item,
        answer=new.answer,
        **await texts.kept(tx, runtime, ItemAnswer, id, visit.unit_code, {"note": new.note}),
        answered_by=caller.sub,
        answered_at=at,
        recorded_at=now,
    )


def _shown(visit: Visit, answers: Sequence[ItemAnswer]) -> ChecklistView:
    last = {each.item: each for each in answers}
    lines = [_line(item, last.get(item.code)) for item in _items(visit)]
    return ChecklistView(visit_id=visit.id, unanswered=sum(line.answer is None for line in lines), items=lines)


def _line(item: Item, its: ItemAnswer | None) -> ChecklistLineView:
    return ChecklistLineView(
        item=item.code,
        clause=item.clause,
        words=words(item.words),
        answer=its and its.answer,
        note=its and its.note,
        answered_by=its and its.answered_by,
        answered_at=its and its.answered_at,
    )
