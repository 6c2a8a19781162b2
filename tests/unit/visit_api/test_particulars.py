"""What is particular to each kind of customer, and numbers as they are compared and shown."""

from typing import Any

import pytest

from visit_api.customers.particulars import BY_KIND, SPECIAL_GROUP, validated
from visit_api.customers.phones import masked, masked_name, normal

LEVELS = "province city county township"
# All that the clauses list, by kind and field.
CODES = {
    ("government", "level"): LEVELS,
    ("government", "body_type"): "party_committee government power_administration power_regulator industrial_park"
    " subdistrict community village_committee",
    ("key_project", "purpose"): "local_economy livelihood industry",
    ("key_project", "developed_by"): LEVELS,
    ("partner.energy_body", "link"): "energy_development fuel generation transmission distribution retail equipment"
    " engineering association other",
    ("partner.source_grid_load_storage", "role"): "coal_generation renewable_generation market_customer"
    " peak_and_frequency load_aggregator virtual_power_plant other",
    ("partner.academia", "institution"): "university research_institute",
    (SPECIAL_GROUP, "group"): "lonely_elderly vulnerable poor_household other",
}
WHOLE: list[tuple[str, dict[str, Any]]] = [
    ("government", {"level": "county", "body_type": "power_regulator"}),
    ("key_project", {"project": "济郑高铁", "purpose": "livelihood", "operates_from": "2027-01-01"}),
    ("partner.source_grid_load_storage", {"role": "virtual_power_plant", "capacity_kw": 12_000}),
    ("partner.academia", {"institution": "university", "cooperation": ["talent_training", "research"]}),
    ("other.important", {"year": 2025, "consumption_share_percent": 7.5, "growth_percent": 31.0}),
    (
        "other.service_risk",
        {"signals": ["frequent_faults", "frequent_outages", "unresolved_appeals", "dissatisfied", "complained"]},
    ),
    (SPECIAL_GROUP, {"group": "lonely_elderly", "heed": "听力不好"}),
]


@pytest.mark.clause("4.1", "4.2", "4.3.1", "4.3.2", "4.3.3", "4.4.1", "4.4.2", "4.4.3")
def test_each_kind_has_facts_of_its_own_by_every_code_that_its_clause_lists() -> None:
    its = [(kind, {field: code}) for (kind, field), codes in CODES.items() for code in codes.split()]
    for kind, given in [*its, *WHOLE]:
        assert validated(kind, given) == given
        for other in BY_KIND.keys() - {kind}:
            refused = validated(other, given)
            assert isinstance(refused, list), (other, given)
            foreign = {(f"/particulars/{field}", "extra_forbidden") for field in given}
            assert {(fault.pointer, fault.code) for fault in refused} == foreign


def test_no_kind_takes_a_code_or_a_field_that_is_not_listed() -> None:
    for kind, field in CODES:
        for wrong in ("no_such", {"no": "such"}):
            refused = validated(kind, {field: wrong})
            assert isinstance(refused, list)
            assert refused[0].pointer == f"/particulars/{field}"
    for kind in BY_KIND:
        assert validated(kind, {}) == {}
        unknown = validated(kind, {"surprise": 1})
        assert isinstance(unknown, list)
        assert (unknown[0].pointer, unknown[0].code) == ("/particulars/surprise", "extra_forbidden")


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
