"""The state machine of an appeal, whole: every act in every state."""

from itertools import product

import pytest

from appeal_tracker.appeals.closing import missing
from appeal_tracker.appeals.lifecycle import Act, Refused, Rule, State, after, facts
from appeal_tracker.policies.loader import packaged_policies

LEADS_ON = {
    (State.OPEN, Act.CONTACT): State.CONTACTED,
    (State.OPEN, Act.ANSWER): State.ANSWERED,
    (State.CONTACTED, Act.ANSWER): State.ANSWERED,
    (State.ANSWERED, Act.CALL_BACK): State.CALLED_BACK,
    **{(state, Act.CLOSE): State.CLOSED for state in State if state is not State.CLOSED},
}
ORDER = [State.OPEN, State.CONTACTED, State.ANSWERED, State.CALLED_BACK, State.CLOSED]


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)))
def test_each_act_leads_on_stays_or_is_refused_by_a_named_rule(state: State, act: Act) -> None:
    if state is State.CLOSED:
        expected: Rule | State = Rule.CLOSED
    elif act is Act.CALL_BACK and state not in (State.ANSWERED, State.CALLED_BACK):
        expected = Rule.UNANSWERED
    else:
        expected = LEADS_ON.get((state, act), state)
    try:
        found: Rule | State = after(state, act)
    except Refused as refused:
        found = refused.rule
    assert found == expected


@pytest.mark.parametrize(("state", "act"), list(product(ORDER[:-1], Act)))
def test_no_act_leads_back(state: State, act: Act) -> None:
    try:
        assert ORDER.index(after(state, act)) >= ORDER.index(state)
    except Refused:
        assert act is Act.CALL_BACK


@pytest.mark.parametrize(
    ("before", "now", "came_true"),
    [
        (State.OPEN, State.CONTACTED, ["contacted"]),
        (State.OPEN, State.ANSWERED, ["contacted", "answered"]),
        (State.CONTACTED, State.ANSWERED, ["answered"]),
        (State.ANSWERED, State.ANSWERED, []),
        (State.ANSWERED, State.CALLED_BACK, []),
        (State.OPEN, State.OPEN, []),
    ],
)
def test_a_fact_comes_true_once(before: State, now: State, came_true: list[str]) -> None:
    assert facts(before, now) == came_true


@pytest.mark.clause("002 6.4.5.4", "7.2.5.1")
@pytest.mark.parametrize(
    ("policy", "appeal_type", "state", "anonymous", "lacks"),
    [
        ("t-sdpea", "complaint", State.OPEN, False, [("answer", "7.2.3")]),
        ("t-sdpea", "report", State.CONTACTED, False, [("answer", "5.5")]),
        ("t-sdpea", "complaint", State.ANSWERED, False, []),
        ("state-grid", "complaint", State.OPEN, False, [("answer", "6.4.5.1"), ("callback", "6.4.5.4")]),
        ("state-grid", "opinion", State.ANSWERED, False, [("callback", "6.4.5.4")]),
        ("state-grid", "opinion", State.ANSWERED, True, []),
        ("state-grid", "suggestion", State.ANSWERED, False, []),
        ("state-grid", "complaint", State.CALLED_BACK, False, []),
    ],
)
def test_what_closing_lacks(
    policy: str, appeal_type: str, state: State, anonymous: bool, lacks: list[tuple[str, str]]
) -> None:
    found = missing(state, appeal_type, packaged_policies()[policy], anonymous=anonymous)
    assert [(lack.what, lack.clause) for lack in found] == lacks
