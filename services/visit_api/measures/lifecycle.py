"""The life of a measure: open, done, verified; or back, with the reason. Pure."""

from enum import StrEnum


class MeasureState(StrEnum):
    """How far a measure is."""

    OPEN = "open"
    DONE = "done"
    VERIFIED = "verified"


class Act(StrEnum):
    """What is put down of a measure."""

    RECORDED = "recorded"
    CHANGED = "changed"
    DONE = "done"
    VERIFIED = "verified"
    RETURNED = "returned"


CLAUSE = "9.1"
# What an act needs, and what it leads to.
ACTS: dict[Act, tuple[frozenset[MeasureState], MeasureState]] = {
    Act.CHANGED: (frozenset({MeasureState.OPEN}), MeasureState.OPEN),
    Act.DONE: (frozenset({MeasureState.OPEN}), MeasureState.DONE),
    Act.VERIFIED: (frozenset({MeasureState.DONE}), MeasureState.VERIFIED),
    Act.RETURNED: (frozenset({MeasureState.DONE, MeasureState.VERIFIED}), MeasureState.OPEN),
}


def after(act: Act, state: MeasureState) -> MeasureState | None:
    """The state that `act` leads to; None where it is not possible."""
    before, then = ACTS[act]
    return then if state in before else None
