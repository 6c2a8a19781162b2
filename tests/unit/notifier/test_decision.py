"""What is done with a delivery that is due, and when a message is no longer true."""

from datetime import datetime, time, timedelta

import pytest

from notifier.deliveries.decision import NOBODY, Drop, Go, Readdress, Wait, decide
from notifier.deliveries.quiet import Window, spread
from notifier.subjects.relevance import Heard, Move, Said, obsolete

DAY = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
NIGHT = datetime.fromisoformat("2026-10-09T23:00:00+08:00")
MORNING = datetime.fromisoformat("2026-10-10T08:00:00+08:00")
RELEASED = MORNING + spread("S1", "mailbox")


def decided(recipient: str = "S1", gone: bool = False, why: str | None = None, now: datetime = DAY) -> object:
    return decide(recipient=recipient, recipient_gone=gone, obsolete=why, now=now)


def test_by_day_what_is_true_goes():
    assert decided() == Go()


def test_in_quiet_hours_it_waits_and_says_why():
    assert decided(now=NIGHT) == Wait(RELEASED, "quiet_hours")


def test_what_a_route_lets_pass_goes_at_night_and_says_by_which():
    its = {"recipient": "S1", "recipient_gone": False, "obsolete": None, "passes": "r@2"}
    assert decide(**its, now=NIGHT) == Go("passed_quiet_hours:r@2")
    assert decide(**its, now=DAY) == Go()
    assert decide(**{**its, "obsolete": "later_round"}, now=NIGHT) == Drop("later_round")


def test_what_wants_a_working_day_waits_for_it_and_its_hours():
    its = {"recipient": "S1", "recipient_gone": False, "obsolete": None, "working": MORNING + timedelta(days=2)}
    assert decide(**its, now=DAY) == Wait(RELEASED + timedelta(days=2), "day_off")
    assert decide(**its, now=NIGHT) == Wait(RELEASED + timedelta(days=2), "day_off")
    assert decide(**its | {"working": MORNING}, now=NIGHT) == Wait(RELEASED, "quiet_hours")
    assert decide(**its | {"working": DAY}, now=DAY) == Go()


def test_each_kind_and_channel_has_hours_of_its_own():
    whom = {"recipient": "S1", "recipient_gone": False, "obsolete": None, "now": NIGHT}
    assert decide(**whom, window=Window(time(0), time(0))) == Go()
    assert decide(**whom, window=Window(time(22), time(9))).until == RELEASED + timedelta(hours=1)


def test_what_is_no_longer_true_is_dropped_before_anything_else():
    assert decided(why="later_round", gone=True, now=NIGHT) == Drop("later_round")


def test_whoever_left_is_replaced_at_once_even_at_night():
    assert decided(gone=True, now=NIGHT) == Readdress()
    assert decided(NOBODY) == Readdress()


BEFORE, AFTER = DAY - timedelta(hours=1), DAY + timedelta(hours=1)


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (Heard(), None),
        (Heard(ended="withdrawn"), "subject_ended:withdrawn"),
        (Heard(round=2), "later_round"),
        (Heard(stopped=Said(8)), "milestone_done"),
        (Heard(stopped=Said(6)), None),  # the clock of a round that goes on ran again, and warned again
        (Heard(stopped=Said(6, AFTER)), "milestone_done"),  # said since, though the warning was heard again later
        (Heard(stopped=Said(8, BEFORE)), None),  # said before the warning, though heard again after it
        (Heard(stopped=Said(8, DAY)), "milestone_done"),  # of one instant the order of hearing tells
        (Heard(stopped=Said(6, DAY)), None),
        (Heard(acted=Said(8), acted_at=BEFORE), None),  # it did not count, or the tracker would say so
        (Heard(acted=Said(8), acted_at=AFTER), "milestone_done"),
        (Heard(acted=Said(6), acted_at=AFTER), None),  # the tracker knew of it, and told of the deadline all the same
        (Heard(acted=Said(6, AFTER), acted_at=AFTER), "milestone_done"),
        (Heard(moved=Move(Said(8, AFTER))), "deadline_cancelled"),
        (Heard(moved=Move(Said(6, BEFORE))), None),  # it runs again
        (Heard(moved=Move(Said(6, AFTER))), "deadline_cancelled"),
        (Heard(moved=Move(Said(8, AFTER), AFTER, DAY), held=Said(9, AFTER)), None),
    ],
)
def test_a_message_of_round_1_said_by_day_and_heard_seventh(heard: Heard, why: str | None):
    assert obsolete(heard, round=1, said=Said(7, DAY), due_at=DAY, warning=True) == why


def test_what_an_earlier_version_kept_goes_by_the_order_of_hearing():
    assert obsolete(Heard(stopped=Said(8, BEFORE)), round=1, said=Said(7), due_at=DAY, warning=True) == "milestone_done"
    assert obsolete(Heard(stopped=Said(6, AFTER)), round=1, said=Said(7), due_at=DAY, warning=True) is None


@pytest.mark.parametrize(
    ("moved", "due_at"),
    [
        (None, DAY),
        (Move(Said(8, AFTER), AFTER, DAY), AFTER),
        (Move(Said(8, AFTER), BEFORE, MORNING), BEFORE),  # by way of another due, which was heard of or not
        (Move(Said(6, AFTER), AFTER, DAY), AFTER),  # said since, though the warning was heard again later
        (
            Move(Said(8, BEFORE), AFTER, DAY),
            AFTER,
        ),  # of the due that this replaced: so it was said before, by our clocks
        (Move(Said(8, BEFORE), AFTER, BEFORE), DAY),  # it was due elsewhere since, as we shall hear
        (Move(Said(8, AFTER)), DAY),
    ],
)
def test_a_warning_of_a_deadline_by_day_names_when_that_is_due_now(moved: Move | None, due_at: datetime):
    assert Heard(moved=moved).due(Said(7, DAY), DAY) == due_at


def test_what_is_held_waits_by_day_and_is_looked_at_again_in_the_morning():
    whom = {"recipient": "S1", "recipient_gone": False, "obsolete": None, "held": True}
    assert decide(**whom, now=DAY) == Wait(RELEASED, "held")
    assert decide(**whom, now=NIGHT) == Wait(RELEASED, "quiet_hours")
    assert decide(**whom, now=MORNING) == Wait(RELEASED + timedelta(days=1), "held")


def test_a_clock_that_speaks_after_it_was_held_has_gone_on():
    assert Heard(held=Said(6, AFTER)).stands_still(Said(7, DAY))
    assert not Heard(held=Said(8, BEFORE)).stands_still(Said(7, DAY))
    assert not Heard().stands_still(Said(7, DAY))


def test_a_breach_is_told_though_its_clock_was_cancelled_since():
    assert obsolete(Heard(moved=Move(Said(8, AFTER))), round=1, said=Said(7, DAY), due_at=DAY, warning=False) is None


def test_a_breach_is_told_though_a_late_act_was_heard_since():
    late = Heard(acted=Said(8), acted_at=AFTER)
    assert obsolete(late, round=1, said=Said(7), due_at=DAY, warning=False) is None
    assert obsolete(Heard(stopped=Said(8)), round=1, said=Said(7), due_at=DAY, warning=False) == "milestone_done"
