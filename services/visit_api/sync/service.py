"""A push: each item in a transaction of its own, by its own fate. One bad item never costs the others."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.vault.searching import Index
from chassis.web.errors import Language, NotFound, Problem, Unprocessable
from chassis.web.tokens import Principal
from chassis.web.validation import field_error
from chassis.web.work import Statements, UnitOfWork
from visit_api.customers.errors import unknown_customer
from visit_api.customers.service import unit_of_ever_seen
from visit_api.directory.sight import seeing, unit_in_sight
from visit_api.sync import conflicts, repository, versions
from visit_api.sync.applying import Application, apply
from visit_api.sync.clocks import Reading, Taken, read
from visit_api.sync.items import BroughtVisit, named, rank
from visit_api.sync.items import read as read_item
from visit_api.sync.models import Brought
from visit_api.sync.schemas import AnswerView, Push, PushView
from visit_api.visits.lateness import came_late_to

log = logging.getLogger(__name__)

_MOST_ERRORS = 10  # of an item
MOVED = "visit_moved"


@dataclass(frozen=True)
class Pushing:
    """Who pushes, from which device, when by its clock and by ours; `index` keys what is known again by its content."""

    runtime: Runtime
    caller: Principal
    push: Push
    reading: Reading
    index: Index


async def push(work: UnitOfWork, runtime: Runtime, caller: Principal, push: Push, language: Language) -> PushView:
    """Takes what a device brings, dependence first; answers in the order of the push. Raises nothing for an item."""
    reading = read(push.sent_at, runtime.clock.now())
    answers = {place: _read(raw, place, language) for place, raw in enumerate(push.items)}
    items = {place: item for place, item in answers.items() if not isinstance(item, AnswerView)}
    async with _own(work) as mine:
        tx = await mine.transaction()
        its = Pushing(runtime, caller, push, reading, await runtime.vault.index(tx))
        await repository.saw(tx, caller, push.device, reading)
        before = await repository.brought_before(tx, caller.unit, {item.id for item in items.values()})
    for place in sorted(items, key=lambda place: rank(items[place])):
        item = items[place]
        line = before.get((item.id, _digest(its, item)))  # brought again, most of a push costs one question
        known = None if line is None else _as_before(AnswerView(place=place, id=item.id, kind=item.kind), item, line)
        answers[place] = known or await _answer(work, its, place, item, language)
    return PushView(
        received_at=reading.now,
        offset_ms=reading.milliseconds,
        clock_is_wrong=reading.is_wrong,
        items=[answers[place] for place in range(len(push.items))],
    )


async def _answer(work: UnitOfWork, its: Pushing, place: int, item: Any, language: Language) -> AnswerView:
    """What becomes of the item at `place`."""
    try:
        async with _own(work) as mine:
            return await _take(mine, its, place, item)
    except Problem as problem:
        problem.errors = [replace(error, pointer=_pointer(place, error.pointer)) for error in problem.errors]
        refused = problem
    except Exception as error:
        if is_outage(error):
            raise  # nobody's own fault: what was stored before is the same when it comes again
        # One item that trips over us is put down and answered; the device keeps it, and the others go on.
        log.exception("an item could not be taken", extra={"device": its.push.device, "place": place})
        refused = Problem()
    return AnswerView(place=place, id=item.id, kind=item.kind, outcome="refused", problem=refused.body(language))


@asynccontextmanager
async def _own(work: UnitOfWork) -> AsyncIterator[UnitOfWork]:
    """A transaction of an item's own; where the request has one (it brought an Idempotency-Key), a part of that."""
    if work.tx is None:
        async with UnitOfWork(work.db) as mine:
            yield mine
    else:
        async with work.tx.begin_nested():
            yield work


async def _take(work: UnitOfWork, its: Pushing, place: int, item: Any) -> AnswerView:
    tx = await work.transaction()
    visit_id, unit_code, notes = await _whose(tx, its, item)
    taken = await _taken(tx, item, visit_id, its.reading)
    answer = AnswerView(place=place, id=item.id, kind=item.kind, outcome="stored", at=taken.at, clock=taken.mark)
    answer = answer.model_copy(update={"notes": notes})
    line = _line(its, item, taken, visit_id, unit_code)
    brought = await repository.bring(tx, line)
    if brought is None:
        return _as_before(answer, item, await repository.find_brought(tx, item.id, line["content_digest"]))
    answer = await _applied(work, tx, its, item, line, brought, answer)
    await came_late_to(tx, visit_id, "devices", its.caller.sub, its.reading.now)
    return answer


