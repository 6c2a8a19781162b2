"""When a message that did not arrive is tried again."""

import pytest

from notifier.channels.outward import LONGEST_PAUSE, pause_of
from notifier.webhooks.schedule import DAYS, PAUSES, pause


def test_the_schedule_ends_within_three_days_and_not_long_before() -> None:
    for jitter in (0.0, 1.0):
        pauses = [pause(tries, jitter) for tries in range(1, len(PAUSES) + 2)]
        assert pauses.pop() is None
        whole = sum(each for each in pauses if each is not None)
        assert DAYS - 0.4 < whole / 86_400 <= DAYS
        assert pauses == sorted(pauses, key=lambda each: each or 0)
    assert pause(1, 0.0) == 5


def test_who_asks_for_more_time_is_given_it() -> None:
    assert pause(1, 0.0, retry_after=120) == 120
    assert pause(9, 0.0, retry_after=120) == PAUSES[8]
    assert pause(11, 0.0, retry_after=120) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("9" * 400, LONGEST_PAUSE),
        ("", 0.0),
        ("soon", 0.0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
    ],
)
def test_whatever_an_answer_asks_for_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert pause_of(text) == seconds
