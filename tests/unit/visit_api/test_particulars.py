"""What is particular to each kind of customer, and numbers as they are compared and shown."""

from typing import Any

import pytest

from visit_api.customers.particulars import BY_KIND, validated
from visit_api.customers.phones import masked, masked_name, normal


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param(
            "government", {"level": "county", "body_type": "power_regulator"}, marks=pytest.mark.clause("4.1")
        ),
        pytest.param(
            "key_project",
            {"project": "济郑高铁", "purpose": "livelihood", "developed_by": "province", "operates_from": "2027-01-01"},
            marks=pytest.mark.clause("4.2"),
        ),
        pytest.param("partner.energy_body", {"link": "equipment"}, marks=pytest.mark.clause("4.3.1")),
        pytest.param(
            "partner.source_grid_load_storage",
            {"role": "virtual_power_plant", "capacity_kw": 12_000},
            marks=pytest.mark.clause("4.3.2"),
        ),
        pytest.param(
            "partner.academia",
            {"institution": "university", "cooperation": ["talent_training"]},
            marks=pytest.mark.clause("4.3.3"),
        ),
        pytest.param(
            "other.important",
            {"year": 2025, "consumption_share_percent": 7.5, "growth_percent": 31.0},
            marks=pytest.mark.clause("4.4.1"),
        ),
        pytest.param(
            "other.service_risk",
            {"signals": ["frequent_outages", "complained"]},
            marks=pytest.mark.clause("4.4.2"),
        ),
        pytest.param(
            "other.special_group", {"group": "lonely_elderly", "heed": "听力不好"}, marks=pytest.mark.clause("4.4.3")
        ),
    ],
)
def test_each_kind_has_facts_of_its_own(kind: str, given: dict[str, Any]) -> None:
    assert validated(kind, given) == given
    assert validated(kind, {}) == {}
    field = next(iter(given))
    for other in BY_KIND.keys() - {kind}:
        refused = validated(other, given)
        if isinstance(refused, list):
            assert refused[0].pointer.startswith("/particulars/")
    unknown = validated(kind, {"surprise": 1})
    assert isinstance(unknown, list)
    assert (unknown[0].pointer, unknown[0].code) == ("/particulars/surprise", "extra_forbidden")
    wrong = validated(kind, {**given, field: {"no": "such"}})
    assert isinstance(wrong, list)
    assert wrong[0].pointer.startswith(f"/particulars/{field}")


def test_a_project_does_not_operate_before_it_begins() -> None:
    wrong = validated("key_project", {"begins_on": "2026-05-01", "operates_from": "2026-04-30"})
    assert isinstance(wrong, list)
    assert (wrong[0].pointer, wrong[0].code) == ("/particulars", "operates_before_it_begins")


@pytest.mark.parametrize(
    ("written", "compared", "shown"),
    [
        ("13812340000", "13812340000", "138****0000"),
        ("+86 138-1234-0000", "13812340000", "138****0000"),
        ("0086 138 1234 0000", "13812340000", "138****0000"),
        ("１３８１２３４００００", "13812340000", "138****0000"),
        ("0531-88888888", "053188888888", "053****8888"),
        ("95598", "95598", "****98"),
        ("110", "110", "****"),
        ("总机转", "总机转", "****"),
    ],
)
def test_a_number_is_compared_by_its_digits_and_shown_in_part(written: str, compared: str, shown: str) -> None:
    assert (normal(written), masked(written)) == (compared, shown)


def test_of_a_name_its_first_sign_is_shown() -> None:
    assert masked_name(" 王建国") == "王**"
