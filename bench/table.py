"""Prints outcomes as one table, and under it what was noted and where the time of a missed number goes."""

from collections.abc import Sequence
from statistics import median

from bench.outcome import Outcome

COLUMNS = ("row", "work", "ours", "limit", "ratio", "worst", "goal", "")
RIGHT = ("ours", "limit", "ratio", "worst", "goal")


def table(outcomes: Sequence[Outcome]) -> str:
    """The table as text, the same on a terminal and in a file."""
    lines = [COLUMNS, *(_cells(outcome) for outcome in outcomes)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    printed = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    printed.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join([*printed, *(part for outcome in outcomes for part in _below(outcome))])


def figure(value: float) -> str:
    """A number with three figures that say something."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _cells(outcome: Outcome) -> tuple[str, ...]:
    compared, unit = outcome.compared, f" {outcome.unit}"
    ratio = f"{figure(median(outcome.ratios))}×" if outcome.limit else "-"
    suffix = "×" if outcome.limit and not outcome.goal.alone else unit
    return (
        outcome.row,
        outcome.work,
        figure(median(outcome.ours)) + unit,
        f"{figure(median(outcome.limit))}{unit} {outcome.limit_name}" if outcome.limit else "-",
        ratio,
        figure(outcome.goal.worst(compared)) + suffix,
        f"{'≥' if outcome.goal.at_least else '≤'} {outcome.goal.at:g}{suffix}",
        "met" if outcome.met else "MISSED",
    )


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if name in RIGHT else cell.ljust(width)
        for cell, width, name in zip(line, widths, COLUMNS, strict=True)
    ]


def _below(outcome: Outcome) -> list[str]:
    lines = [f"{outcome.row} {outcome.work}: {note}" for note in outcome.notes]
    if not outcome.met and outcome.where:
        lines.append(f"{outcome.row} {outcome.work}: missed; where the time goes:")
        lines += [f"    {line}" for line in outcome.where.splitlines()]
    return ["", *lines] if lines else []
