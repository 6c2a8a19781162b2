"""Quiet hours, at their edges and for any instant, wherever the host believes to be."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.civil import wall_text
from notifier.deliveries.quiet import is_quiet, next_allowed

INSTANTS = st.datetimes(
    min_value=datetime(2007, 1, 1),  # noqa: DTZ001 - the strategy gives it a zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@pytest.fixture(params=["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"], autouse=True)
def host_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


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
