"""What of an archive somebody may know: where it says something of an appeal that is hidden from them, the rest."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.appeals.confidence import hidden_from
from visit_api.archive import repository
from visit_api.archive.contents import contents
from visit_api.archive.entering import holds, opened
from visit_api.archive.models import Entry
from visit_api.archive.schemas import ArchiveEntryView
from visit_api.archive.sections import as_shown
from visit_api.archive.service_record import service_record
from visit_api.sync import recording as sync
from visit_api.visits import repository as visits

Shown = dict[str, Any]


async def as_known(
    tx: AsyncSession, caller: Principal, entry: Entry, record: dict[str, Any], hidden: Collection[str]
) -> Shown | None:
    """An entry with what it holds, but for the appeals that are `hidden` from the caller, what devices brought of them
    and where a step names one; None where nothing is left."""
    said = {section: record.get(section, []) for section in ("devices", "appeals", "steps")}
    known = {
        "devices": said["devices"] and await sync.known_to(tx, caller, entry.visit_id, said["devices"]),
        "appeals": [each for each in said["appeals"] if each["id"] not in hidden],
        "steps": [_unnamed(each, hidden) for each in said["steps"]],
    }
    if known == said:
        return {**as_shown(ArchiveEntryView, entry), "record": record}
    if "visit" in record:
        rest = {section: known.get(section, its) for section, its in record.items()}
        if "service_record" in rest:  # a record of the first versions has none
            rest |= {"service_record": service_record({name: rest[name] for name in rest if name != "service_record"})}
    else:
        rest = {section: its for section, its in {**record, **known}.items() if its or section not in known}
        if rest.keys() <= {"told"}:
            return None
        if "told" in rest and "what" in rest["told"]:
            rest["told"] = await _told(tx, entry, rest)
    types = sorted({each["type"] for each in known["appeals"]})
    return {**as_shown(ArchiveEntryView, entry), "record": rest, "contents": contents(rest), "appeal_types": types}


async def listed(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    entries: Sequence[Entry],
    *,
    words: Sequence[str] | None,
    appeal_type: str | None,
) -> list[Any | None]:
    """Entries that were found, each as far as the caller may know of it; None where that does not say what was looked
    for."""
    ids, known = {each.visit_id for each in entries}, list[Any | None]()
    hidden = await hidden_from(tx, caller, ids)
    in_part = hidden.keys() | await sync.hiding(tx, caller, ids)
    if words is None:  # such a list does not read what they hold
        await repository.read(tx, [each.id for each in entries if each.visit_id in in_part])
    for entry in entries:
        its: Any = entry
        if entry.visit_id in in_part:
            its = await _sought(tx, runtime, caller, entry, hidden.get(entry.visit_id, ()), words, appeal_type)
        elif words is not None and not holds(await opened(tx, runtime, entry), words):
            its = None
        known.append(its)
    return known


async def hidden_on(tx: AsyncSession, caller: Principal, visit_id: UUID) -> Collection[str]:
    """The ids of the appeals raised on a visit that are hidden from the caller."""
    return (await hidden_from(tx, caller, [visit_id])).get(visit_id, ())


def _unnamed(step: dict[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """A step as it would be recorded by now: older code let one name an appeal that was raised without a name."""
    content = step["content"]
    if "appeal_ids" in content:
        content = {**content, "appeal_ids": [each for each in content["appeal_ids"] if each not in hidden]}
    return {**step, "content": content}


async def _sought(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    entry: Entry,
    hidden: Collection[str],
    words: Sequence[str] | None,
    appeal_type: str | None,
) -> Shown | None:
    its = await as_known(tx, caller, entry, await opened(tx, runtime, entry), hidden)
    if its is None or (words is not None and not holds(its["record"], words)):
        return None
    return None if appeal_type is not None and appeal_type not in its["appeal_types"] else its


async def _told(tx: AsyncSession, entry: Entry, rest: dict[str, Any]) -> dict[str, Any]:
    """Why there is a supplement, of what is left of it."""
    told = rest["told"]
    by = {each.brought_by for each in await visits.late_in(tx, entry.id) if each.what != "devices"}
    by |= sync.named_in(rest.get("devices", []))
    what = [its for its in told["what"] if its in rest]
    return {**told, "what": what, "by": [its for its in told["by"] if its in by]}
