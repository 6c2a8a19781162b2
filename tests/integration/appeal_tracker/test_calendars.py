"""Which days are working days, over REST."""

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, problem


async def test_the_statutory_calendar_is_published(desk: Desk) -> None:
    (calendar,) = (await got(desk.first.get("/calendars")))["items"]
    assert (calendar["id"], calendar["version"], calendar["label"]) == ("cn-statutory", 1, "cn-statutory@1")
    assert calendar["published_years"] == list(range(2007, 2027))
    (version,) = (await got(desk.first.get("/calendars/cn-statutory/versions")))["items"]
    assert (version["version"], version["extends"]) == (1, None)
    problem(await desk.first.get("/calendars/none-such/versions"), 404, "calendar-not-found")


async def test_each_day_is_told_with_its_reason(desk: Desk) -> None:
    params = {"from": "2026-10-07", "to": "2026-10-11"}
    days = (await got(desk.first.get("/calendars/cn-statutory/days", params=params)))["items"]
    assert [(day["date"], day["working"], day["kind"], day["name"]) for day in days] == [
        ("2026-10-07", False, "festival", "国庆节"),
        ("2026-10-08", True, "workday", ""),
        ("2026-10-09", True, "workday", ""),
        ("2026-10-10", True, "make_up", "国庆节"),
        ("2026-10-11", False, "weekend", ""),
    ]
    assert days[3]["source"].startswith("https://www.gov.cn/")
    params = {"from": "2027-01-01", "to": "2027-01-01"}
    (estimated,) = (await got(desk.first.get("/calendars/cn-statutory/days", params=params)))["items"]
    assert (estimated["working"], estimated["estimated"]) == (False, True)


@pytest.mark.parametrize(
    ("first", "last", "slug"),
    [
        ("2026-10-09", "2026-10-08", "bad-date-range"),
        ("2010-01-01", "2026-01-01", "bad-date-range"),
        ("2006-12-31", "2007-01-01", "day-not-covered"),
        ("2060-12-31", "2061-01-01", "day-not-covered"),
        ("2026-02-30", "2026-03-01", "unprocessable"),
    ],
)
async def test_a_range_of_days_is_bounded(desk: Desk, first: str, last: str, slug: str) -> None:
    params = {"from": first, "to": last}
    problem(await desk.first.get("/calendars/cn-statutory/days", params=params), 422, slug)
