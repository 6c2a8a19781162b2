"""The state machine of an appeal, whole: every act in every state."""

from itertools import product

import pytest

from appeal_tracker.appeals.closing import missing
from appeal_tracker.appeals.lifecycle import Act, Refused, Rule, Standing, State, after, facts, takes
from appeal_tracker.policies.loader import packaged_policies

FORWARD = [State.OPEN, State.CONTACTED, State.ANSWERED, State.CALLED_BACK]
PROGRESS = [*FORWARD, State.CLOSED]
STANDINGS = [
    *(Standing(state, held, merged) for state, held, merged in product(FORWARD, (False, True), (False, True))),
    Standing(State.CLOSED),
]
ENDING = (Act.CLOSE, Act.WITHDRAW, Act.VOID)
LEADS_ON = {
    (State.OPEN, Act.CONTACT): State.CONTACTED,
    (State.OPEN, Act.ANSWER): State.ANSWERED,
    (State.CONTACTED, Act.ANSWER): State.ANSWERED,
    (State.ANSWERED, Act.CALL_BACK): State.CALLED_BACK,
    **dict.fromkeys(product(FORWARD, ENDING), State.CLOSED),
}
REOPENING = {Act.REOPEN: State.OPEN, Act.GO_ON: State.CONTACTED}
ABOUT_THE_ONE = {Act.ACCEPT, Act.DISPATCH, Act.TRANSFER, Act.RETURN, Act.URGE, Act.SUPERVISE, Act.JUDGE, Act.CORRECT}
ABOUT_THE_LEADER = {*Act} - {*ABOUT_THE_ONE, Act.UNMERGE, *REOPENING}


def refusal(standing: Standing, act: Act, *, by_leader: bool) -> Rule | None:
    """Why it is refused, said as a person would."""
    closed = standing.progress is State.CLOSED
    if closed != (act in REOPENING):
        return Rule.CLOSED if closed else Rule.NOT_CLOSED
    if standing.merged and act in ABOUT_THE_LEADER and not by_leader:
        return Rule.MERGED
    if act in (Act.HOLD, Act.MERGE, Act.RECLASSIFY) and standing.held:
        return Rule.HELD
    if act is Act.RESUME and not standing.held:
        return Rule.NOT_HELD
    if act is Act.UNMERGE and not standing.merged:
        return Rule.NOT_MERGED
    if act in (Act.ASK_BACK, Act.TRY_BACK, Act.CALL_BACK, Act.JUDGE) and standing.progress in (
        State.OPEN,
        State.CONTACTED,
    ):
        return Rule.UNANSWERED
    return None


def expected(standing: Standing, act: Act, *, by_leader: bool) -> Standing:
    """Where it leads, said as a person would."""
    if act in REOPENING:
        return Standing(REOPENING[act])
    progress = LEADS_ON.get((standing.progress, act), standing.progress)
    held = act is Act.HOLD or (standing.held and act is not Act.RESUME)
    if act in (Act.ANSWER, Act.CALL_BACK, *ENDING) and progress is not standing.progress and not by_leader:
        held = False
    merged = act is Act.MERGE or (standing.merged and act is not Act.UNMERGE)
    return Standing(progress, held, merged)


@pytest.mark.parametrize("act", Act)
def test_each_act_leads_on_stays_or_is_refused_by_a_named_rule(act: Act) -> None:
    for standing, by_leader in product(STANDINGS, (False, True)):
        cell = (standing, by_leader)
        rule = refusal(standing, act, by_leader=by_leader)
        assert takes(standing, act, by_leader=by_leader) is (rule is None), cell
        if rule is None:
            assert after(standing, act, by_leader=by_leader) == expected(standing, act, by_leader=by_leader), cell
            continue
        with pytest.raises(Refused) as refused:
            after(standing, act, by_leader=by_leader)
        assert refused.value.rule is rule, cell


@pytest.mark.parametrize("act", Act)
def test_no_act_but_reopening_leads_back(act: Act) -> None:
    for standing in STANDINGS[:-1]:
        if takes(standing, act):
            assert PROGRESS.index(after(standing, act).progress) >= PROGRESS.index(standing.progress), standing


@pytest.mark.parametrize("state", FORWARD)
def test_a_held_appeal_shows_that_and_goes_back_to_where_it_was(state: State) -> None:
    held = after(Standing(state), Act.HOLD)
    assert (held.state, after(held, Act.RESUME)) == (State.HELD, Standing(state))


def test_a_held_appeal_is_contacted_and_stays_held_until_it_is_answered() -> None:
    held = after(after(Standing(State.OPEN), Act.HOLD), Act.CONTACT)
    assert (held.state, held.progress) == (State.HELD, State.CONTACTED)
    assert after(held, Act.ANSWER) == Standing(State.ANSWERED)


@pytest.mark.parametrize(
    ("before", "now", "came_true"),
    [
        (State.OPEN, State.CONTACTED, ["contacted"]),
        (State.OPEN, State.ANSWERED, ["contacted", "answered"]),
        (State.CONTACTED, State.ANSWERED, ["answered"]),
        (State.ANSWERED, State.ANSWERED, []),
        (State.ANSWERED, State.CALLED_BACK, []),
        (State.OPEN, State.OPEN, []),
        (State.OPEN, State.CLOSED, []),
        (State.CLOSED, State.OPEN, []),
        (State.CLOSED, State.CONTACTED, []),
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
