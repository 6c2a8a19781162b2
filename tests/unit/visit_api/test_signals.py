"""By which signs a customer may be one at risk (§4.4.2)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from visit_api.risks.signals import Heard, Thresholds, named_in, reasons, shipped

NOW = datetime(2026, 10, 9, 2, tzinfo=UTC)
RULES = Thresholds(window_days=90, complaints=2, unresolved=3, overdue=1, reopened=1, dissatisfied=1)


def heard(number: int, days_ago: int = 1, **fields: Any) -> Heard:
    its = {"type": "complaint", "is_open": False, "outcome": "resolved", "overdue": False}
    its |= {"reopened": 0, "dissatisfied": 0, **fields}
    return Heard(appeal_id=UUID(int=number), received_at=NOW - timedelta(days=days_ago), **its)


def signals(*appeals: Heard) -> set[str]:
    return {reason["signal"] for reason in reasons(appeals, RULES, NOW)}


@pytest.mark.clause("4.4.2")
@pytest.mark.parametrize(
    ("appeals", "expected"),
    [
        ([heard(1)], set()),
        ([heard(1), heard(2)], {"complained"}),
        ([heard(1), heard(2, days_ago=91)], set()),
        ([heard(1), heard(2, days_ago=91, is_open=True, outcome=None)], {"complained"}),
        ([heard(1), heard(2, outcome="void")], set()),
        ([heard(1), heard(2, type="opinion")], set()),
        ([heard(n, type="opinion", is_open=True, outcome=None) for n in range(3)], {"unresolved_appeals"}),
        ([heard(1, type="report", is_open=True, outcome=None, overdue=True)], {"overdue_appeals"}),
        ([heard(1, overdue=True)], set()),
        ([heard(1, reopened=1)], {"reopened_appeals"}),
        ([heard(1, dissatisfied=1)], {"dissatisfied"}),
    ],
)
def test_a_sign_is_counted_from_its_appeals(appeals: list[Heard], expected: set[str]) -> None:
    assert signals(*appeals) == expected


def test_a_reason_tells_its_number_its_threshold_and_its_appeals() -> None:
    (reason,) = reasons([heard(1), heard(2)], RULES, NOW)
    ids = [str(UUID(int=1)), str(UUID(int=2))]
    expected = {"signal": "complained", "count": 2, "threshold": 2, "window_days": 90, "appeals": ids}
    assert reason == expected
    assert named_in([reason]) == {("complained", id) for id in ids}  # noqa: A001


def test_the_thresholds_are_data() -> None:
    assert shipped() == RULES
