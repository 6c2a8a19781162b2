"""How much of what is due providers bear just now: each message is counted, the most pressing first."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notifier.channels.limits import Limit, Want, take
from notifier.channels.port import Terms

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
    for per in ("account", "recipient"):
        for limit in sorted({its for _, terms in going for its in terms.limits if its.per == per}, key=_quickest):
            going = await _pass(tx, going, limit, pauses)
    return going, pauses


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
    return whose if limit.per == "account" else f"{whose}/{group[0].recipient_kind}/{group[0].recipient}"


def _quickest(limit: Limit) -> tuple[int, int]:
    # What is taken here and refused by the next is back soonest. All processes go by one order, or they would wait for
    # each other.
    return limit.seconds, limit.times
