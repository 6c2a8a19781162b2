"""When an office is open, in China's time."""

from datetime import datetime
from typing import Any

import pytest

from visit_api.obligations import hours
from visit_api.obligations.hours import SHIPPED, is_open, open_from

OWN: dict[str, Any] = {
    "week": [
        {"days": [1, 2, 3, 4, 5], "opens": "13:30", "closes": "18:00"},
        {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "12:00"},
        {"days": [7], "opens": "20:00", "closes": "24:00"},
    ],
    "exceptions": [
        {"date": "2026-10-09", "opens": None, "closes": None},
        {"date": "2026-10-10", "opens": "09:00", "closes": "12:00"},
    ],
}


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-{local.replace(' ', 'T')}:00+08:00")


@pytest.mark.usefixtures("host_zone")
@pytest.mark.clause("6.2.2.4")
@pytest.mark.parametrize(
    ("its", "when", "opens"),
    [
        (SHIPPED, "09 08:29", "09 08:30"),
        (SHIPPED, "09 08:30", "09 08:30"),
        (SHIPPED, "09 17:29", "09 17:29"),
        (SHIPPED, "09 17:30", "12 08:30"),  # a Friday evening
        (SHIPPED, "10 10:00", "12 08:30"),  # what of a make-up day the unit must say
        (OWN, "08 12:30", "08 13:30"),
        (OWN, "08 18:00", "10 09:00"),  # closed on Friday, open on Saturday
        (OWN, "11 23:59", "11 23:59"),
        (OWN, "12 00:00", "12 08:00"),
    ],
)
def test_work_begins_at_once_or_when_the_office_opens(its: Any, when: str, opens: str) -> None:
    assert open_from(its, at(when)) == at(opens)
    assert is_open(its, at(when)) is (when == opens)


def test_an_office_that_never_opens_ends_the_search() -> None:
    assert open_from({"week": [], "exceptions": []}, at("09 10:00")) is None
    assert hours.is_open({"week": [], "exceptions": []}, at("09 10:00")) is False
