"""The table says met only where the goal is met, and shows the worst round beside the median."""

import pytest

from bench.measure import interleave, quantile
from bench.outcome import Goal, Outcome
from bench.table import figure, table


def outcome(ours: list[float], limit: list[float], goal: Goal) -> Outcome:
    return Outcome("P0", "work", "rows/s", goal, ours, "bare", limit, where="here")


def test_the_median_of_the_rounds_ratios_decides() -> None:
    met = outcome([60.0, 10.0, 80.0], [100.0, 100.0, 100.0], Goal(0.6))
    assert met.met
    assert "MISSED" not in table([met])
    assert "0.10×" in table([met])  # the worst round


def test_a_missed_number_is_printed_as_missed_with_where_the_time_goes() -> None:
    printed = table([outcome([59.0] * 3, [100.0] * 3, Goal(0.6))])
    assert "MISSED" in printed
    assert "    here" in printed


@pytest.mark.parametrize(("value", "met"), [(2.4, True), (2.5, True), (2.6, False)])
def test_a_goal_may_be_a_ceiling(value: float, met: bool) -> None:
    assert outcome([value], [1.0], Goal(2.5, at_least=False)).met is met


def test_a_row_without_a_limit_is_judged_by_its_own_number_in_its_unit() -> None:
    alone = Outcome("P9", "memory", "MB", Goal(250, at_least=False), [240.0, 260.0, 245.0])
    assert alone.met
    assert "≤ 250 MB" in table([alone])
    assert "260 MB" in table([alone])


def test_a_goal_may_be_about_ours_alone_beside_a_limit() -> None:
    printed = table([outcome([1.5, 1.8], [3.0, 6.0], Goal(2, at_least=False, alone=True))])
    assert "0.40×" in printed  # of the two ratios
    assert "1.80 rows/s  ≤ 2 rows/s  met" in printed


async def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []

    async def side(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    series = await interleave(lambda text: None, "s", 2, {"a": lambda: side("a"), "b": lambda: side("b")})
    assert turns == ["a", "b", "a", "b", "a", "b"]
    assert series == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_quantiles_and_figures() -> None:
    assert quantile([5, 1, 2, 3, 4], 0.5) == 3
    assert quantile(list(range(100)), 0.99) == 99
    assert [figure(n) for n in (0.123, 12.34, 123.4, 12345.6)] == ["0.12", "12.3", "123", "12,346"]
