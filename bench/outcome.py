"""What a row of the table says: a series of ours, a series of its limit, and whether the goal is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Goal:
    """What the median must reach: of ours / limit where there is a limit, else of ours alone, in the row's unit.

    `alone`: of ours alone although a limit is shown beside it.
    """

    at: float
    at_least: bool = True
    alone: bool = False

    def met(self, value: float) -> bool:
        return value >= self.at if self.at_least else value <= self.at

    def worst(self, values: Sequence[float]) -> float:
        return min(values) if self.at_least else max(values)


@dataclass(frozen=True)
class Outcome:
    """One line of the table. `ours` and `limit` hold one number for each round, in `unit`."""

    row: str
    work: str
    unit: str
    goal: Goal
    ours: Sequence[float]
    limit_name: str = ""
    limit: Sequence[float] = ()
    notes: Sequence[str] = ()
    where: str = ""  # where the time goes; asked for when the goal is missed

    @property
    def compared(self) -> list[float]:
        """What the goal is about, for each round."""
        return list(self.ours) if self.goal.alone or not self.limit else self.ratios

    @property
    def ratios(self) -> list[float]:
        """Ours / limit, for each round."""
        return [ours / limit for ours, limit in zip(self.ours, self.limit, strict=True)]

    @property
    def met(self) -> bool:
        return self.goal.met(median(self.compared))
