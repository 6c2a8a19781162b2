"""Who stands in for somebody at an instant. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol


class Away(Protocol):
    """What is asked about an absence."""

    @property
    def staff_no(self) -> str: ...
    @property
    def substitute(self) -> str | None: ...
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


def present(person: str, at: datetime, absences: Iterable[Away]) -> str | None:
    """Name who is there for `person`: themselves, unless they are away; then their substitute, or who is there for
    that one; nobody where that leads in a circle or somebody away has none. Of several absences the one that began last
    counts."""
    covered: dict[str, str | None] = {}
    for absence in sorted(absences, key=lambda each: each.since):
        if absence.since <= at and (absence.until is None or at < absence.until):
            covered[absence.staff_no] = absence.substitute
    asked: set[str] = set()
    there: str | None = person
    while there is not None and there in covered:
        if there in asked:
            return None
        asked.add(there)
        there = covered[there]
    return there


def covers(person: str, at: datetime, absences: Iterable[Away]) -> set[str]:
    """Name those who are away and for whom `person` is there."""
    its = [*absences]
    return {each.staff_no for each in its if present(each.staff_no, at, its) == person} - {person}
