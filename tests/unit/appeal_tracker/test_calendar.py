"""Calendars: what they answer, how one lies over another, what they refuse."""

from datetime import date, timedelta
from typing import Any

import pytest

from appeal_tracker.calendars.calendar import FIRST_DAY, LAST_DAY, Calendar, Kind
from appeal_tracker.calendars.editions import Edition, assemble
from appeal_tracker.calendars.festivals import CalendarDay, statutory_days
from appeal_tracker.calendars.loader import CN_STATUTORY, cn_statutory, packaged_edition
from appeal_tracker.calendars.notice import parse_notice
from appeal_tracker.calendars.refusals import (
    CalendarError,
    CyclicParents,
    DuplicateDay,
    HalfYear,
    MalformedNotice,
    NotCovered,
    NoWorkingDay,
    OutsideYear,
    UnknownParent,
)

CALENDAR = cn_statutory()


def off(day: str, name: str = "停工", source: str = "notice") -> CalendarDay:
    return CalendarDay(date.fromisoformat(day), False, name, source)


def working(day: str, name: str = "补班") -> CalendarDay:
    return CalendarDay(date.fromisoformat(day), True, name)


def notice_2027() -> dict[str, Any]:
    """Return what the notice for 2027 might look like: the statutory days, and a Sunday worked for a Monday off."""
    days = [{"name": day.name, "date": day.date.isoformat(), "isOffDay": True} for day in statutory_days(2027)]
    days.append({"name": "劳动节", "date": "2027-05-03", "isOffDay": True})
    days.append({"name": "劳动节", "date": "2027-05-08", "isOffDay": False})
    return {"$schema": "holiday-cn", "year": 2027, "papers": ["https://www.gov.cn/2027"], "days": days}


class TestAnswers:
    def test_a_day_and_its_reason(self):
        kinds = {
            "2026-10-09": (True, Kind.WORKDAY, ""),
            "2026-10-10": (True, Kind.MAKE_UP, "国庆节"),
            "2026-10-11": (False, Kind.WEEKEND, ""),
            "2026-10-01": (False, Kind.FESTIVAL, "国庆节"),
            "2026-10-04": (False, Kind.FESTIVAL, "国庆节"),  # a Sunday, but the notice names it
        }
        for day, expected in kinds.items():
            reason = CALENDAR.reason(date.fromisoformat(day))
            assert (reason.working, reason.kind, reason.name) == expected
            assert not reason.estimated

    def test_the_nth_working_day_on_either_side(self):
        friday, saturday = date(2026, 10, 9), date(2026, 10, 10)
        assert CALENDAR.working_day_after(friday) == saturday
        assert CALENDAR.working_day_after(friday, 2) == date(2026, 10, 12)
        assert CALENDAR.working_day_before(date(2026, 10, 12)) == saturday
        assert CALENDAR.working_day_before(date(2026, 10, 11), 2) == friday
        assert CALENDAR.working_day_after(date(2026, 9, 30)) == date(2026, 10, 8)
        assert CALENDAR.working_days_between(date(2026, 9, 30), date(2026, 10, 12)) == 4
        assert CALENDAR.working_days_between(friday, friday) == 0

    def test_no_answer_outside_the_years_it_covers(self):
        for day in (FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1)):
            with pytest.raises(NotCovered, match="2007-2060"):
                CALENDAR.reason(day)
            with pytest.raises(NotCovered):
                CALENDAR.working_day_after(day)
        assert CALENDAR.working_day_after(LAST_DAY - timedelta(days=1)) == LAST_DAY
        for search in (CALENDAR.working_day_after, CALENDAR.working_day_before):
            with pytest.raises(NotCovered):
                search(LAST_DAY, 100_000)
        with pytest.raises(NotCovered):
            CALENDAR.working_day_before(FIRST_DAY)
        with pytest.raises(NotCovered):
            CALENDAR.working_day_after(LAST_DAY)

    def test_the_zeroth_working_day_means_nothing(self):
        for n in (0, -1):
            with pytest.raises(NotCovered):
                CALENDAR.working_day_after(date(2026, 10, 9), n)

    def test_an_unpublished_year_is_estimated_from_the_law(self):
        festival = CALENDAR.reason(date(2027, 2, 5))  # the eve of the lunar year, off since the law of 2024
        assert (festival.working, festival.kind, festival.name, festival.estimated) == (
            False,
            Kind.FESTIVAL,
            "春节",
            True,
        )
        assert "795" in festival.source
        assert CALENDAR.reason(date(2027, 2, 9)).working  # what the notice will add is not guessed
        assert CALENDAR.reason(date(2027, 2, 10)).estimated
        assert CALENDAR.reason(date(2027, 1, 2)).kind is Kind.WEEKEND
        shared = Calendar.from_days("empty", 1, []).reason(date(2020, 10, 1))  # Mid-Autumn on National Day
        assert shared.name == "国庆节、中秋节"