async def _applied(
    work: UnitOfWork,
    tx: AsyncSession,
    its: Pushing,
    item: Any,
    line: dict[str, Any],
    brought: UUID,
    answer: AnswerView,
) -> AnswerView:
    """The answer to an item that was not brought before, once it is applied."""
    visit_id, at = line["visit_id"], line["at"]
    # Whoever was to make a visit is heard by the unit that has it now.
    caller = seeing(its.caller, line["unit_code"]) if MOVED in answer.notes else its.caller
    entity = versions.ENTITIES.get(item.kind)
    there = entity is not None and await repository.exists(tx, entity, item.id)
    application = Application(tx, Statements(work), its.runtime, caller, item.id, visit_id, at)
    try:
        async with tx.begin_nested():
            thing_id = await apply(application, item)
    except Problem as problem:
        if await conflicts.is_said_already(tx, its.runtime, item, visit_id, at, problem):
            await _mark(tx, brought, "same")
            return answer.model_copy(update={"outcome": "same"})
        conflict = await conflicts.note(tx, its.runtime, caller, brought, item, line, problem)
        if conflict is None:
            raise
        await _mark(tx, brought, "conflict")
        return answer.model_copy(update={"outcome": "conflict", "conflict_id": conflict})
    # A twin of another content may have come between: what is there then is the twin's.
    there = there or (entity is not None and not await repository.is_made_here(tx, entity, item.id))
    if there:
        await _mark(tx, brought, "same")
    notes = [*answer.notes, *application.notes]
    return answer.model_copy(update={"outcome": "same" if there else "stored", "thing_id": thing_id, "notes": notes})


async def _whose(tx: AsyncSession, its: Pushing, item: Any) -> tuple[UUID, str, list[str]]:
    """The visit that an item is about, its unit, and what is to be noted of who brings it. Raises `NotFound`,
    `Unprocessable`: somebody else's looks like one that is not there."""
    caller, visit_id = its.caller, item.id
    if not isinstance(item, BroughtVisit):
        visit_id = await repository.made_instead_of(tx, item.visit_id, its.push.device) or item.visit_id
    found = await repository.whose(tx, caller, visit_id)
    if found is None and not isinstance(item, BroughtVisit):
        raise NotFound
    if found is None:
        unit_code = await unit_of_ever_seen(tx, caller, item.body.customer_id)
        if unit_code is None:
            raise Unprocessable(unknown_customer("/customer_id"))
        kept = await unit_in_sight(tx, caller, unit_code)
        return visit_id, kept, [] if kept == unit_code else ["customer_moved"]
    if not found.seen:
        return visit_id, found.unit_code, [MOVED]
    others = found.visitor_ids and caller.sub not in found.visitor_ids
    return visit_id, found.unit_code, ["not_the_visitor"] if others else []


async def _taken(tx: AsyncSession, item: Any, visit_id: UUID, reading: Reading) -> Taken:
    """When it was done. Two readings of a wrong clock, or a clock that was put right in between, may put the end of a
    visit before its beginning: that is the clock's fault, and the end is then taken for the beginning."""
    taken = reading.takes(item.at)
    if item.kind == "completion":
        began = await repository.began(tx, visit_id)
        if began is not None and taken.at < began:
            return Taken(began, "untrusted")
    return taken


def _as_before(answer: AnswerView, item: Any, line: Any) -> AnswerView:
    """The answer to what was brought before: what it was taken for then."""
    made = line.made_id or (item.id if item.kind in versions.ENTITIES and line.conflict_id is None else None)
    open_conflict = line.conflict_id is not None and line.keep is None
    known = {"at": line.at, "clock": line.clock, "conflict_id": line.conflict_id, "thing_id": made}
    return answer.model_copy(update={**known, "outcome": "conflict" if open_conflict else "same"})


async def _mark(tx: AsyncSession, brought: UUID, outcome: str) -> None:
    line = await tx.get(Brought, brought)
    assert line is not None, "it was stored by this transaction"
    line.outcome = outcome
    await tx.flush()


def _line(its: Pushing, item: Any, taken: Taken, visit_id: UUID, unit_code: str) -> dict[str, Any]:
    return {
        "item_id": item.id,
        "content_digest": _digest(its, item),
        "kind": item.kind,
        "visit_id": visit_id,
        "unit_code": unit_code,
        "device": its.push.device,
        "brought_by": its.caller.sub,
        "outcome": "stored",
        "device_at": item.at,
        "device_sent_at": its.push.sent_at,
        "offset_ms": its.reading.milliseconds,
        "at": taken.at,
        "clock": taken.mark,
        "recorded_at": its.reading.now,
    }


def _digest(its: Pushing, item: Any) -> bytes:
    """By what an item is known again beside its id: as the device said it, however that is corrected. Keyed, for of a
    plain digest all short words could be tried."""
    return its.index.digest("sync_items", item.model_dump_json(exclude_defaults=True).encode())


def _read(raw: dict[str, Any], place: int, language: Language) -> Any:
    """The item at `place`, or the answer to one that is none."""
    try:
        return read_item(raw)
    except ValidationError as found:
        faults = [{**error, "loc": ("body", "items", place, *error["loc"])} for error in found.errors()[:_MOST_ERRORS]]
        refused = Unprocessable(*map(field_error, faults))
    return AnswerView(place=place, outcome="refused", problem=refused.body(language), **named(raw))


def _pointer(place: int, pointer: str) -> str:
    """Where in the push that is what a service points to in the body of the same act over HTTP."""
    return f"/items/{place}/at" if pointer in ("/at", "/received_at") else f"/items/{place}/body{pointer}"
