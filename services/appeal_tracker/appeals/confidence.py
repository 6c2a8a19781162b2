"""Who may read the words of a confidential appeal: not the unit it may be about (002 §6.4.5.5).

An appeal raised in confidence may be about the very unit whose people heard it. What was answered, and what the
customer said to that, is for whoever said or heard it, for the handler, and for those who supervise or audit from
outside that unit: above it, or above the unit that handles the appeal in its place. Everybody else who sees the appeal
sees that it was answered, when and by whom.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from chassis.web.auth import ADMIN, AUDITOR
from chassis.web.tokens import Principal

SUPERVISOR = "supervisor"


class Confided(Protocol):
    """What is asked about an appeal."""

    handler: str | None
    confidential: bool


class Veiled:
    """A row as it is shown without its words: these are None."""

    def __init__(self, row: Any, words: Iterable[str]) -> None:
        self._row, self._words = row, frozenset(words)

    def __getattr__(self, name: str) -> Any:
        return None if name in self._words else getattr(self._row, name)


def may_read(caller: Principal, appeal: Confided, *, outside: bool) -> bool:
    """Whether `caller`, who may see the appeal, may read its words; `outside`: not of its unit, nor below it."""
    if not appeal.confidential or caller.sub == appeal.handler:
        return True
    return outside and bool(caller.roles & {SUPERVISOR, ADMIN, AUDITOR})


def veiled(caller: Principal, rows: Iterable[Any], *words: str) -> Iterator[Any]:
    """`rows` as shown to a `caller` who may not read their `words`: but for those that are the caller's own."""
    return (row if row.by == caller.sub else Veiled(row, words) for row in rows)
