"""Who is there for somebody who is away."""

from datetime import datetime, timedelta

import msgspec
import pytest

from appeal_tracker.absences.standing import covers, present

NOON = datetime.fromisoformat("2026-10-09T12:00:00+08:00")


class Away(msgspec.Struct, frozen=True):
    staff_no: str
    substitute: str | None
    since: datetime
    until: datetime | None


def away(who: str, by: str | None, since: float = -1, until: float | None = 1) -> Away:
    """Away in the hours around noon."""
    end = None if until is None else NOON + timedelta(hours=until)
    return Away(who, by, NOON + timedelta(hours=since), end)


@pytest.mark.parametrize(
    ("absences", "there"),
    [
        ([], "A"),
        ([away("A", "B")], "B"),
        ([away("A", "B", until=None)], "B"),
        ([away("A", None)], None),
        ([away("A", "B", since=0)], "B"),
        ([away("A", "B", until=0)], "A"),
        ([away("A", "B", since=0.1)], "A"),
        ([away("A", "B"), away("B", "C")], "C"),
        ([away("A", "B"), away("B", None)], None),
        ([away("A", "B"), away("B", "A")], None),
        ([away("A", "B", since=-3), away("A", "C", since=-2)], "C"),
    ],
)
def test_a_substitute_is_found_at_the_moment_of_use(absences: list[Away], there: str | None) -> None:
    assert present("A", NOON, absences) == there
    assert covers("C", NOON, absences) == ({each.staff_no for each in absences} if there == "C" else set())
