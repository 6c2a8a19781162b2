"""The committed calendar, day by day against two libraries that were made from other readings of the same notices."""

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest
from holidays.calendars.chinese import _ChineseLunisolar

from appeal_tracker.calendars.calendar import Kind
from appeal_tracker.calendars.festivals import LAST_YEAR, statutory_days
from appeal_tracker.calendars.loader import cn_statutory, packaged_notices

CALENDAR = cn_statutory()
YEARS = range(2007, 2027)


def days_of(year: int) -> list[date]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def working_days_of(year: int) -> int:
    return sum(CALENDAR.is_working(day) for day in days_of(year))


def test_every_year_from_2007_to_2026_is_given_and_no_other():
    assert CALENDAR.published_years == frozenset(YEARS)
    assert [notice.year for notice in packaged_notices()] == list(YEARS)


@pytest.mark.parametrize("year", YEARS)
def test_each_day_agrees_with_chinese_calendar(year: int):
    assert [day for day in days_of(year) if CALENDAR.is_working(day) != chinese_calendar.is_workday(day)] == []


@pytest.mark.parametrize("year", YEARS)
def test_each_day_agrees_with_holidays(year: int):
    china = holidays.country_holidays("CN", years=[year - 1, year, year + 1])
    assert [day for day in days_of(year) if CALENDAR.is_working(day) != china.is_working_day(day)] == []


def test_the_working_days_of_recent_years():
    assert [working_days_of(year) for year in (2024, 2025, 2026)] == [251, 248, 248]


def test_the_make_up_days_of_2026():
    """Bug class: make-up days."""
    make_up = [day for day in days_of(2026) if CALENDAR.reason(day).kind is Kind.MAKE_UP]
    assert [f"{day:%m-%d}" for day in make_up] == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


def test_the_labour_day_that_was_changed_after_publication():
    """Bug class: make-up days."""
    # The notice of 2018-12 gave one day; that of 2019-03-22 gave four and made this Sunday a working day.
    changed = CALENDAR.reason(date(2019, 4, 28))
    assert (changed.working, changed.kind, changed.name) == (True, Kind.MAKE_UP, "劳动节")
    assert changed.source == "http://www.gov.cn/zhengce/zhengceku/2019-03/22/content_5375877.htm"


def test_the_spring_festival_that_was_made_longer_while_it_ran():
    assert not CALENDAR.is_working(date(2020, 1, 31))
    assert not CALENDAR.is_working(date(2020, 2, 1))
    back_to_work = CALENDAR.reason(date(2020, 2, 3))
    assert (back_to_work.working, back_to_work.kind) == (True, Kind.WORKDAY)
    assert "2020-01/27" in back_to_work.source


def test_days_that_a_notice_sets_in_the_year_before_stand_in_that_year():
    # The notice for 2019 made Saturday 2018-12-29 a working day and Monday 2018-12-31 a day off.
    assert CALENDAR.is_working(date(2018, 12, 29))
    assert not CALENDAR.is_working(date(2018, 12, 31))
    assert "2018-12/06" in CALENDAR.reason(date(2018, 12, 31)).source


def test_every_listed_day_names_a_paper_of_its_year():
    for notice in packaged_notices():
        assert notice.papers
        assert {day.source for day in notice.days} <= set(notice.papers)


@pytest.mark.parametrize("year", range(2007, LAST_YEAR + 1))
def test_the_festivals_that_follow_sun_and_moon(year: int):
    moon = _ChineseLunisolar()
    new_year = moon.lunar_new_year_date(year)[0]
    assert new_year is not None
    expected = {"春节": new_year}
    if year >= 2008:
        expected["清明节"] = moon.qingming_date(year)[0]
        expected |= {"端午节": moon.dragon_boat_date(year)[0], "中秋节": moon.mid_autumn_date(year)[0]}
    days_by_name: dict[str, list[date]] = {}
    for day in statutory_days(year):
        for name in day.name.split("、"):
            days_by_name.setdefault(name, []).append(day.date)
    for name, day in expected.items():
        assert day in days_by_name[name]
    eve = new_year - timedelta(days=1)
    assert (eve in days_by_name["春节"]) == (year >= 2025 or 2008 <= year <= 2013)


@pytest.mark.parametrize(("year", "days"), [(2007, 10), (2008, 11), (2014, 11), (2025, 13), (2026, 13), (2060, 13)])
def test_how_many_days_off_the_law_gives(year: int, days: int):
    assert sum(len(day.name.split("、")) for day in statutory_days(year)) == days


@pytest.mark.parametrize("year", YEARS)
def test_every_published_year_keeps_its_statutory_days(year: int):
    assert [day.date for day in statutory_days(year) if CALENDAR.is_working(day.date)] == []
