"""The life of a measure: open, done, verified; or back, with the reason. Pure."""

from enum import StrEnum


class State(StrEnum):
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


# What an act needs, and what it leads to.
ACTS: dict[Act, tuple[frozenset[State], State]] = {
    Act.CHANGED: (frozenset({State.OPEN}), State.OPEN),
    Act.DONE: (frozenset({State.OPEN}), State.DONE),
    Act.VERIFIED: (frozenset({State.DONE}), State.VERIFIED),
    Act.RETURNED: (frozenset({State.DONE, State.VERIFIED}), State.OPEN),
}


def after(act: Act, state: State) -> State | None:
    """The state that `act` leads to; None where it is not possible."""
    before, then = ACTS[act]
    return then if state in before else None
