"""Deadlines on demand: what is remembered for a day never shows in another case."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.calculations import Calculator
from appeal_tracker.clocks.schemas import Case
from appeal_tracker.policies.loader import packaged_policies
from appeal_tracker.policies.repository import OnShelf
from appeal_tracker.policies.service import Shelf

POLICIES = packaged_policies()


def calculator(*, explained: bool) -> Calculator:
    shelf = Shelf([*POLICIES.values()], OnShelf([each.label for each in POLICIES.values()], {}, {}))
    return Calculator(shelf, {"cn-statutory": cn_statutory()}, (), explained=explained)


@pytest.mark.parametrize("explained", [False, True])
def test_many_cases_are_answered_as_each_alone(explained: bool) -> None:
    random, first = Random(3), datetime(2026, 9, 20, tzinfo=UTC)
    together = calculator(explained=explained)
    for _ in range(300):
        case = Case(
            appeal_type=random.choice(["complaint", "consultation", "report", "opinion"]),
            received_at=(first + timedelta(minutes=random.randrange(15 * 1440))).isoformat(),
            policy=random.choice([None, *POLICIES]),
        )
        assert together.calculate(case) == calculator(explained=explained).calculate(case)
