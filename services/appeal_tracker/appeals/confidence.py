"""Who may read the words of a hidden appeal: not the unit it may be about (002 §6.4.5.5).

An appeal raised in confidence, or without a name, may be about the very unit whose people heard it. What was answered,
what the customer said to that, and what was noted at any act is for whoever said or heard it, for the handler, and for
those who supervise or audit from outside that unit: above it, or above the unit that handles the appeal in its place.
Everybody else who sees the appeal sees what was done, when and by whom. Whoever reads what others said leaves a trail.
"""

from typing import Any, Protocol

from chassis.web.auth import ADMIN, AUDITOR
from chassis.web.tokens import Principal

SUPERVISOR = "supervisor"


class Confided(Protocol):
    """What is asked about an appeal."""

    handler: str | None

    @property
    def hidden(self) -> bool: ...


class Shown:
    """A row as it is shown to somebody, with other `values` in the place of some of its own."""

    def __init__(self, row: Any, **values: object) -> None:
        self._row, self._values = row, values

    def __getattr__(self, name: str) -> Any:
        return self._values[name] if name in self._values else getattr(self._row, name)


def may_read(caller: Principal, appeal: Confided, *, outside: bool) -> bool:
    """Whether `caller`, who may see the appeal, may read its words; `outside`: not of its unit, nor below it."""
    if not appeal.hidden or caller.sub == appeal.handler:
        return True
    return outside and bool(caller.roles & {SUPERVISOR, ADMIN, AUDITOR})


def veiled(caller: Principal, row: Any, by: str, *words: str) -> Any:
    """A row by somebody, as shown to a `caller` who may not read its `words`: None, unless it is their own."""
    return row if by == caller.sub else Shown(row, **dict.fromkeys(words))
