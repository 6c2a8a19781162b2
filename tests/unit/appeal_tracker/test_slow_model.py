"""The engine against a slow and obvious model that walks day by day and minute by minute, on random calendars."""

from dataclasses import dataclass
from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.clocks.calculation import Hold, due, explain, points
from appeal_tracker.policies.ladder import Moment, Step
from tests.support.slow_model import DAY, MINUTE, Model, in_utc

minutes_of_two_decades = st.datetimes(datetime(2007, 1, 1), datetime(2025, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0)
)
day_periods = st.builds(
    lambda count, unit, early: Period(count, unit, (17 if early else 24) * 3_600_000_000),
    st.integers(1, 25),
    st.sampled_from([Unit.WORKING_DAYS, Unit.CALENDAR_DAYS]),
    st.booleans(),
)
hour_periods = st.builds(lambda count: Period(count, Unit.HOURS), st.integers(1, 72))


@dataclass
class Case:
    """A start, a period, a calendar with some days near it turned over, and holds that do not touch."""

    start: datetime
    period: Period
    flipped: frozenset[date]
    held: list[tuple[datetime, datetime]]

    @property
    def since(self) -> datetime:
        return in_utc(self.start)

    @property
    def calendar(self) -> Calendar:
        base = cn_statutory()
        return base.overlay("x", 1, [CalendarDay(day, not base.is_working(day), "x") for day in self.flipped])

    @property
    def holds(self) -> list[Hold]:
        """Return the holds in no order to rely on."""
        return [Hold(in_utc(since), in_utc(until)) for since, until in reversed(self.held)]

    @property
    def model(self) -> Model:
        return Model(self.flipped, self.held)


@st.composite
def cases(draw: st.DrawFn, periods: st.SearchStrategy[Period]) -> Case:
    start = draw(minutes_of_two_decades)
    near = st.integers(0, 40).map(lambda offset: start.date() + offset * DAY)
    flipped = draw(st.frozensets(near, max_size=12))
    held: list[tuple[datetime, datetime]] = []
    now = start + draw(st.integers(-3000, 3000)) * MINUTE
    for pause, length in draw(st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 6000)), max_size=4)):
        held.append((now, now + length * MINUTE))
        now += (length + pause) * MINUTE
    return Case(start, draw(periods), flipped, held)


# No deadline per example: the model is slow by intention, and the machine may be busy.
many, some = settings(), settings(max_examples=50)


@many
@given(cases(day_periods))
def test_deadlines_in_days(case: Case):
    calendar = case.calendar
    held, free = case.model, Model(case.flipped, [])
    assert due(case.since, case.period, calendar, case.holds).due_at == in_utc(held.due(case.start, case.period))
    assert due(case.since, case.period, calendar).due_at == in_utc(free.due(case.start, case.period))


def test_deadlines_from_every_day_of_the_published_years():
    """Bug class: day = 86,400 s."""
    periods = [Period.parse(text) for text in ("7 working days", "10 calendar days", "1 hours")]
    calendar, model = cn_statutory(), Model(frozenset(), [])
    # On the wall half an hour into the day, in UTC still the day before.
    start, last = datetime(2007, 1, 1, 0, 30), datetime(2026, 12, 15, 0, 30)  # noqa: DTZ001 - a wall clock's time
    while start <= last:
        for period in periods:
            assert due(in_utc(start), period, calendar).due_at == in_utc(model.due(start, period)), (start, period)
        start += DAY


@some
@given(cases(hour_periods))
def test_deadlines_in_hours(case: Case):
    deadline = due(case.since, case.period, case.calendar, case.holds)
    assert deadline.due_at == in_utc(case.model.due(case.start, case.period))


@some
@given(cases(day_periods | hour_periods))
def test_quarters_of_the_way(case: Case):
    ladder = [Step(Moment.parse(text), ("owner",)) for text in ("0.25", "0.5", "0.75")]
    timers = points(ladder, case.since, case.period, case.calendar, holds=case.holds)
    expected = [case.model.part(case.start, case.period, quarters) for quarters in (1, 2, 3)]
    assert [timer.fire_at for timer in timers] == [in_utc(moment) for moment in expected]


@many
@given(cases(day_periods))
def test_explanations_count_what_is_counted(case: Case):
    days = explain(case.since, case.period, case.calendar, case.holds)
    assert [day.date for day in days if day.counted] == list(case.model.days(case.start, case.period))
    assert [day.date for day in days] == [case.start.date() + offset * DAY for offset in range(len(days))]
    assert days[-1].counted
    for day in days[1:]:
        if day.reason in ("workday", "make_up"):
            assert case.model.works(day.date)
        elif day.reason in ("weekend", "festival"):
            assert not case.model.works(day.date)


@many
@given(cases(day_periods | hour_periods))
def test_a_later_start_is_never_due_earlier(case: Case):
    calendar, later = case.calendar, case.since + 7 * MINUTE
    first, second = (due(start, case.period, calendar, case.holds).due_at for start in (case.since, later))
    assert first <= second


@many
@given(cases(day_periods | hour_periods))
def test_a_hold_never_makes_it_due_earlier(case: Case):
    calendar = case.calendar
    assert due(case.since, case.period, calendar, case.holds).due_at >= due(case.since, case.period, calendar).due_at


@many
@given(cases(day_periods), st.integers(1, 400))
def test_counting_forth_back_and_between_agree(case: Case, n: int):
    calendar, day = case.calendar, case.start.date()
    later = calendar.working_day_after(day, n)
    assert calendar.working_days_between(day, later) == n
    assert calendar.working_day_before(later + DAY) == later
    if n > 1:
        assert calendar.working_day_before(later, n - 1) == calendar.working_day_after(day)
