"""Quiet hours, at their edges and for any instant, wherever the host believes to be."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.civil import wall_text
from notifier.deliveries.quiet import (
    NIGHT,
    SPREAD,
    QuietHours,
    Window,
    is_quiet,
    next_allowed,
    next_working,
    spread,
)
from notifier.deliveries.workdays import workdays

INSTANTS = st.datetimes(
    min_value=datetime(2007, 1, 1),  # noqa: DTZ001 - the strategy gives it a zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@pytest.fixture(autouse=True)
def everywhere(host_zone: None) -> None:
    """Each of these."""


def published(year: int) -> list[dict[str, Any]]:
    notice = files("appeal_tracker.calendars").joinpath("data", "cn-statutory", f"{year}.json")
    days: list[dict[str, Any]] = json.loads(notice.read_text(encoding="utf-8"))["days"]
    return days


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}+08:00")


@pytest.mark.clause("7.2.5")
@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("2026-10-09T08:00:00", "2026-10-09T08:00:00"),
        ("2026-10-09T20:59:59.999999", "2026-10-09T20:59:59.999999"),
        ("2026-10-09T21:00:00", "2026-10-10T08:00:00"),
        ("2026-10-10T00:00:00", "2026-10-10T08:00:00"),
        ("2026-10-10T07:59:59.999999", "2026-10-10T08:00:00"),
        ("2026-12-31T22:00:00", "2027-01-01T08:00:00"),
    ],
)
def test_what_falls_between_21_and_8_waits_for_8(asked: str, allowed: str):
    assert next_allowed(at(asked)) == at(allowed)


@given(INSTANTS)
def test_what_is_allowed_is_the_first_instant_that_is(instant: datetime):
    allowed = next_allowed(instant)
    assert allowed >= instant
    assert allowed.tzinfo is UTC
    assert not is_quiet(allowed)
    assert next_allowed(allowed) == allowed
    if allowed > instant:
        assert is_quiet(instant)
        assert allowed - instant <= timedelta(hours=11)
        assert is_quiet(allowed - timedelta(microseconds=1))
    else:
        assert not is_quiet(instant)


@given(INSTANTS)
def test_the_offset_in_which_an_instant_is_written_does_not_matter(instant: datetime):
    assert next_allowed(instant) == next_allowed(instant.astimezone(UTC))


def test_the_end_of_a_day_is_told_as_24_00_of_that_day():
    assert wall_text(at("2026-10-20T00:00:00")) == "2026-10-19 24:00"
    assert wall_text(datetime(2026, 10, 19, 16, tzinfo=UTC)) == "2026-10-19 24:00"
    assert wall_text(at("2026-10-10T09:30:00")) == "2026-10-10 09:30"
    assert wall_text(at("2026-10-10T00:00:01")) == "2026-10-10 00:00:01"


def test_each_kind_and_channel_has_hours_of_its_own():
    early = Window(clock(20), clock(8))
    hours = QuietHours({("staff", "sms"): early})
    asked = [("staff", "sms"), ("staff", "mailbox"), ("customer", "sms")]
    assert [hours.of(*each) for each in asked] == [early, NIGHT, NIGHT], "where nothing is said, the standard's"


def test_one_window_covers_another_or_not():
    assert NIGHT.covers(NIGHT)
    assert Window(clock(20), clock(9)).covers(NIGHT)
    assert not Window(clock(22), clock(8)).covers(NIGHT)
    assert not Window(clock(0), clock(0)).covers(NIGHT)
    assert Window(clock(12), clock(14)).covers(Window(clock(13), clock(13, 30)))


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("2026-10-09T10:00:00", "2026-10-09T10:00:00"),
        ("2026-10-09T22:00:00", "2026-10-10T08:00:00"),  # a Saturday that is worked
        ("2026-10-10T22:00:00", "2026-10-12T08:00:00"),
        ("2026-10-01T10:00:00", "2026-10-08T08:00:00"),
        ("2027-10-02T10:00:00", "2027-10-04T08:00:00"),  # of which nobody knows more than the weekdays
    ],
)
def test_what_wants_a_working_day_goes_on_the_next_one(asked: str, goes: str):
    assert next_working(at(asked), NIGHT, workdays()) == at(goes)


def test_the_copy_of_the_working_days_is_that_of_the_trackers_calendar():
    off, worked = {}, {}
    for year in (2025, 2026):
        for day in published(year):
            (off if day["isOffDay"] else worked)[date.fromisoformat(day["date"])] = True
        day = date(year, 1, 1)
        while day.year == year:
            assert (day in workdays()) is (day in worked or (day.weekday() < 5 and day not in off)), day
            day += timedelta(days=1)


def test_what_is_released_is_spread_over_the_first_minutes_each_person_at_an_instant_of_their_own():
    people = [f"S{number}" for number in range(1000)]
    delays = [spread(person, "mailbox").total_seconds() for person in people]
    assert delays == [spread(person, "mailbox").total_seconds() for person in people]
    assert min(delays) >= 0
    assert max(delays) < SPREAD
    assert len(set(delays)) > SPREAD * 0.9
