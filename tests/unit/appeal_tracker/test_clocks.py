"""How clocks are planned, judged and escalated, without a database."""

from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.calculation import due, points
from appeal_tracker.clocks.planning import Planner, Subject, no_clock_reason
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.verdict import Verdict, verdict
from appeal_tracker.escalation.service import Fate, fate, told_once
from appeal_tracker.policies.ladder import Phase
from appeal_tracker.policies.loader import packaged_policies

DUE = datetime.fromisoformat("2026-10-10T09:30:00+08:00")
TICK = timedelta(microseconds=1)
CALENDARS = {"cn-statutory": cn_statutory()}
COMPLAINT = Subject("appeal", UUID(int=1), 1, "complaint")


class Standing(NamedTuple):
    state: str
    due_at: datetime = DUE
    stopped_at: datetime | None = None


def test_what_runs_is_met_up_to_its_deadline_and_late_after_it() -> None:
    clock = Standing(ClockState.RUNNING)
    assert verdict(clock, DUE) is Verdict.MET
    assert verdict(clock, DUE + TICK) is Verdict.LATE


def test_what_stands_still_is_in_time() -> None:
    clock = Standing(ClockState.HELD)
    assert verdict(clock, DUE) is verdict(clock, DUE + TICK) is Verdict.MET


def test_a_recorded_breach_is_corrected_by_what_came_in_time_and_ended_by_what_came_later() -> None:
    breached, ended = Standing(ClockState.BREACHED), Standing(ClockState.BREACHED, stopped_at=DUE + TICK)
    assert verdict(breached, DUE) is verdict(ended, DUE) is Verdict.CORRECTED
    assert verdict(breached, DUE + TICK) is Verdict.ENDED
    assert verdict(ended, DUE + TICK) is None


@pytest.mark.parametrize("state", [ClockState.MET, ClockState.CANCELLED])
def test_what_is_settled_stays(state: str) -> None:
    assert verdict(Standing(state), DUE) is verdict(Standing(state), DUE + TICK) is None


FIRES = {
    (Phase.BEFORE, ClockState.RUNNING),
    (Phase.BEFORE, ClockState.BREACHED),
    (Phase.DUE, ClockState.RUNNING),
    (Phase.AFTER, ClockState.BREACHED),
}
WAITS = {(Phase.AFTER, ClockState.RUNNING), *((phase, ClockState.HELD) for phase in Phase)}


@pytest.mark.parametrize(("phase", "state"), list(product(Phase, ClockState)))
def test_a_due_timer_is_checked_once_more_against_its_clock(phase: Phase, state: ClockState) -> None:
    expected = Fate.FIRE if (phase, state) in FIRES else Fate.WAIT if (phase, state) in WAITS else Fate.CANCEL
    assert fate(phase, state, stopped=False) is expected
    assert fate(phase, state, stopped=True) is Fate.CANCEL


class Fired(NamedTuple):
    clock_id: UUID
    step: str
    tell: list[str]
    fire_at: datetime


def test_of_late_steps_the_highest_speaks_for_all() -> None:
    one, other = UUID(int=1), UUID(int=2)
    firing = [
        Fired(one, "0.5", ["owner"], DUE),
        Fired(other, "due", ["owner"], DUE),
        Fired(one, "0.75", ["unit_supervisors", "owner"], DUE + TICK),
        Fired(one, "due", ["parent_unit_supervisors"], DUE + 2 * TICK),
        Fired(one, "+2h", ["unit_supervisors"], DUE + 3 * TICK),
    ]
    told = told_once(firing, DUE + 3 * TICK)
    assert told == {
        (one, "0.5"): [],
        (one, "0.75"): [],
        (one, "due"): ["owner", "unit_supervisors", "parent_unit_supervisors"],
    }, "what is in time, or late alone, tells whom it names"
    assert told_once(firing, DUE) == {}


STARTS = st.integers(0, 20 * 86_400_000_000 - 1).map(lambda ticks: DUE + ticks * TICK)  # microseconds of twenty days


@given(st.lists(STARTS, max_size=8), st.sampled_from(sorted(packaged_policies())))
def test_a_planner_gives_each_start_what_it_would_get_alone(starts: list[datetime], name: str) -> None:
    policy, planner = packaged_policies()[name], Planner(CALENDARS)
    for start in starts:
        planned = planner.clocks_started(COMPLAINT, "received", start, policy)
        limits = policy.limits("complaint")
        assert [clock.milestone for clock in planned] == [limit.milestone for limit in limits]
        for clock, limit in zip(planned, limits, strict=True):
            deadline = due(start, limit.within, cn_statutory())
            assert (clock.due_at, clock.provisional) == (deadline.due_at, deadline.provisional)
            assert clock.timers == points(limit.ladder, start, limit.within, cn_statutory(), policy.quiet)


def test_only_what_a_fact_starts_is_started_by_it() -> None:
    planner, policy = Planner(CALENDARS), packaged_policies()["t-sdpea"]
    assert planner.clocks_started(COMPLAINT, "answered", DUE, policy) == []


@pytest.mark.clause("5.5")
def test_why_an_appeal_has_no_clock() -> None:
    policies = packaged_policies()
    assert no_clock_reason("complaint", policies["t-sdpea"]) is None
    assert no_clock_reason("report", policies["t-sdpea"]) == "as_prescribed"
    assert no_clock_reason("report", policies["state-grid"]) is None
    assert no_clock_reason("praise", policies["state-grid"]) == "unknown_type"