class TestOverlays:
    def test_adds_and_removes_days_and_inherits_the_rest(self):
        typhoon = CALENDAR.overlay(
            "qingdao", 3, [off("2026-10-12", "台风停工", "青岛〔2026〕7号"), working("2026-10-17")]
        )
        assert typhoon.reason(date(2026, 10, 12)).name == "台风停工"
        assert typhoon.reason(date(2026, 10, 12)).source == "青岛〔2026〕7号"
        assert typhoon.reason(date(2026, 10, 17)).kind is Kind.MAKE_UP
        assert typhoon.reason(date(2026, 10, 10)) == CALENDAR.reason(date(2026, 10, 10))
        assert typhoon.changes_from(CALENDAR) == (date(2026, 10, 12), date(2026, 10, 17))
        assert typhoon.label == "qingdao@3+cn-statutory@1"
        assert typhoon.published_years == CALENDAR.published_years
        assert CALENDAR.is_working(date(2026, 10, 12)), "the calendar below is untouched"

    def test_a_festival_worked_is_a_make_up_day_even_on_a_weekday(self):
        assert CALENDAR.overlay("x", 1, [working("2026-10-01")]).reason(date(2026, 10, 1)).kind is Kind.MAKE_UP

    def test_a_day_it_lists_in_an_unpublished_year_is_no_guess(self):
        stopped = CALENDAR.overlay("x", 1, [off("2027-03-03")])
        assert not stopped.reason(date(2027, 3, 3)).estimated
        assert stopped.reason(date(2027, 3, 4)).estimated

    def test_lies_over_another_overlay(self):
        region = Edition("region", 2, (off("2026-04-20"),), extends=CN_STATUTORY)
        unit = Edition("unit", 5, (off("2026-04-21"), working("2026-04-25")), extends="region")
        editions = {edition.id: edition for edition in (packaged_edition(), region, unit)}
        built = assemble("unit", editions)
        assert built.lineage == ("unit@5", "region@2", "cn-statutory@1")
        assert built.working_day_after(date(2026, 4, 19)) == date(2026, 4, 22)
        assert built.is_working(date(2026, 4, 25))

    def test_over_an_unknown_calendar_is_refused(self):
        with pytest.raises(UnknownParent, match="qingdao lies over shandong"):
            assemble("qingdao", {"qingdao": Edition("qingdao", 1, (), extends="shandong")})

    def test_over_itself_is_refused(self):
        editions = {
            "a": Edition("a", 1, (), extends="b"),
            "b": Edition("b", 1, (), extends="c"),
            "c": Edition("c", 1, (), extends="b"),
        }
        with pytest.raises(CyclicParents, match="a -> b -> c -> b"):
            assemble("a", editions)


class TestRefusals:
    def test_a_stretch_without_working_days(self):
        first = date(2026, 3, 2)
        closed = [CalendarDay(first + timedelta(days=offset), False, "停工") for offset in range(28)]
        thirty_days = CALENDAR.overlay("x", 1, closed)
        assert thirty_days.working_day_after(date(2026, 2, 28)) == date(2026, 3, 30)
        with pytest.raises(NoWorkingDay, match="within 30 days after 2026-02-28"):
            CALENDAR.overlay("x", 1, [*closed, off("2026-03-30")])

    @pytest.mark.parametrize("edge", [FIRST_DAY, LAST_DAY - timedelta(days=40)])
    def test_a_stretch_without_working_days_at_either_end(self, edge: date):
        days = [CalendarDay(edge + timedelta(days=offset), False, "停工") for offset in range(41)]
        with pytest.raises(NoWorkingDay):
            CALENDAR.overlay("x", 1, days)

    def test_a_calendar_without_any_working_day(self):
        """Bug class: endless loop on an empty calendar."""
        span = (LAST_DAY - FIRST_DAY).days + 1
        with pytest.raises(NoWorkingDay):
            CALENDAR.overlay("x", 1, [CalendarDay(FIRST_DAY + timedelta(days=n), False, "停工") for n in range(span)])

    def test_a_day_twice(self):
        with pytest.raises(DuplicateDay, match="2026-04-20"):
            CALENDAR.overlay("x", 1, [off("2026-04-20"), working("2026-04-20")])

    def test_a_day_no_calendar_covers(self):
        with pytest.raises(NotCovered):
            CALENDAR.overlay("x", 1, [off("2061-01-01")])

    def test_half_a_year(self):
        first_half = [day for day in packaged_edition().days if day.date < date(2026, 7, 1)]
        with pytest.raises(HalfYear) as refused:
            Calendar.from_days("x", 1, first_half)
        assert refused.value.year == 2026
        assert (date(2026, 9, 25), "中秋节") in refused.value.missing
        assert "2026-10-01 国庆节" in str(refused.value)


