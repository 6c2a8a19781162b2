"""Archiving: one record for each visit, and supplements for what came after it; neither is ever edited."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault.searching import folded
from chassis.web.errors import NotFound, ServiceUnavailable, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.appeals import sealing
from visit_api.appeals import service as appeals
from visit_api.appeals.confidence import confidence
from visit_api.appeals.following import ENTERED, Told, appeal_of
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView
from visit_api.archive import exporting, knowing, reasons, repository, supplementing
from visit_api.archive.completing import gaps_of, give_reason
from visit_api.archive.entering import enter, opened, sought
from visit_api.archive.errors import TOO_SHORT, ArchiveIncomplete, HoldUnchanged, NotArchived, NothingNew
from visit_api.archive.gaps import Gap
from visit_api.archive.models import Entry, GapReason, Hold
from visit_api.archive.repository import Sought
from visit_api.archive.schemas import ArchiveView, GapReasonView, NewReason
from visit_api.archive.sections import SLICES, as_shown
from visit_api.archive.service_record import service_record
from visit_api.attachments import service as attachments
from visit_api.sync import recording as sync
from visit_api.visits import service as visits
from visit_api.visits.lifecycle import Act, VisitState
from visit_api.visits.models import Visit
from visit_api.visits.schemas import VisitView

SHORTEST = 2  # signs of a word that is looked for


async def archive_visit(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Visit:
    """Enters a completed visit whose appeals are all closed (§7.2.6); what is asked and not demanded may be missing.

    Raises `NotFound`, `ArchiveIncomplete`, `ActRefused` for a visit that is archived.
    """
    visit = await visits.lock_visit(tx, caller, id)
    _, gaps = await gaps_of(tx, runtime, caller, visit)
    missing = [{"clause": gap.clause, "what": gap.what, **gap.named} for gap in gaps if gap.hinders]
    if visit.state != VisitState.ARCHIVED and missing:
        raise ArchiveIncomplete(missing=missing)
    visits.require_possible(Act.ARCHIVE, visit)
    await visits.perform(tx, runtime, visit, Act.ARCHIVE)
    record = await _record(tx, runtime, visit, await appeals.all_raised(tx, id), gaps)
    await enter(tx, runtime, visit, record, now=visit.updated_at, by=caller.sub)
    return visit


async def get_archive(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, *, act: str = "archive.read"
) -> dict[str, Any]:
    """The record of a visit and its supplements, as far as the caller may know, and whether it is held; that it was
    read is noted. Raises `NotFound`."""
    entries = await repository.of_visit(tx, caller.unit, visit_id)
    if not entries:
        raise NotFound
    unit = entries[0].unit_code
    await trail.note(tx, runtime, caller, act=act, thing="visit", thing_id=visit_id, unit_code=unit)
    hidden = await knowing.hidden_on(tx, caller, visit_id)
    shown = [await knowing.as_known(tx, caller, each, await opened(tx, runtime, each), hidden) for each in entries]
    record, *supplements = [each for each in shown if each is not None]
    if (last := await repository.last_hold(tx, visit_id)) is not None:
        await reasons.show(tx, runtime, last)
    return {"record": record, "supplements": supplements, "hold": last}


async def get_sheet(tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID) -> dict[str, Any]:
    """A visit as it stands, in the form of its archive: for the sheet that the customer signs. What was said in
    confidence is on it, and what brought it, only where the caller may know; that it was read is noted then. Raises
    `NotFound`."""
    visit = await visits.get_visit(tx, caller, visit_id)
    _, gaps = await gaps_of(tx, runtime, caller, visit)
    known = await confidence(tx, caller)
    raised = [each for each in await appeals.all_raised(tx, visit_id) if known.may_know(each)]
    draft = {"entered_at": None, "record": await _record(tx, runtime, visit, raised, gaps, reader=caller)}
    await appeals.note_read(tx, runtime, caller, raised)
    return {"record": draft, "supplements": [], "hold": None}


async def export(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID
) -> tuple[str, AsyncIterator[bytes]]:
    """All that is archived of a visit as a ZIP, and a tag by which it is known. Raises `NotFound`."""
    archive = await get_archive(tx, runtime, caller, visit_id, act="archive.export")
    store = attachments.store_of(runtime)
    for each in exporting.attached(archive):
        if not await store.exists(each["sha256"]):
            raise ServiceUnavailable
    shown = ArchiveView.model_validate(archive).model_dump(mode="json")
    entries = [shown["record"], *shown["supplements"]]
    tag = hashlib.sha256(msgspec.json.encode(shown, order="deterministic")).hexdigest()
    at = datetime.fromisoformat(entries[-1]["entered_at"])
    return tag, exporting.packed(await exporting.files(store, shown), at)


async def find(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, sought_for: Sought, words: str | None
) -> Listing[Any]:
    """The entries that the caller sees and that are sought; of words each must be there, and that somebody looked for
    some is noted. Nothing is found by what the caller may not know. Raises `Unprocessable`."""
    wanted, hashes, unit = None if words is None else words.split(), None, caller.unit
    if wanted is not None:
        if any(len(folded(word)) < SHORTEST for word in wanted) or not wanted:
            raise Unprocessable(TOO_SHORT)
        # Who looked, not for what: that may be a name.
        act, thing = "archive.search", "archive"
        await trail.note(tx, runtime, caller, act=act, thing=thing, thing_id=unit or "", unit_code=unit)
        hashes = await sought(tx, runtime, wanted)

    async def known(entries: Sequence[Entry]) -> Sequence[Any | None]:
        its_type = sought_for.appeal_type
        return await knowing.listed(tx, runtime, caller, entries, words=wanted, appeal_type=its_type)

    return await repository.find_all(tx, unit, window, sought_for, hashes, known)


async def explain_gap(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, new: NewReason
) -> GapReason:
    """Says why something is missing; of a visit that is archived already, as a supplement.

    Raises `NotFound`, `GapStaysOpen`, `Unprocessable` for what is not missing.
    """
    visit = await visits.lock_visit(tx, caller, visit_id)
    reason = await give_reason(tx, runtime, caller, visit, new)
    if reason is None:
        same = [each for each in await repository.reasons_of(tx, visit_id) if each.what == new.what]
        last = next(each for each in reversed(same) if each.clause == new.clause)
        await reasons.show(tx, runtime, last)
        return last
    if visit.state == VisitState.ARCHIVED:
        said = {"gaps": [as_shown(GapReasonView, reason)]}
        await enter(tx, runtime, visit, said, now=reason.recorded_at, by=caller.sub)
    return reason


async def supplement(tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID) -> dict[str, Any]:
    """Enters what was recorded of an archived visit since, all of it, without waiting until that is done by itself;
    where it was, that is the answer. Of what devices brought and of appeals it has what the caller may know of.

    Raises `NotFound`, `NotArchived`, `NothingNew`.
    """
    visit = await visits.lock_visit(tx, caller, visit_id)
    if visit.state != VisitState.ARCHIVED:
        raise NotArchived
    raised = await appeals.all_raised(tx, visit_id)
    if (new := await supplementing.enter_late(tx, runtime, visit, raised, by=caller.sub)) is not None:
        its = await _known(tx, caller, *new)
        shown = {each["id"] for each in its["record"].get("appeals", ())}
        await appeals.note_read(tx, runtime, caller, [each for each in raised if str(each.id) in shown])
        return its
    last = (await repository.of_visit(tx, caller.unit, visit_id))[-1]
    if (record := supplementing.entered_by_itself(last, await opened(tx, runtime, last))) is None:
        raise NothingNew
    return await _known(tx, caller, last, record)


async def hold(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, reason: str, *, held: bool
) -> Hold:
    """Has a record be kept whatever its age, or no longer. Raises `NotFound`, `HoldUnchanged`."""
    visit = await visits.lock_visit(tx, caller, visit_id)
    if visit.state != VisitState.ARCHIVED:
        raise NotFound
    last = await repository.last_hold(tx, visit_id)
    if held == (last is not None and last.held):
        raise HoldUnchanged(held=held)
    its = Hold(
        id=new_id(),
        visit_id=visit_id,
        unit_code=visit.unit_code,
        held=held,
        acted_by=caller.sub,
        recorded_at=runtime.clock.now(),
    )
    return await reasons.add(tx, runtime, its, reason)


async def follow(tx: AsyncSession, runtime: Runtime, heard: Sequence[Told]) -> None:
    """Takes over what the tracker told of appeals; what changes what is archived is entered as a supplement."""
    now = runtime.clock.now()
    # Held first, or a visit might be archived on what is just being changed.
    held = await visits.hold_visits(tx, await appeals.visits_of(tx, {appeal_of(event) for event in heard}))
    async for appeal, event in appeals.follow(tx, heard, now):
        visit = held[appeal.visit_id]
        if visit.state == VisitState.ARCHIVED and isinstance(event, ENTERED):
            await sealing.show(tx, runtime, [appeal])
            told = {"type": event.type, "round": event.round, "at": event.at.isoformat()}
            record = {"told": told, "appeals": [as_shown(AppealView, appeal)]}
            await enter(tx, runtime, visit, record, now=now, by=event.by)


async def _known(tx: AsyncSession, caller: Principal, entry: Entry, record: dict[str, Any]) -> dict[str, Any]:
    """A supplement as far as the caller may know of it. Raises `NothingNew` where that is nothing: what is undone by
    that is entered by itself."""
    hidden = await knowing.hidden_on(tx, caller, entry.visit_id)
    if (its := await knowing.as_known(tx, caller, entry, record, hidden)) is None:
        raise NothingNew
    return its


async def _record(
    tx: AsyncSession,
    runtime: Runtime,
    visit: Visit,
    raised: Sequence[Appeal],
    gaps: Sequence[Gap],
    *,
    reader: Principal | None = None,
) -> dict[str, Any]:
    """What is archived of a visit; or what `reader` may know of it."""
    await sealing.show(tx, runtime, raised)
    await visits.show(tx, runtime, [visit])
    record: dict[str, Any] = {"visit": as_shown(VisitView, visit)}
    for its in SLICES:
        if (found := await its.on_record(tx, runtime, visit)) or not its.rare:
            record[its.section] = found
    if reader is not None:
        record["devices"] = await sync.known_to(tx, reader, visit.id, record["devices"])
    record["appeals"] = [as_shown(AppealView, appeal) for appeal in raised]
    record["gaps"] = [gap.shown() for gap in gaps]
    return {**record, "service_record": service_record(record)}
