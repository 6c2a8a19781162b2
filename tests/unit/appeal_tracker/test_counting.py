"""How a period is counted: the worked examples of the domain, the rules of Civil Code 200-204, holds, explanations."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from appeal_tracker.calendars.calendar import FIRST_DAY, LAST_DAY, Calendar
from appeal_tracker.calendars.civil import CHINA, NaiveTimeError, closing_day, instant_of, ticks_of, wall_text
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.calculation import Deadline, Hold, due, explain, is_met
from tests.support.missing import not_tested

CALENDAR = cn_statutory()
ONLY_2026 = Calendar.from_days("x", 1, [day for day in CALENDAR.days if day.date.year == 2026])
HALF_PAST_FIVE = (17 * 60 + 30) * 60_000_000
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """Read a Chinese wall-clock time: `2026-10-09 10:00`."""
    return datetime.fromisoformat(f"{text}+08:00")


def period(text: str) -> Period:
    return Period.parse(text, HALF_PAST_FIVE)


def end(start: str, text: str, *holds: tuple[str, str]) -> str:
    return str(due(at(start), period(text), CALENDAR, [Hold(at(since), at(until)) for since, until in holds]))


@pytest.mark.clause("7.2.3", "CC 201", "CC 203")
@pytest.mark.parametrize(
    ("start", "last_day"),
    [
        ("2026-02-13", "2026-03-02"),
        ("2026-09-30", "2026-10-15"),
        ("2026-10-01", "2026-10-15"),  # a day off
        ("2026-10-09", "2026-10-19"),  # Saturday 10-10 works
        ("2026-10-10", "2026-10-20"),  # a working Saturday
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "10:00", "23:59:59.999999"])
def test_the_seventh_working_day(start: str, last_day: str, hour: str):
    deadline = due(at(f"{start} {hour}"), period("7 working days"), CALENDAR)
    assert deadline == Deadline(at(f"{last_day} 00:00") + DAY, provisional=False)
    assert deadline.last_day == date.fromisoformat(last_day)
    assert str(deadline) == f"{last_day} 24:00"
    assert deadline.due_at.tzinfo is UTC


class TestWorkingDays:
    def test_the_make_up_sunday_of_2019(self):
        assert end("2019-04-26 15:00", "1 working day") == "2019-04-28 24:00"

    @pytest.mark.clause("CC 203", "CC 204")
    def test_end_at_the_close_of_business_where_asked(self):
        assert end("2026-10-09 10:00", "7 working days close of business") == "2026-10-19 17:30"

    @pytest.mark.parametrize(
        ("start", "provisional"),
        [("2026-12-22", False), ("2026-12-23", True), ("2026-12-31", True), ("2027-06-01", True)],
    )
    def test_that_reach_into_an_unpublished_year_are_provisional(self, start: str, provisional: bool):
        assert due(at(f"{start} 09:00"), period("7 working days"), CALENDAR).provisional is provisional

    def test_do_not_ask_about_the_day_of_the_start(self):
        assert not due(at("2025-12-31 09:00"), period("7 working days"), ONLY_2026).provisional
        assert due(at("2025-12-30 09:00"), period("7 working days"), ONLY_2026).provisional

    def test_of_a_stop_work_are_not_counted(self):
        typhoon = CALENDAR.overlay("qingdao", 1, [CalendarDay(date(2026, 10, 12), False, "台风停工")])
        assert str(due(at("2026-10-09 10:00"), period("7 working days"), typhoon)) == "2026-10-20 24:00"


class TestHours:
    @pytest.mark.clause("7.2.3", "CC 200", "CC 201")
    @pytest.mark.parametrize("start", ["2026-09-30 20:15", "2026-10-03 03:00", "2026-12-31 23:00"])
    def test_run_through_nights_and_days_off(self, start: str):
        deadline = due(at(start), period("24 hours"), CALENDAR)
        assert deadline == Deadline(at(start) + DAY, provisional=False)

    def test_from_midnight_end_at_24_00(self):
        assert end("2026-10-09 00:00", "24 hours") == "2026-10-09 24:00"

    def test_keep_the_seconds_of_the_start(self):
        assert end("2026-10-09 10:00:07", "48 hours") == "2026-10-11 10:00:07"


class TestCalendarDays:
    @pytest.mark.clause("CC 200", "CC 201")
    def test_count_days_off_too(self):
        assert end("2026-10-11 10:00", "5 calendar days") == "2026-10-16 24:00"

    @pytest.mark.clause("CC 203")
    @pytest.mark.parametrize(
        ("start", "last_day"),
        [
            ("2026-09-26", "2026-10-08"),  # the fifth is National Day
            ("2026-10-05", "2026-10-10"),  # a Saturday, but one that works
            ("2026-10-12", "2026-10-19"),  # an ordinary Saturday
        ],
    )
    def test_that_end_on_a_day_off_roll_to_the_next_working_day(self, start: str, last_day: str):
        assert end(f"{start} 10:00", "5 calendar days") == f"{last_day} 24:00"

    @pytest.mark.parametrize(
        ("start", "provisional"), [("2026-12-26", False), ("2026-12-27", True), ("2026-12-30", True)]
    )
    def test_are_provisional_where_the_last_day_is(self, start: str, provisional: bool):
        assert due(at(f"{start} 09:00"), period("5 calendar days"), CALENDAR).provisional is provisional

    def test_do_not_ask_about_the_days_before_the_last(self):
        assert not due(at("2025-12-29 09:00"), period("7 calendar days"), ONLY_2026).provisional
        held = [Hold(at("2025-12-30 00:00"), at("2025-12-31 00:00"))]
        assert not due(at("2025-12-29 09:00"), period("7 calendar days"), ONLY_2026, held).provisional


class TestHolds:
    def test_from_friday_17_00_to_monday_09_00_hold_no_working_day(self):
        assert end("2026-10-20 10:00", "7 working days", ("2026-10-23 17:00", "2026-10-26 09:00")) == end(
            "2026-10-20 10:00", "7 working days"
        )

    def test_hold_the_working_days_that_lie_wholly_inside(self):
        # Wednesday and Thursday; a make-up Saturday counts as well as any.
        assert end("2026-10-19 10:00", "7 working days", ("2026-10-20 10:00", "2026-10-23 09:00")) == "2026-10-30 24:00"
        assert end("2026-10-08 10:00", "3 working days", ("2026-10-09 12:00", "2026-10-11 12:00")) == "2026-10-13 24:00"

    def test_from_midnight_to_midnight_hold_that_day(self):
        assert end("2026-10-19 10:00", "2 working days", ("2026-10-20 00:00", "2026-10-21 00:00")) == "2026-10-22 24:00"
        assert end("2026-10-19 10:00", "2 working days", ("2026-10-20 00:01", "2026-10-21 00:00")) == "2026-10-21 24:00"

    def test_that_touch_are_one(self):
        touching = [("2026-10-21 12:00", "2026-10-23 09:00"), ("2026-10-19 12:00", "2026-10-21 12:00")]
        assert end("2026-10-19 10:00", "3 working days", *touching) == "2026-10-27 24:00"

    def test_before_the_start_or_after_the_deadline_change_nothing(self):
        outside = [("2026-10-01 00:00", "2026-10-19 09:00"), ("2026-10-23 00:00", "2026-10-30 00:00")]
        assert end("2026-10-19 10:00", "3 working days", *outside) == end("2026-10-19 10:00", "3 working days")
        assert end("2026-10-19 10:00", "48 hours", *outside) == "2026-10-21 10:00"

    def test_of_hours_are_hours(self):
        holds = [("2026-10-19 20:00", "2026-10-20 02:30"), ("2026-10-20 03:00", "2026-10-20 03:15")]
        assert end("2026-10-19 10:00", "24 hours", *holds) == "2026-10-20 16:45"

    def test_that_begin_at_the_deadline_come_too_late(self):
        assert end("2026-10-19 10:00", "24 hours", ("2026-10-20 10:00", "2026-10-21 10:00")) == "2026-10-20 10:00"

    def test_may_carry_an_hour_deadline_into_the_next_hold(self):
        holds = [("2026-10-19 11:00", "2026-10-19 12:00"), ("2026-10-19 12:30", "2026-10-19 20:00")]
        assert end("2026-10-19 10:00", "2 hours", *holds) == "2026-10-19 20:30"

    def test_of_calendar_days_move_the_roll_too(self):
        # Five days end on Saturday 10-24 and roll to Monday; two days held carry the last to Monday itself.
        assert (
            end("2026-10-19 10:00", "5 calendar days", ("2026-10-20 00:00", "2026-10-22 00:00")) == "2026-10-26 24:00"
        )
        assert (
            end("2026-10-19 10:00", "5 calendar days", ("2026-10-26 00:00", "2026-10-27 00:00")) == "2026-10-27 24:00"
        )

    def test_make_a_deadline_provisional_when_they_carry_it_into_an_unpublished_year(self):
        holds = [Hold(at("2026-12-21 12:00"), at("2026-12-24 12:00"))]
        assert due(at("2026-12-21 09:00"), period("7 working days"), CALENDAR, holds).provisional

    def test_end_after_they_began(self):
        with pytest.raises(ValueError, match="cannot end before it began"):
            Hold(at("2026-10-20 10:00"), at("2026-10-20 09:00"))


class TestExplanation:
    def test_names_each_day_and_why(self):
        days = explain(at("2026-09-29 10:00"), period("3 working days"), CALENDAR)
        assert [(f"{day.date:%m-%d}", day.counted, day.reason, day.name) for day in days] == [
            ("09-29", False, "start_day", ""),
            ("09-30", True, "workday", ""),
            *((f"10-0{day}", False, "festival", "国庆节") for day in range(1, 8)),
            ("10-08", True, "workday", ""),
            ("10-09", True, "workday", ""),
        ]
        assert days[2].source == "https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm"

    def test_names_make_up_days_weekends_and_what_is_held(self):
        days = explain(
            at("2026-10-09 10:00"),
            period("2 working days"),
            CALENDAR,
            [Hold(at("2026-10-11 20:00"), at("2026-10-13 08:00"))],
        )
        assert [(f"{day.date:%m-%d}", day.counted, day.reason) for day in days] == [
            ("10-09", False, "start_day"),
            ("10-10", True, "make_up"),
            ("10-11", False, "weekend"),
            ("10-12", False, "held"),
            ("10-13", True, "workday"),
        ]

    def test_says_what_is_estimated(self):
        days = explain(at("2026-12-30 10:00"), period("2 working days"), CALENDAR)
        assert [(day.date.isoformat(), day.reason, day.estimated) for day in days] == [
            ("2026-12-30", "start_day", False),
            ("2026-12-31", "workday", False),
            ("2027-01-01", "festival", True),
            ("2027-01-02", "weekend", True),
            ("2027-01-03", "weekend", True),
            ("2027-01-04", "workday", True),
        ]

    def test_of_calendar_days_shows_where_the_last_rolled(self):
        days = explain(at("2026-10-15 10:00"), period("2 calendar days"), CALENDAR)
        assert [(f"{day.date:%m-%d}", day.counted, day.reason) for day in days] == [
            ("10-15", False, "start_day"),
            ("10-16", True, "calendar_day"),
            ("10-17", False, "weekend"),
            ("10-18", False, "weekend"),
            ("10-19", True, "workday"),
        ]

    def test_of_hours_runs_through_every_day(self):
        days = explain(at("2026-10-01 10:00"), period("24 hours"), CALENDAR)
        assert [(f"{day.date:%m-%d}", day.counted, day.reason) for day in days] == [
            ("10-01", True, "hours"),
            ("10-02", True, "hours"),
        ]
        held = explain(
            at("2026-10-01 10:00"), period("24 hours"), CALENDAR, [Hold(at("2026-10-02 00:00"), at("2026-10-03 00:00"))]
        )
        assert [day.reason for day in held] == ["hours", "held", "hours"]


class TestInstants:
    def test_what_is_done_at_the_deadline_is_done_in_time(self):
        deadline = due(at("2026-10-09 10:00"), period("7 working days"), CALENDAR).due_at
        assert is_met(at("2026-10-20 00:00"), deadline)
        assert not is_met(at("2026-10-20 00:00") + timedelta.resolution, deadline)

    def test_the_offset_it_is_written_with_does_not_matter(self):
        start = at("2026-10-09 23:30")
        spellings = [start, start.astimezone(UTC), start.astimezone(timezone(timedelta(hours=-7)))]
        assert len({due(spelling, period("7 working days"), CALENDAR) for spelling in spellings}) == 1
        assert len({explain(spelling, period("7 working days"), CALENDAR) for spelling in spellings}) == 1

    def test_the_civil_day_is_the_one_in_china(self):
        # 16:30 UTC on the 8th is half past midnight of the 9th in China.
        late = datetime(2026, 10, 8, 16, 30, tzinfo=UTC)
        assert str(due(late, period("1 working day"), CALENDAR)) == "2026-10-10 24:00"

    @pytest.mark.parametrize("text", ["24 hours", "7 working days", "5 calendar days"])
    def test_a_naive_time_is_refused(self, text: str):
        naive = datetime(2026, 10, 9, 10)  # noqa: DTZ001 - the point of it
        for call in (due, explain):
            with pytest.raises(NaiveTimeError, match="has no UTC offset"):
                call(naive, period(text), CALENDAR)
        with pytest.raises(NaiveTimeError):
            Hold(naive, at("2026-10-10 10:00"))
        with pytest.raises(NaiveTimeError):
            is_met(naive, at("2026-10-10 10:00"))

    def test_a_zone_that_knows_no_offset_is_naive_too(self):
        class Nowhere(tzinfo):
            def utcoffset(self, _: datetime | None) -> None:
                return None

        with pytest.raises(NaiveTimeError):
            due(datetime(2026, 10, 9, 10, tzinfo=Nowhere()), period("24 hours"), CALENDAR)

    @pytest.mark.parametrize("text", ["24 hours", "7 working days", "5 calendar days"])
    def test_a_start_that_no_calendar_covers_is_refused(self, text: str):
        for start in (
            datetime.min.replace(tzinfo=UTC),
            at("2006-12-31 23:59"),
            at("2061-01-01 00:00"),
            datetime.max.replace(tzinfo=UTC),
        ):
            with pytest.raises(NotCovered, match="2007-2060"):
                due(start, period(text), CALENDAR)

    def test_a_deadline_past_the_last_year_is_refused(self):
        for text in ("7 working days", "5 calendar days"):
            with pytest.raises(NotCovered):
                due(at("2060-12-29 10:00"), period(text), CALENDAR)

    def test_china_is_eight_hours_ahead_on_every_day_that_is_covered(self):
        try:
            zone = ZoneInfo("Asia/Shanghai")
        except ZoneInfoNotFoundError:
            not_tested("against a time zone database: there is none here")
        for number in range((LAST_DAY - FIRST_DAY).days + 1):
            day = FIRST_DAY + number * DAY
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            assert instant_of(number * 86_400_000_000) == midnight
            assert midnight.utcoffset() == CHINA.utcoffset(None)

    def test_ticks_and_instants_are_each_others_inverse(self):
        instant = at("2026-10-09 10:00:00.000001")
        assert instant_of(ticks_of(instant)) == instant

    def test_midnight_belongs_to_the_day_that_ends(self):
        assert wall_text(at("2026-10-20 00:00")) == "2026-10-19 24:00"
        assert closing_day(at("2026-10-20 00:00")) == date(2026, 10, 19)
        assert wall_text(at("2026-10-20 00:01")) == "2026-10-20 00:01"


class TestPeriods:
    @pytest.mark.parametrize(
        "text",
        [
            "24 hours",
            "1 hour",
            "7 working days",
            "1 working day",
            "10 calendar days",
            "7 working days close of business",
        ],
    )
    def test_are_written_as_they_are_read(self, text: str):
        assert str(period(text)) == text

    def test_keep_count_and_unit(self):
        assert Period.parse("7 working days") == Period(7, Unit.WORKING_DAYS)

    @pytest.mark.parametrize(
        "text",
        ["", "7", "7 days", "7 workingdays", " 7 working days", "7 working days ", "7 working days at close of day",
         "0 hours", "-1 hours", "1.5 hours", "07 hours", "٧ hours", "1٧ hours", "24 hours close of business",
         "1001 hours"],
    )  # fmt: skip
    def test_that_say_nothing_clear_are_refused(self, text: str):
        with pytest.raises(ValueError, match=r"hours|longer"):
            period(text)

    def test_need_the_hour_of_the_close_of_business(self):
        with pytest.raises(ValueError, match="needs the hour"):
            Period.parse("7 working days close of business")
