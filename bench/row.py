"""A row: a name, what it is about, and the work that gives its outcomes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.ground import Ground
from bench.measure import Say
from bench.outcome import Outcome


@dataclass(frozen=True)
class Run:
    """What a row is given: the servers, how many rounds, and a voice for its progress."""

    ground: Ground
    rounds: int
    say: Say


@dataclass(frozen=True)
class Row:
    """One name of the table; it may give several lines, one for each limit or bus."""

    name: str
    about: str
    measure: Callable[[Run], Awaitable[Sequence[Outcome]]]
