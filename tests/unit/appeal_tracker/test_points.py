"""When the ladder of a clock fires: parts of the way, hours and working days off the deadline, the last safe moment."""

from datetime import datetime

import pytest

from appeal_tracker.calendars.civil import HOUR, wall_text
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.calculation import Hold, Point, due, last_safe_moment, points
from appeal_tracker.policies.ladder import Moment, Phase, Step
from appeal_tracker.policies.loader import packaged_policies
from appeal_tracker.policies.quiet import QuietHours

CALENDAR = cn_statutory()
FLOOR = packaged_policies()["t-sdpea"]
NIGHT = QuietHours(21 * HOUR, 8 * HOUR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def ladder(*moments: str) -> list[Step]:
    return [Step(Moment.parse(moment), ("owner",)) for moment in moments]


def fires(
    start: str, period: str, *moments: str, quiet: QuietHours | None = None, holds: tuple[tuple[str, str], ...] = ()
) -> dict[str, str]:
    """Return step -> wall-clock time, in the order of firing."""
    stops = [Hold(at(since), at(until)) for since, until in holds]
    within = Period.parse(period, close_of_business=17 * HOUR + HOUR // 2)
    timers = points(ladder(*moments), at(start), within, CALENDAR, quiet, stops)
    assert [timer.fire_at for timer in timers] == sorted(timer.fire_at for timer in timers)
    return {timer.step: wall_text(timer.fire_at) for timer in timers}


class TestParts:
    def test_half_of_seven_working_days_is_noon_of_the_fourth(self):
        # Counted: Sat 10-10 (made up), Mon 12, Tue 13, Wed 14, Thu 15, Fri 16, Mon 19.
        assert fires("2026-10-09 10:00", "7 working days", "0.5", "0.75", "due") == {
            "0.5": "2026-10-14 12:00",
            "0.75": "2026-10-16 06:00",
            "due": "2026-10-19 24:00",
        }

    def test_do_not_depend_on_the_hour_of_the_start(self):
        early, late = (fires(f"2026-10-09 {hour}", "7 working days", "0.25", "0.9") for hour in ("00:00", "23:59"))
        assert early == late

    def test_that_end_with_a_day_end_at_its_24_00_before_the_days_off(self):
        assert fires("2026-09-29 10:00", "2 working days", "0.25", "0.5", "0.75") == {
            "0.25": "2026-09-30 12:00",
            "0.5": "2026-09-30 24:00",
            "0.75": "2026-10-08 12:00",
        }
        assert fires("2026-09-29 10:00", "2 working days", "-1wd") == {"-1wd": "2026-09-30 24:00"}

    def test_of_a_period_to_the_close_of_business_are_of_its_shorter_way(self):
        # One day of 24 h and one of 17.5 h: half is 20 h 45 min into the first.
        assert fires("2026-10-19 10:00", "2 working days close of business", "0.5") == {"0.5": "2026-10-20 20:45"}

    def test_of_calendar_days_run_on_the_days_that_count(self):
        # Friday counts, then the roll to Monday, which is the second and last.
        assert fires("2026-10-15 10:00", "2 calendar days", "0.5", "0.75", "due") == {
            "0.5": "2026-10-16 24:00",
            "0.75": "2026-10-19 12:00",
            "due": "2026-10-19 24:00",
        }

    def test_of_hours_are_hours(self):
        assert fires("2026-10-09 10:00", "24 hours", "0.5", "0.75") == {
            "0.5": "2026-10-09 22:00",
            "0.75": "2026-10-10 04:00",
        }

    def test_stand_still_while_held(self):
        held_day = (("2026-10-11 00:00", "2026-10-13 00:00"),)
        assert fires("2026-10-09 10:00", "7 working days", "0.5", holds=held_day) == {"0.5": "2026-10-15 12:00"}
        held_hours = (("2026-10-09 12:00", "2026-10-09 15:00"),)
        assert fires("2026-10-09 10:00", "24 hours", "0.05", "0.5", "due", holds=held_hours) == {
            "0.05": "2026-10-09 11:12",
            "0.5": "2026-10-10 01:00",
            "due": "2026-10-10 13:00",
        }


class TestOffsets:
    def test_in_hours_are_hours_off_the_deadline(self):
        assert fires("2026-10-09 10:00", "7 working days", "-4h", "due", "+2h") == {
            "-4h": "2026-10-19 20:00",
            "due": "2026-10-19 24:00",
            "+2h": "2026-10-20 02:00",
        }

    def test_in_working_days_keep_the_time_of_day(self):
        assert fires("2026-10-09 10:00", "7 working days", "-2wd", "-1wd", "+1wd") == {
            "-2wd": "2026-10-15 24:00",
            "-1wd": "2026-10-16 24:00",  # Friday, over the weekend
            "+1wd": "2026-10-20 24:00",
        }
        assert fires("2026-10-09 14:30", "24 hours", "-1wd", "+1wd") == {
            "-1wd": "2026-10-09 14:30",
            "+1wd": "2026-10-12 14:30",  # due on a Saturday that works, so over Sunday only
        }

    def test_off_a_deadline_on_a_day_off(self):
        assert fires("2026-10-02 14:30", "48 hours", "-1wd", "+1wd") == {
            "-1wd": "2026-10-02 14:30",  # Wednesday 09-30 lies before the start
            "+1wd": "2026-10-08 14:30",
        }

    def test_before_the_start_fire_at_the_start(self):
        assert fires("2026-10-09 10:00", "2 hours", "-4h", "-3wd") == {
            "-4h": "2026-10-09 10:00",
            "-3wd": "2026-10-09 10:00",
        }
        assert fires("2026-10-09 10:00", "2 working days", "-2wd") == {"-2wd": "2026-10-09 10:00"}
        assert fires("2007-01-01 10:00", "2 hours", "-3wd") == {"-3wd": "2007-01-01 10:00"}

    def test_back_from_an_hour_deadline_leave_holds_out(self):
        held = (("2026-10-09 12:00", "2026-10-09 15:00"),)
        assert fires("2026-10-09 10:00", "4 hours", "-3h", "-1h", "due", holds=held) == {
            "-3h": "2026-10-09 11:00",
            "-1h": "2026-10-09 16:00",
            "due": "2026-10-09 17:00",
        }

    def test_back_along_working_days_leave_held_days_out(self):
        held = (("2026-10-13 00:00", "2026-10-15 00:00"),)
        assert fires("2026-10-09 10:00", "3 working days", "-1wd", "due", holds=held) == {
            "-1wd": "2026-10-12 24:00",
            "due": "2026-10-15 24:00",
        }

    def test_repeated_fire_each_time_under_their_own_name(self):
        assert fires("2026-10-12 10:00", "1 working day", "due", "every 1wd, at most 5", "every 12h, at most 2") == {
            "due": "2026-10-13 24:00",
            "every 12h#1": "2026-10-14 12:00",
            "every 1wd#1": "2026-10-14 24:00",
            "every 12h#2": "2026-10-14 24:00",
            "every 1wd#2": "2026-10-15 24:00",
            "every 1wd#3": "2026-10-16 24:00",
            "every 1wd#4": "2026-10-19 24:00",
            "every 1wd#5": "2026-10-20 24:00",
        }

    def test_beyond_the_calendar_are_left_out(self):
        # The calendar ends on Friday 2060-12-31; the Monday after it has no day any more.
        assert fires("2060-12-28 10:00", "1 working day", "due", "+3wd", "every 1wd, at most 4", "+48h") == {
            "due": "2060-12-29 24:00",
            "every 1wd#1": "2060-12-30 24:00",
            "+48h": "2060-12-31 24:00",
            "every 1wd#2": "2060-12-31 24:00",
        }
        assert fires("2060-12-31 10:00", "24 hours", "due", "-1wd", "+1wd") == {
            "-1wd": "2060-12-31 10:00",
            "due": "2061-01-01 10:00",
        }

    def test_a_deadline_beyond_the_calendar_is_refused(self):
        with pytest.raises(NotCovered):
            fires("2060-12-30 10:00", "2 working days", "due")


class TestLastSafeMoment:
    """A complaint's 24 hours may end in the night; nobody may learn of it in the morning."""

    @pytest.mark.clause("7.2.3", "7.2.5.2")
    @pytest.mark.parametrize(
        ("start", "warned"),
        [
            ("2026-10-09 03:00", "2026-10-09 20:30"),  # three quarters are 21:00, the deadline is at 03:00
            ("2026-10-09 08:00", "2026-10-09 20:30"),  # 02:00, due as the quiet hours end
            ("2026-10-09 08:30", "2026-10-09 20:30"),  # 02:30, due just after them
            ("2026-10-09 09:00", "2026-10-09 20:30"),  # 03:00, due an hour after them
            ("2026-10-09 02:00", "2026-10-09 20:00"),  # before the quiet hours: stays
            ("2026-10-09 14:00", "2026-10-10 08:00"),  # as they end: stays
            ("2026-10-09 10:00", "2026-10-10 04:00"),  # due two hours after them: the morning is time enough
        ],
    )
    def test_a_warning_comes_before_the_night_in_which_its_deadline_ends(self, start: str, warned: str):
        assert fires(start, "24 hours", "0.75", quiet=NIGHT) == {"0.75": warned}

    def test_deadlines_are_never_moved(self):
        for step in ("due", "+2h"):
            assert fires("2026-10-09 03:00", "24 hours", step, quiet=NIGHT) == fires(
                "2026-10-09 03:00", "24 hours", step
            )

    def test_a_warning_in_another_night_stays(self):
        assert fires("2026-10-09 10:00", "7 working days", "0.75", "-1wd", quiet=NIGHT) == {
            "0.75": "2026-10-16 06:00",
            "-1wd": "2026-10-16 24:00",
        }

    def test_an_answer_due_at_24_00_is_warned_of_before_the_night(self):
        assert fires("2026-10-09 10:00", "7 working days", "-2h", quiet=NIGHT) == {"-2h": "2026-10-19 20:30"}

    def test_it_never_lies_before_the_start(self):
        assert fires("2026-10-09 22:00", "4 hours", "0.5", quiet=NIGHT) == {"0.5": "2026-10-09 22:00"}

    def test_a_moved_warning_takes_the_earlier_ones_along(self):
        # Half is 20:45 and would stay, but three quarters move to 20:30, and must not come first.
        timers = fires("2026-10-09 08:45", "24 hours", "0.5", "0.75", quiet=NIGHT)
        assert list(timers.items()) == [("0.5", "2026-10-09 20:30"), ("0.75", "2026-10-09 20:30")]

    def test_quiet_hours_within_one_day(self):
        noon = QuietHours(12 * HOUR, 14 * HOUR)
        assert wall_text(last_safe_moment(at("2026-10-09 13:00"), at("2026-10-09 13:30"), noon)) == "2026-10-09 11:30"
        assert wall_text(last_safe_moment(at("2026-10-09 14:00"), at("2026-10-09 14:30"), noon)) == "2026-10-09 14:00"
        assert wall_text(last_safe_moment(at("2026-10-09 13:00"), at("2026-10-10 13:30"), noon)) == "2026-10-09 13:00"

    @pytest.mark.parametrize(
        ("hour", "quiet"), [("20:59:59", False), ("21:00", True), ("07:59:59", True), ("08:00", False)]
    )
    def test_the_edges_of_the_night(self, hour: str, quiet: bool):
        moment = at(f"2026-10-09 {hour}")
        assert (last_safe_moment(moment, moment, NIGHT) < moment) is quiet


@pytest.mark.clause("7.2.3")
def test_the_floor_tells_the_unit_and_then_the_parent_unit():
    contact, answer = FLOOR.limits("complaint")
    start = at("2026-10-09 09:00")
    assert points(contact.ladder, start, contact.within, CALENDAR, FLOOR.quiet)[-2:] == (
        Point("due", Phase.DUE, due(start, contact.within, CALENDAR).due_at, ("owner", "unit_supervisors")),
        Point("+2h", Phase.AFTER, at("2026-10-10 11:00"), ("unit_supervisors", "parent_unit_supervisors")),
    )
    assert [point.step for point in points(answer.ladder, start, answer.within, CALENDAR, FLOOR.quiet)] == [
        "0.5", "0.75", "-1wd", "due", "+1wd",
    ]  # fmt: skip
