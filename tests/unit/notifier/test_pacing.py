"""After some messages within a minute a person is told the rest of it together."""

from datetime import timedelta

from notifier.deliveries.pacing import SPAN, Pace
from notifier.directory.contacts import STAFF, Addressee
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
