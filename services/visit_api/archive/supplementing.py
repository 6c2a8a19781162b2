"""What came of a visit after it was archived, as a supplement: by itself, or for whoever does not wait for that."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from visit_api.appeals import sealing
from visit_api.appeals import service as appeals
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView
from visit_api.archive import repository
from visit_api.archive.entering import enter, opened
from visit_api.archive.models import Entry
from visit_api.archive.sections import SLICES, Slice, as_shown
from visit_api.visits import repository as visits
from visit_api.visits.models import Late, Visit

CAUSE = "brought_late"  # what a supplement of this kind tells

Record = dict[str, Any]


async def enter_waiting(tx: AsyncSession, runtime: Runtime, visit_id: UUID) -> None:
    """Enters what came late of a visit. What nobody in particular enters is entered by nobody."""
    visit = await visits.find(tx, None, visit_id, lock=True)
    assert visit is not None, "what came late names its visit by foreign key"
    raised = await appeals.all_raised(tx, visit_id)
    await enter_late(tx, runtime, visit, raised, by=None)


async def enter_late(
    tx: AsyncSession, runtime: Runtime, visit: Visit, raised: Sequence[Appeal], *, by: str | None
) -> tuple[Entry, Record] | None:
    """Enters whatever no entry of a held, archived visit has yet, of `raised` too, with its cause: what came, and who
    brought it. None where there is nothing."""
    late = await visits.late_of(tx, visit.id)  # first: whatever is said to have come can then be seen, too
    entries = await repository.of_visit(tx, None, visit.id)
    known = [await opened(tx, runtime, each) for each in entries]
    new = {
        its.section: fresh
        for its in SLICES
        if its.comes_late and (fresh := _fresh(its, await its.on_record(tx, runtime, visit), known))
    }
    if unknown := _not_in(known, raised):
        await sealing.show(tx, runtime, unknown)
        new["appeals"] = [as_shown(AppealView, each) for each in unknown]
    entry = entries[-1]
    if new:
        new = {"told": _cause(late, new), **new} if late else new
        entry = await enter(tx, runtime, visit, new, now=runtime.clock.now(), by=by)
    for each in late:
        each.entry_id = entry.id
    await tx.flush()
    return (entry, new) if new else None


def entered_by_itself(entry: Entry, record: Record) -> Record | None:
    """What such an entry holds that was made without anybody's asking; None of any other."""
    by_itself = entry.entered_by is None and record.get("told", {}).get("type") == CAUSE
    return record if by_itself and "appeals" not in record else None


def _fresh(its: Slice, found: Any, known: Iterable[Record]) -> Any:
    """What of a section is in no entry."""
    there = [entry[its.section] for entry in known if its.section in entry]
    if not its.late_parts:
        return _unknown(its, found, [each for section in there for each in section])
    parts = {
        part: _unknown(its, found.get(part, ()), [each for section in there for each in section.get(part, ())])
        for part in its.late_parts
    }
    return {part: fresh for part, fresh in parts.items() if fresh}


def _unknown(its: Slice, found: Sequence[Record], known: Sequence[Record]) -> list[Record]:
    # What a later version shows besides makes nothing new of what was entered before.
    there = [_told(its, one).items() for one in known]
    return [each for each in found if not any(one <= _told(its, each).items() for one in there)]


def _told(its: Slice, row: Record) -> Record:
    """What there is to tell of a row. What a step says never changes: it is nothing new that it does not name an appeal
    any more that was raised without a name."""
    told = {name: said for name, said in row.items() if name not in its.beside}
    if row.get("kind") == "appeals":
        told["content"] = {name: said for name, said in row["content"].items() if name != "appeal_ids"}
    return told


def _not_in(known: Iterable[Record], raised: Iterable[Appeal]) -> list[Appeal]:
    there = {each["id"] for entry in known for each in entry.get("appeals", ())}
    return [each for each in raised if str(each.id) not in there]


def _cause(late: Sequence[Late], new: Mapping[str, Any]) -> Record:
    return {
        "type": CAUSE,
        "what": list(new),
        "by": sorted({each.brought_by for each in late}),
        "at": min(each.recorded_at for each in late).isoformat(),
    }
