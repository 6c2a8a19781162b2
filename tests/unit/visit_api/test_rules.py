"""Which times can be stored, what content is known by, what stands in a table of contents."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.errors import Unprocessable
from visit_api import moments
from visit_api.appeals.schemas import NewAppeal
from visit_api.archive.contents import contents
from visit_api.base import digest
from visit_api.customers.schemas import NewCustomer
from visit_api.materials.models import Material
from visit_api.materials.validity import in_force

NOW = datetime(2026, 10, 9, 2, tzinfo=UTC)
CUSTOMER: dict[str, Any] = {"name": "甲", "kind": "government", "unit_code": "374"}
APPEAL: dict[str, Any] = {"type": "complaint", "summary": "停电", "received_at": "2026-10-09T10:00:00+08:00"}


@given(st.integers(-(10**10), 10**10))
def test_what_lies_more_than_two_minutes_ahead_did_not_happen(microseconds: int) -> None:
    at = NOW + timedelta(microseconds=microseconds)
    if microseconds <= 120_000_000:
        assert moments.happened(at, NOW) == at
    else:
        with pytest.raises(Unprocessable):
            moments.happened(at, NOW)


@pytest.mark.usefixtures("host_zone")
def test_nothing_was_received_before_2007_in_china() -> None:
    first = datetime.fromisoformat("2007-01-01T00:00:00+08:00")
    assert moments.received(first, NOW) == first
    with pytest.raises(Unprocessable):
        moments.received(first - timedelta(microseconds=1), NOW)


@pytest.mark.parametrize(
    "same",
    [
        {**CUSTOMER, "id": str(uuid4())},
        {**CUSTOMER, "customer_no": None},
        {**CUSTOMER, "accounts": []},
        dict(reversed(CUSTOMER.items())),
    ],
)
def test_the_same_content_is_known_however_it_is_written(same: dict[str, Any]) -> None:
    assert digest(NewCustomer(**same)) == digest(NewCustomer(**CUSTOMER))


@pytest.mark.parametrize("other", [{"name": "乙"}, {"accounts": ["1"]}, {"phone": "1"}, {"kind": "key_project"}])
def test_other_content_is_known_as_such(other: dict[str, Any]) -> None:
    assert digest(NewCustomer(**{**CUSTOMER, **other})) != digest(NewCustomer(**CUSTOMER))


def test_an_instant_is_the_same_in_every_offset() -> None:
    same = NewAppeal(**{**APPEAL, "received_at": "2026-10-09T02:00:00Z"})
    assert digest(same) == digest(NewAppeal(**APPEAL))
    later = NewAppeal(**{**APPEAL, "received_at": "2026-10-09T02:00:00.000001Z"})
    assert digest(later) != digest(NewAppeal(**APPEAL))


@pytest.mark.clause("7.2.6")
def test_a_table_of_contents_follows_the_process() -> None:
    record = {"appeals": [{}, {}], "visit": {"id": 1}, "preparation": {}, "visitors": [], "customer": {"id": 1}}
    assert [(line["section"], line["entries"]) for line in contents(record)] == [
        ("visit", 1),
        ("customer", 1),
        ("visitors", 0),
        ("preparation", 0),
        ("appeals", 2),
    ]
    assert [line["section"] for line in contents({"appeals": [{}], "told": {"type": "x"}})] == ["told", "appeals"]


def test_a_material_is_in_force_within_its_days_in_china_until_it_is_replaced_or_withdrawn() -> None:
    def instant(text: str) -> datetime:
        return datetime.fromisoformat(f"{text}+08:00")

    material = Material(
        valid_from=date(2026, 10, 1),
        valid_to=date(2026, 10, 31),
        published_at=instant("2026-10-02T09:00:00"),
        replaced_at=None,
        withdrawn_at=None,
    )
    for text, expected in (
        ("2026-10-02T08:59:59", False),
        ("2026-10-02T09:00:00", True),
        ("2026-10-31T23:59:59", True),
        ("2026-11-01T00:00:00", False),
    ):
        assert in_force(material, instant(text)) is expected, text
    for field in ("replaced_at", "withdrawn_at"):
        setattr(material, field, instant("2026-10-20T12:00:00"))
        assert in_force(material, instant("2026-10-20T11:59:59"))
        assert not in_force(material, instant("2026-10-20T12:00:00"))
        setattr(material, field, None)
    material.published_at = None
    assert not in_force(material, instant("2026-10-10T12:00:00"))
