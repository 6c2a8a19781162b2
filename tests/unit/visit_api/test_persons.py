"""Whose name is somebody's own."""

import pytest

from visit_api.customers.persons import is_person


@pytest.mark.parametrize(
    ("kind", "sort", "person"),
    [
        ("other.special_group", None, True),
        ("other.special_group", "high_voltage", True),
        ("other.ordinary", None, True),
        ("other.ordinary", "low_voltage_resident", True),
        ("other.ordinary", "low_voltage_non_resident", False),
        ("other.ordinary", "high_voltage", False),
        ("other.service_risk", "low_voltage_resident", True),
        ("other.service_risk", None, False),
        ("government", None, False),
        ("other.important", "high_voltage", False),
    ],
)
def test_a_firms_name_is_nobodys_secret(kind: str, sort: str | None, person: bool) -> None:
    assert is_person(kind, sort) is person
