"""After some messages within a minute a person is told the rest of it together."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self

from notifier.channels.port import Terms
from notifier.deliveries import pacing
from notifier.deliveries.pacing import KNOWN, SPAN, Pace
from notifier.directory.contacts import CUSTOMER, STAFF, Addressee
from tests.conftest import START

ONE, OTHER = Addressee(STAFF, "S1"), Addressee(STAFF, "S2")
SECOND = timedelta(seconds=1)


def told(pace: Pace, *seconds: int) -> None:
    for second in seconds:
        pace.note(ONE, START + second * SECOND)


def test_the_first_ones_go_and_the_next_waits_for_the_end_of_their_minute() -> None:
    pace = Pace(3)
    told(pace, 0, 2)
    assert pace.until(ONE, START + 3 * SECOND) is None
    told(pace, 4)
    assert pace.until(ONE, START + 5 * SECOND) == START + SPAN
    assert pace.until(OTHER, START + 5 * SECOND) is None
    assert pace.until(ONE, START + SPAN) is None, "then it goes"
    told(pace, 60)
    assert pace.until(ONE, START + SPAN + SECOND) == START + SPAN + 2 * SECOND, "three in any minute"
    assert pace.until(ONE, START + 3 * SPAN) is None


def test_who_was_told_nothing_lately_is_forgotten() -> None:
    pace = Pace(1)
    for number in range(10_001):
        pace.note(Addressee(STAFF, str(number)), START)
    pace.note(ONE, START + SPAN)
    assert len(pace._sent) == 1


class Moment(datetime):
    """Counts how often it is looked at whether one is long ago."""

    looked_at = 0

    def __add__(self, value: timedelta, /) -> Self:
        type(self).looked_at += 1
        return super().__add__(value)


def test_however_many_are_told_within_a_minute_they_are_looked_through_once() -> None:
    pace, now = Pace(1), Moment.fromisoformat(START.isoformat())
    for number in range(KNOWN + 50):
        pace.note(Addressee(STAFF, str(number)), now)
    assert Moment.looked_at <= KNOWN + 50


def test_only_that_is_counted_on_which_what_follows_may_wait() -> None:
    """No customer is made to wait, nor a group, nor whoever is told by a code that says one thing alone."""
    pace = Pace(1)

    def row(kind: str, name: str) -> Any:
        return SimpleNamespace(recipient_kind=kind, recipient=name)

    groups = [
        ([row(CUSTOMER, "C1")], Terms()),
        ([row(STAFF, "S2")], Terms(calls="@{}")),
        ([row(STAFF, "S3")], Terms(coded=True)),
        ([row(STAFF, "S1"), row(STAFF, "S1")], Terms()),
    ]
    pacing.count(groups, pace, START)
    assert list(pace._sent) == [ONE]
