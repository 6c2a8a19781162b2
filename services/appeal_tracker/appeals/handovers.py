"""From whose hands to whose an appeal went, by its timeline. Pure."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

_HANDED, _RETURNED = ("dispatched", "transferred"), "returned"
UNIT_MERGED = "unit_merged"  # the cause of a transfer that nobody made


class Recorded(Protocol):
    """What is asked about a fact of the timeline."""

    kind: str
    actor: str | None
    data: dict[str, object]


class Hands(msgspec.Struct, frozen=True):
    """Somebody in a unit; or nobody in particular there."""

    person: str | None
    unit: str


def handed_by(entries: Iterable[Recorded]) -> Hands | None:
    """Who handed an appeal to those who have it now; None where nobody did, or nobody wrote down from where.

    Each return takes back the last handing-over that was not taken back before.
    """
    hands: list[Hands | None] = []
    for entry in entries:
        if entry.data.get("cause") == UNIT_MERGED:
            continue  # it is in the same hands
        if entry.kind in _HANDED:
            unit = entry.data.get("by_unit_code")
            hands.append(Hands(entry.actor, str(unit)) if unit is not None else None)
        elif entry.kind == _RETURNED and hands:
            hands.pop()
    return hands[-1] if hands else None