class TestNotices:
    def test_publishing_a_year_makes_the_next_version(self):
        published = packaged_edition().with_notice(parse_notice(notice_2027()))
        calendar = assemble(CN_STATUTORY, {CN_STATUTORY: published})
        assert calendar.version == 2
        assert 2027 in calendar.published_years
        assert not calendar.reason(date(2027, 2, 6)).estimated
        assert calendar.reason(date(2027, 5, 8)).source == "https://www.gov.cn/2027"
        assert calendar.changes_from(CALENDAR) == (date(2027, 5, 3), date(2027, 5, 8))

    def test_publishing_a_year_again_replaces_it(self):
        document = notice_2027()
        once = packaged_edition().with_notice(parse_notice(document))
        document["days"] = document["days"][:-2]
        twice = once.with_notice(parse_notice(document))
        assert assemble(CN_STATUTORY, {CN_STATUTORY: twice}).changes_from(CALENDAR) == ()

    def test_a_day_may_name_its_own_source(self):
        document = notice_2027()
        document["days"][0]["source"] = "a later notice"
        days = {day.date: day for day in parse_notice(document).days}
        assert days[date(2027, 1, 1)].source == "a later notice"

    @pytest.mark.parametrize(
        ("change", "refusal", "pointer"),
        [
            ({"days": [{"name": "元旦", "date": "2027-01-01"}]}, MalformedNotice, "/days/0/isOffDay"),
            ({"days": [{"name": "元旦", "date": "2027-13-01", "isOffDay": True}]}, MalformedNotice, "/days/0/date"),
            (
                {"days": [{"name": "元旦", "date": "2027-01-01T00:00:00Z", "isOffDay": True}]},
                MalformedNotice,
                "/days/0/date",
            ),
            ({"days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": 1}]}, MalformedNotice, "/days/0/isOffDay"),
            ({"days": [{"name": "", "date": "2027-01-01", "isOffDay": True}]}, MalformedNotice, "/days/0/name"),
            ({"year": "2027"}, MalformedNotice, "/year"),
            ({"year": 2061}, MalformedNotice, "/year"),
            ({"papers": None}, MalformedNotice, "/papers"),
            ({"days": []}, HalfYear, "/days"),
            ({"days": [{"name": "元旦", "date": "2026-12-31", "isOffDay": True}]}, OutsideYear, "/days/0/date"),
            ({"days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}] * 2}, DuplicateDay, "/days/1/date"),
        ],
    )
    def test_a_bad_one_is_refused_with_its_place(
        self, change: dict[str, Any], refusal: type[CalendarError], pointer: str
    ):
        """Bug class: imported holiday off by one: a date with a time, which a zone could touch, is none."""
        with pytest.raises(refusal) as refused:
            parse_notice(notice_2027() | change)
        assert refused.value.pointer == pointer

    @pytest.mark.parametrize("document", [None, [], "{}", {"days": []}])
    def test_what_is_no_notice_at_all_is_refused(self, document: object):
        with pytest.raises(MalformedNotice):
            parse_notice(document)

    def test_the_year_a_day_outside_belongs_to_is_named(self):
        stray = {"days": [{"name": "元旦", "date": "2026-12-31", "isOffDay": True}]}
        with pytest.raises(
            OutsideYear, match="2026-12-31 lies outside 2027, the year named; it belongs to the days of 2026"
        ):
            parse_notice(notice_2027() | stray)
