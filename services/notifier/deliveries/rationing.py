"""How much of what is due providers bear just now: each message is counted, the most pressing first."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notifier.channels.limits import Limit, Want, take
from notifier.channels.port import FREE, Channel, Terms
from notifier.deliveries import merging

Group = tuple[list[Any], Terms]


async def ration(tx: AsyncSession, groups: Sequence[Group]) -> tuple[list[Group], dict[UUID, float]]:
    """The groups that may go, and for the deliveries of the others how many seconds they wait."""
    pauses: dict[UUID, float] = {}
    going: list[Group] = []
    for group, terms in groups:
        if terms.paused:
            pauses |= {row.id: terms.paused for row in group}
        else:
            going.append((group, terms))
    for per in ("account", "recipient", "template"):
        for limit in sorted({its for _, terms in going for its in terms.limits if its.per == per}, key=_quickest):
            going = await _pass(tx, going, limit, pauses)
    return going, pauses


async def too_many(tx: AsyncSession, channel: Channel, rows: Sequence[Any]) -> set[UUID]:
    """Of the sends that carry `rows`, those that a provider does not bear now."""
    terms = await channel.terms(tx, {row.handling_unit_code for row in rows}) if rows else {}
    carried: dict[UUID, list[Any]] = {}
    for row in rows:
        carried.setdefault(row.send_id, []).append(row)
    groups = [(its, terms[its[0].handling_unit_code] or FREE) for its in carried.values()]
    useless = {group[0].send_id for group, its in groups if its.problem}
    _, pauses = await ration(tx, [(group, its) for group, its in groups if not its.problem])
    return useless | {row.send_id for row in rows if row.id in pauses}


async def _pass(tx: AsyncSession, groups: Sequence[Group], limit: Limit, pauses: dict[UUID, float]) -> list[Group]:
    """Those of `groups` that a limit lets pass; the others are given pauses."""
    names = [_bucket(group, terms, limit) if limit in terms.limits else None for group, terms in groups]
    wanted = Counter(name for name in names if name is not None)
    wants = [Want(name, limit.times, limit.seconds, count) for name, count in wanted.items()]
    given = await take(tx, wants)
    left = {name: its.count for name, its in given.items()}
    passed = []
    for name, (group, terms) in zip(names, groups, strict=True):
        if name is None or left[name] > 0:
            if name is not None:
                left[name] -= 1
            passed.append((group, terms))
        else:
            pauses |= {row.id: max(given[name].wait, 0.05) for row in group}
    return passed


def _bucket(group: Sequence[Any], terms: Terms, limit: Limit) -> str:
    whose = f"{terms.account}/{limit.seconds}"
    if limit.per == "account":
        return whose
    whose = f"{whose}/{group[0].recipient_kind}/{group[0].recipient}"
    if limit.per == "recipient":
        return whose
    code = merging.code_of(group, terms)
    return f"{whose}/template:{code.code if code else ''}"


def _quickest(limit: Limit) -> tuple[int, int]:
    # What is taken here and refused by the next is back soonest. All processes go by one order, or they would wait for
    # each other.
    return limit.seconds, limit.times
