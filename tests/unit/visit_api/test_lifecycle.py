"""The life of a visit, as data."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from visit_api.visits import drawing
from visit_api.visits.kit import KIT
from visit_api.visits.lifecycle import (
    LIFE,
    PREPARATION,
    Act,
    Course,
    Form,
    Unmet,
    VisitState,
    keeps_from_starting,
    unprepared,
    wanting,
)

POSSIBLE = {
    ("replan", "planned"): None,
    ("prepare", "planned"): None,
    ("appoint", "planned"): None,
    ("hand_over", "planned"): None,
    ("hand_over", "in_progress"): None,
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
@pytest.mark.parametrize(("act", "state"), list(product(Act, VisitState)))
def test_what_is_possible_is_this_and_nothing_else(act: Act, state: VisitState) -> None:
    step = LIFE[act]
    assert (state in step.sources) is ((act, state) in POSSIBLE)
    if state in step.sources:
        assert step.target == POSSIBLE[act, state]


def test_every_state_is_reached_and_no_ended_one_is_left() -> None:
    assert {VisitState.PLANNED} | {step.target for step in LIFE.values() if step.target} == set(VisitState)
    assert {state for step in LIFE.values() if step.target for state in step.sources} == {
        VisitState.PLANNED,
        VisitState.IN_PROGRESS,
        VisitState.COMPLETED,
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


READY = Course(
    form=Form.DIRECTED,
    direction="outbound",
    channel="on_site",
    documents={"usage_analysis", "solution_proposal"},
    answered=[item.name for item in KIT["on_site"]],
    appointed=True,
)


@pytest.mark.clause("6.1.2", "6.1.3.1", "7.2.1")
@pytest.mark.parametrize(
    ("lacking", "missing"),
    [
        ({}, []),
        ({"documents": ()}, ["usage_analysis", "solution_proposal"]),
        ({"answered": [item.name for item in KIT["on_site"] if item.name != "recorder"]}, ["recorder"]),
        ({"answered": ()}, ["kit"]),
        ({"appointed": False}, ["appointment"]),
        ({"form": Form.SPECIAL}, ["plan_document"]),
    ],
)
def test_what_a_visit_cannot_start_without(lacking: dict[str, Any], missing: list[str]) -> None:
    course = READY._replace(**lacking)
    assert [unmet.what for unmet in keeps_from_starting(course)] == missing
    ordinary = course._replace(form=Form.ORDINARY)
    assert keeps_from_starting(ordinary) == []
    documents = {"usage_analysis", "solution_proposal", "plan_document"}
    assert [unmet.what for unmet in wanting(ordinary)] == [what for what in missing if what not in documents]


@pytest.mark.clause("6.2.1")
def test_a_customers_own_call_needs_neither_kit_nor_appointment() -> None:
    call = READY._replace(form=Form.ORDINARY, direction="inbound", channel="phone", answered=(), appointed=False)
    assert wanting(call) == []


@pytest.mark.parametrize(("channel", "clause"), [("on_site", "6.1.3.1"), ("phone", "7.1"), ("online", "7.1")])
def test_each_thing_that_is_wanting_names_the_clause_that_asks_for_it(channel: str, clause: str) -> None:
    bare = READY._replace(channel=channel, answered=["handheld"], appointed=False)
    named = {unmet.what: unmet.clause for unmet in wanting(bare)}
    assert named.pop("appointment") == clause
    assert named == {item.name: item.clause for item in KIT[channel] if item.name != "handheld"}


@pytest.mark.clause("7.1")
def test_the_drawing_shows_every_act_and_every_state(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert drawing.main([str(page), "--check"]) == 1
    assert drawing.main([str(page)]) == drawing.main([str(page), "--check"]) == 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for act, state in POSSIBLE:
        target = POSSIBLE[act, state] or state
        assert f"    {state} --> {target}: {act} (§{LIFE[Act(act)].clause})" in lines
    assert sum("-->" in line for line in lines) == len(POSSIBLE) + 4, "and where it begins and ends"
