"""The life of a visit, as data."""

from itertools import product

import pytest

from visit_api.visits.lifecycle import LIFE, PREPARATION, Act, Form, State, Unmet, unprepared

POSSIBLE = {
    ("replan", "planned"): None,
    ("prepare", "planned"): None,
    ("arrive", "planned"): None,
    ("arrive", "in_progress"): None,
    ("start", "planned"): "in_progress",
    ("complete", "in_progress"): "completed",
    ("cancel", "planned"): "cancelled",
    ("miss", "planned"): "missed",
    ("archive", "completed"): "archived",
    ("answer", "planned"): None,
    ("answer", "in_progress"): None,
    ("answer", "completed"): None,
    ("record", "in_progress"): None,
    ("record", "completed"): None,
}


@pytest.mark.clause("7.1")
@pytest.mark.parametrize(("act", "state"), list(product(Act, State)))
def test_what_is_possible_is_this_and_nothing_else(act: Act, state: State) -> None:
    step = LIFE[act]
    assert (state in step.sources) is ((act, state) in POSSIBLE)
    if state in step.sources:
        assert step.target == POSSIBLE[act, state]


def test_every_state_is_reached_and_no_ended_one_is_left() -> None:
    assert {State.PLANNED} | {step.target for step in LIFE.values() if step.target} == set(State)
    assert {state for step in LIFE.values() if step.target for state in step.sources} == {
        State.PLANNED,
        State.IN_PROGRESS,
        State.COMPLETED,
    }


@pytest.mark.clause("7.2.1")
@pytest.mark.parametrize(
    ("form", "prepared", "missing"),
    [
        ("ordinary", set(), []),
        ("directed", set(), ["usage_analysis", "solution_proposal"]),
        ("directed", {"usage_analysis", "plan_document"}, ["solution_proposal"]),
        ("directed", {"usage_analysis", "solution_proposal"}, []),
        ("special", {"usage_analysis", "solution_proposal"}, ["plan_document"]),
        ("special", {"plan_document"}, []),
    ],
)
def test_what_must_be_prepared(form: str, prepared: set[str], missing: list[str]) -> None:
    assert unprepared(Form(form), prepared) == [Unmet("7.2.1", what) for what in missing]
    assert PREPARATION.keys() == set(Form)
