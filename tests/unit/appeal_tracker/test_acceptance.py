"""What stops a contact clock, and what does not."""

from datetime import datetime, timedelta

import pytest

from appeal_tracker.calendars.civil import NaiveTimeError
from appeal_tracker.clocks.acceptance import Attempt, contacted_at
from appeal_tracker.policies.policy import ContactRule

START = datetime.fromisoformat("2026-10-09T10:00+08:00")
DUE = START + timedelta(hours=24)
RULE = ContactRule(accepts=frozenset({"reached", "refused"}), attempts=3, hours_apart=2)


def contacted(*attempts: tuple[float, str]) -> float | None:
    """Answer in hours after the start, as the attempts are given."""
    made = [Attempt(START + timedelta(hours=hours), result) for hours, result in attempts]
    found = contacted_at(made, RULE, START, DUE)
    return None if found is None else (found - START) / timedelta(hours=1)


@pytest.mark.clause("7.2.3")
def test_a_customer_reached_is_contacted():
    assert contacted((3, "reached")) == 3
    assert contacted((1, "no_answer"), (3, "refused")) == 3
    assert contacted((30, "reached")) == 30, "late, but contacted"


def test_only_a_recorded_attempt_contacts():
    assert contacted() is None
    assert contacted((1, "no_answer")) is None
    assert contacted((1, "wrong_number"), (4, "wrong_number"), (8, "wrong_number")) is None


def test_no_answer_counts_as_the_last_of_enough_attempts_far_enough_apart():
    assert contacted((1, "no_answer"), (3, "no_answer")) is None
    assert contacted((1, "no_answer"), (3, "no_answer"), (5, "no_answer")) == 5
    assert contacted((1, "no_answer"), (2.9, "no_answer"), (5, "no_answer")) is None
    assert contacted((1, "no_answer"), (2, "no_answer"), (3, "no_answer"), (4, "no_answer"), (5, "no_answer")) == 5


def test_all_of_them_must_lie_within_the_period():
    assert contacted((20, "no_answer"), (22, "no_answer"), (24, "no_answer")) == 24
    assert contacted((20, "no_answer"), (22, "no_answer"), (24.01, "no_answer")) is None
    assert contacted((-1, "no_answer"), (3, "no_answer"), (6, "no_answer")) is None
    assert contacted((-1, "reached")) is None


def test_they_are_judged_by_their_true_times_not_by_when_they_were_recorded():
    assert contacted((9, "reached"), (5, "no_answer"), (1, "no_answer"), (3, "no_answer")) == 5


def test_a_naive_time_is_refused():
    with pytest.raises(NaiveTimeError):
        contacted_at([Attempt(datetime(2026, 10, 9), "reached")], RULE, START, DUE)  # noqa: DTZ001 - the point of it
