"""Which clocks a changed calendar can touch: all whose plan it changes, and none on whose way no changed day lies."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import CHINA, date_of
from appeal_tracker.calendars.editions import Edition, assemble
from appeal_tracker.calendars.festivals import CalendarDay, statutory_days
from appeal_tracker.calendars.loader import cn_statutory, packaged_edition
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.clocks.planning import plan
from appeal_tracker.policies.ladder import Moment, Step
from appeal_tracker.policies.loader import packaged_policies
from appeal_tracker.policies.policy import Limit
from appeal_tracker.recalculations.touching import Kin, changed_days, touched

OLD = cn_statutory()
FLOOR = packaged_policies()["t-sdpea"]
KIN = Kin("t-sdpea@1", OLD.label, "appeal", "complaint", "answer")
FIRST = datetime(2026, 2, 1, tzinfo=CHINA)
LAST = datetime(2026, 4, 30, tzinfo=CHINA)


def limit(within: str, *moments: str) -> Limit:
    ladder = tuple(Step(Moment.parse(moment), ("owner",)) for moment in moments)
    return Limit("answer", Period.parse(within), "", "", "received", ladder)


LIMITS = [
    limit("7 working days", "0.5", "-1wd", "due", "+1wd"),
    limit("1 working days", "due", "+2h", "every 1wd, at most 3"),
    limit("5 calendar days", "-1wd", "due"),
    limit("2 calendar days", "-2wd", "due"),
    limit("24 hours", "0.5", "due", "+2wd"),
    limit("36 hours", "-2wd", "-1wd", "due"),
    limit("24 hours", "0.5", "due", "+2h"),
]

changes = st.lists(
    st.tuples(st.dates(date(2026, 2, 1), date(2026, 5, 20)), st.booleans()),
    min_size=1,
    max_size=6,
    unique_by=lambda day: day[0],
)
starts = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)).map(lambda at: at.replace(tzinfo=CHINA))


def changed(days: list[tuple[date, bool]]) -> Calendar:
    return OLD.overlay("x", 1, [CalendarDay(day, working, "改动", "通知") for day, working in days])


@given(changes, st.sampled_from(LIMITS), st.lists(starts, min_size=1, max_size=8))
def test_what_is_planned_otherwise_is_touched(
    days: list[tuple[date, bool]], its: Limit, starting: list[datetime]
) -> None:
    new = changed(days)
    stretches = touched(KIN, its, min(starting), max(starting), OLD, new)
    for start in starting:
        is_touched = any(stretch.since <= start < stretch.until for stretch in stretches)
        if plan(its, start, FLOOR, OLD) != plan(its, start, FLOOR, new):
            assert is_touched, start


@given(changes, st.sampled_from(LIMITS), starts)
def test_what_passes_no_changed_day_is_not(days: list[tuple[date, bool]], its: Limit, start: datetime) -> None:
    new = changed(days)
    if touched(KIN, its, start, start, OLD, new):
        planned = plan(its, start, FLOOR, OLD)
        end = max([planned[0].due_at, *(point.fire_at for point in planned[1])]).astimezone(CHINA).date()
        # Of a period in hours, all that end on one day are looked at together: the first of them began the day before.
        first = (start - timedelta(days=1 if its.within.unit is Unit.HOURS else 0)).date()
        assert any(first <= date_of(number) <= end for number in changed_days(OLD, new))


@pytest.mark.parametrize("within", ["1 working day", "24 hours"])
def test_a_step_beyond_the_calendar_may_come_back_into_it(within: str) -> None:
    its = limit(within, "due", "every 1wd, at most 3")
    start = datetime(2060, 12, 28, 10, tzinfo=CHINA)  # Tuesday; the third would fire on a Monday after the last day
    late = datetime(2060, 12, 31, 10, tzinfo=CHINA)
    old = OLD.overlay("x", 1, [CalendarDay(date(2060, 12, 30), False, "停工", "通知")])
    assert plan(its, start, FLOOR, old) != plan(its, start, FLOOR, OLD)
    (stretch,) = touched(KIN, its, start, late if within == "24 hours" else start, old, OLD)
    assert stretch.since <= start < stretch.until


def test_hours_alone_are_touched_by_no_day() -> None:
    new = changed([(date(2026, 3, 2) + timedelta(days=day), False) for day in range(20)])
    assert touched(KIN, limit("24 hours", "0.5", "due", "+2h"), FIRST, LAST, OLD, new) == []
    assert touched(KIN, limit("24 hours", "due", "+1wd"), FIRST, LAST, OLD, new) != []


def test_one_day_touches_those_whose_way_passes_it_and_no_others() -> None:
    """Thursday 2026-03-12 off: 7 working days and one more after them pass it when they start from 03-02 to 03-11."""
    (stretch,) = touched(KIN, LIMITS[0], FIRST, LAST, OLD, changed([(date(2026, 3, 12), False)]))
    first, last = (each.astimezone(CHINA) for each in (stretch.since, stretch.until))
    assert (f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}") == ("03-02 00:00", "03-12 00:00")


def test_the_day_of_the_start_touches_what_a_step_goes_back_to_along_the_calendar() -> None:
    """Of four calendar days from Friday 2026-03-13 on the last is Tuesday: two working days before it is the Friday."""
    its, start = limit("4 calendar days", "-2wd", "due"), datetime(2026, 3, 13, 8, 7, tzinfo=CHINA)
    new = changed([(start.date(), False)])
    assert plan(its, start, FLOOR, OLD) != plan(its, start, FLOOR, new)
    assert touched(KIN, its, start, start, OLD, new)
    for other in (limit("4 calendar days", "+2wd", "due"), limit("2 working days", "-2wd", "due")):
        assert not touched(KIN, other, start, start, OLD, new)


def test_another_name_for_a_day_touches_nothing() -> None:
    same = OLD.overlay("x", 1, [CalendarDay(date(2026, 5, 1), False, "五一", "另一通知")])
    assert changed_days(OLD, same) == []
    assert touched(KIN, LIMITS[0], FIRST, LAST, OLD, same) == []


def test_a_year_that_becomes_certain_touches_what_reaches_into_it() -> None:
    days = (*packaged_edition().days, *statutory_days(2027))
    new = assemble("cn-statutory", {"cn-statutory": Edition("cn-statutory", 2, days)})
    (stretch,) = touched(KIN, LIMITS[0], FIRST, datetime(2026, 12, 31, tzinfo=CHINA), OLD, new)
    assert stretch.since.astimezone(CHINA).date() == date(2026, 12, 22)  # its step after the deadline is 2027-01-04
