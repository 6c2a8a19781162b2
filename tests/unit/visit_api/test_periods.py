"""A plan's period and its parts."""

from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visit_api.importance.models import Level
from visit_api.plans.period import bounds, kind, slots
from visit_api.plans.schemas import Rules
from visit_api.plans.shipped import SHIPPED


@pytest.mark.parametrize(
    ("period", "first", "last", "sort"),
    [
        ("2026", "2026-01-01", "2026-12-31", "year"),
        ("2026-02", "2026-02-01", "2026-02-28", "month"),
        ("2028-02", "2028-02-01", "2028-02-29", "month"),
        ("2026-12", "2026-12-01", "2026-12-31", "month"),
    ],
)
def test_a_period_is_a_year_or_a_month(period: str, first: str, last: str, sort: str) -> None:
    assert bounds(period) == (date.fromisoformat(first), date.fromisoformat(last))
    assert kind(period) == sort


@given(st.sampled_from(["2026", "2028", "2026-02", "2026-12"]), st.integers(1, 28))
def test_the_parts_of_a_period_fill_it_evenly(period: str, times: int) -> None:
    its = slots(period, times)
    first, last = bounds(period)
    assert [slot.slot for slot in its] == list(range(1, times + 1))
    assert (its[0].due_from, its[-1].due_by) == (first, last)
    for before, after in pairwise(its):
        assert after.due_from == before.due_by + timedelta(days=1)
    lengths = {(slot.due_by - slot.due_from).days for slot in its}
    assert max(lengths) - min(lengths) <= 1


def test_more_visits_than_days_have_a_day_each() -> None:
    assert all(slot.due_from <= slot.due_by <= date(2026, 2, 28) for slot in slots("2026-02", 31))


def test_what_is_shipped_is_as_a_unit_may_decide_it() -> None:
    rules = Rules.model_validate(SHIPPED)
    assert rules.model_dump(mode="json") == SHIPPED
    assert {kind for rule in rules.rules for kind in rule.kinds} == {
        "government",
        "key_project",
        "partner.energy_body",
        "partner.source_grid_load_storage",
        "partner.academia",
        "other.important",
        "other.service_risk",
        "other.special_group",
    }


def test_what_is_shipped_knows_importance_as_documents_say_it() -> None:
    named = {level for rule in SHIPPED["rules"] for level in rule["importance"] or ()}
    assert named & {*get_args(Level)} == {"special", "first"}
