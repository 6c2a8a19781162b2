"""What clocks that run already are planned to be, alone and merged, held and going on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.calculation import Hold
from appeal_tracker.clocks.replanning import Facts, Plan, replan
from appeal_tracker.clocks.states import ClockState, TimerState
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.ladder import Moment, Step
from appeal_tracker.policies.loader import packaged_packs, packaged_policies
from appeal_tracker.policies.pack import parse_pack
from appeal_tracker.policies.policy import Policy, muted

FLOOR = packaged_policies()["t-sdpea"]
FIRST, SECOND = UUID(int=1), UUID(int=2)


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"2026-{local}+08:00")


def facts(start: str, milestone: str = "answer", policy: Policy = FLOOR, **its: Any) -> Facts:
    """A complaint's clock; with the calendar as published, unless said otherwise."""
    limit = next(limit for limit in policy.limits("complaint") if limit.milestone == milestone)
    return Facts(at(start), limit, policy, its.pop("calendar", cn_statutory()), **its)


def alone(clock: Facts) -> Plan:
    return replan({FIRST: clock})[FIRST]


def states(plan: Plan) -> dict[str, str]:
    return {timer.point.step: timer.state for timer in plan.timers}


def held(since: str, until: str) -> tuple[Hold, ...]:
    return (Hold(at(since), at(until)),)


def free_on(days: Sequence[str]) -> Calendar:
    its = [CalendarDay(datetime.fromisoformat(day).date(), False, "停工") for day in days]
    return cn_statutory().overlay("x", 1, its)


def test_from_friday_17_00_to_monday_09_00_no_working_day_is_held():
    without = alone(facts("11-06T10:00"))  # a Friday
    assert alone(facts("11-06T10:00", holds=held("11-06T17:00", "11-09T09:00"))).due_at == without.due_at
    later = alone(facts("11-06T10:00", holds=held("11-06T17:00", "11-10T00:00")))  # the whole of Monday
    assert (without.due_at, later.due_at) == (at("11-18T00:00"), at("11-19T00:00"))


def test_held_hours_are_hours():
    assert alone(facts("11-06T10:00", "contact", holds=held("11-06T17:00", "11-09T09:00"))).due_at == at("11-10T02:00")


def test_what_stands_still_keeps_its_deadline_and_fires_nothing():
    running, still = (alone(facts("11-06T10:00", held_since=since)) for since in (None, at("11-09T10:00")))
    assert (still.due_at, still.state) == (running.due_at, ClockState.HELD)
    assert {*states(running).values()} == {TimerState.PENDING}
    assert {*states(still).values()} == {TimerState.HELD}
    assert states(still).keys() == states(running).keys()


def test_a_hold_that_began_past_the_deadline_holds_nothing():
    due = alone(facts("11-06T10:00")).due_at
    assert alone(facts("11-06T10:00", held_since=due)).state == ClockState.HELD
    assert alone(facts("11-06T10:00", held_since=at("11-18T00:00:00.000001"))).state == ClockState.RUNNING


def test_the_calendar_changes_while_held():
    changed = free_on(["2026-11-11"])
    still = alone(facts("11-06T10:00", calendar=changed, held_since=at("11-09T10:00")))
    assert (still.due_at, still.state, still.calendar) == (at("11-19T00:00"), ClockState.HELD, changed.label)
    resumed = alone(facts("11-06T10:00", calendar=changed, holds=held("11-09T10:00", "11-12T10:00")))
    assert resumed.due_at == at("11-20T00:00")  # of the three held days the 11th was none that counts


def test_merged_clocks_keep_the_earliest_promise():
    plans = replan({FIRST: facts("11-06T10:00"), SECOND: facts("11-04T10:00", follows=True)})
    assert {plan.due_at for plan in plans.values()} == {at("11-14T00:00")}
    assert (plans[FIRST].promised_by, plans[SECOND].promised_by) == (SECOND, None)


# Beside the floor: an answer in three working days, with a ladder that shares "0.75", "due" and "+1wd" with its own.
QUICK = resolve(
    parse_pack(
        {
            "id": "quick",
            "version": 1,
            "extends": "t-sdpea",
            "appeals": {
                "complaint": [
                    {
                        "milestone": "answer",
                        "within": "3 working days",
                        "clause": "1",
                        "ladder": [
                            {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
                            {"at": "-4h", "tell": ["owner"]},
                            {"at": "due", "tell": ["owner"]},
                            {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
                            {"at": "+2wd", "tell": ["parent_unit_supervisors"]},
                        ],
                    }
                ]
            },
        }
    ),
    packaged_packs(),
)


def moments(plan: Plan) -> Mapping[str, datetime]:
    return {timer.point.step: timer.point.fire_at for timer in plan.timers}


@pytest.mark.parametrize("leader_is_quick", [True, False])
def test_the_leader_climbs_its_own_ladder_and_those_of_the_others(leader_is_quick: bool):
    """Along the way of the promise that is kept, whoever gave it; what both name is one step, and tells all."""
    quick, slow = (SECOND, FIRST) if not leader_is_quick else (FIRST, SECOND)
    start = {quick: facts("11-06T10:00", policy=QUICK), slow: facts("11-06T11:00")}
    group = {FIRST: start[FIRST], SECOND: msgspec.structs.replace(start[SECOND], follows=True)}
    plans = replan(group)
    leading = plans[FIRST]
    assert {plan.due_at for plan in plans.values()} == {at("11-12T00:00")}
    assert moments(leading) == {
        "0.5": at("11-10T12:00"),  # of the floor's, as the next but one
        "0.75": at("11-11T06:00"),
        "-1wd": at("11-11T00:00"),
        "-4h": at("11-11T20:00"),
        "due": at("11-12T00:00"),
        "+1wd": at("11-13T00:00"),
        "+2wd": at("11-14T00:00"),
    }
    tell = {timer.point.step: {*timer.point.tell} for timer in leading.timers}
    assert tell["due"] == {"owner", "unit_supervisors"}
    assert tell["-4h"] == {"owner"}
    assert {*states(leading).values()} == {TimerState.PENDING}
    assert states(plans[SECOND]).keys() == {step.moment.text for step in group[SECOND].limit.ladder}, "its own"


def test_a_step_of_the_same_name_at_other_moments_comes_at_the_earlier():
    """The quiet hours of one pack put it off, those of the other do not."""
    loud = msgspec.structs.replace(FLOOR, id="loud", quiet=None)
    contact = {FIRST: facts("11-09T23:00", "contact", policy=loud), SECOND: facts("11-09T23:30", "contact")}
    group = {FIRST: contact[FIRST], SECOND: msgspec.structs.replace(contact[SECOND], follows=True)}
    assert moments(replan({FIRST: contact[FIRST]})[FIRST])["0.75"] == at("11-10T17:00")
    assert moments(replan(group)[FIRST]) == {
        "0.5": at("11-10T11:00"),
        "0.75": at("11-10T17:00"),
        "due": at("11-10T23:00"),
        "+2h": at("11-11T01:00"),
    }
    late = {step: Step(Moment.parse(step), ("owner",)) for step in ("-1h", "due")}
    ladder = (late["-1h"], late["due"])
    group = {
        clock: msgspec.structs.replace(each, limit=msgspec.structs.replace(each.limit, ladder=ladder))
        for clock, each in group.items()
    }
    assert moments(replan({FIRST: group[FIRST]})[FIRST])["-1h"] == at("11-10T22:00")
    assert moments(replan(group)[FIRST])["-1h"] == at("11-10T20:30")


@pytest.mark.parametrize("withdrawn", [FIRST, SECOND])
def test_a_withdrawn_pack_takes_its_own_steps_away_and_no_others(withdrawn: UUID):
    """Be it the leader's or the promiser's, or both; the deadline stays where it was promised."""
    policies = {FIRST: FLOOR, SECOND: QUICK}
    policies[withdrawn] = muted(policies[withdrawn])
    plans = replan(
        {clock: facts("11-06T10:00", policy=policy, follows=clock is SECOND) for clock, policy in policies.items()}
    )
    assert {plan.due_at for plan in plans.values()} == {at("11-12T00:00")}
    left = {FIRST: {"0.75", "-4h", "due", "+1wd", "+2wd"}, SECOND: {"0.5", "0.75", "-1wd", "due", "+1wd"}}
    assert states(plans[FIRST]).keys() == left[withdrawn]
    assert all(timer.point.tell for timer in plans[FIRST].timers)


def test_what_follows_records_its_breach_and_tells_nobody():
    plans = replan({FIRST: facts("11-04T10:00"), SECOND: facts("11-06T10:00", follows=True)})
    pending = {step for step, state in states(plans[SECOND]).items() if state == TimerState.PENDING}
    assert pending == {"due"}
    assert [timer.point.tell for timer in plans[SECOND].timers if timer.point.step == "due"] == [()]
    told = [timer.point.tell for timer in plans[FIRST].timers]
    assert all(told)
    assert {*states(plans[FIRST]).values()} == {TimerState.PENDING}


def test_a_withdrawn_pack_records_the_breach_and_plans_nothing_else():
    plan = alone(facts("11-06T10:00", policy=muted(FLOOR)))
    assert [(timer.point.step, timer.point.tell) for timer in plan.timers] == [("due", ())]


def test_a_group_that_stands_still_keeps_its_promise():
    since = at("11-09T10:00")
    group = {
        FIRST: facts("11-06T10:00", held_since=since),
        SECOND: facts("11-04T10:00", follows=True, held_since=since),
    }
    plans = replan(group)
    assert {plan.due_at for plan in plans.values()} == {at("11-14T00:00")}
    assert {plan.state for plan in plans.values()} == {ClockState.HELD}


def test_what_stands_still_alone_binds_nobody():
    plans = replan({FIRST: facts("11-06T10:00"), SECOND: facts("11-04T10:00", held_since=at("11-09T10:00"))})
    assert (plans[FIRST].due_at, plans[FIRST].promised_by) == (at("11-18T00:00"), None)
    assert (plans[SECOND].due_at, plans[SECOND].state) == (at("11-14T00:00"), ClockState.HELD)


def test_a_hold_that_began_past_the_promise_of_another_holds_nothing():
    group = {FIRST: facts("11-06T10:00"), SECOND: facts("11-04T10:00", follows=True)}
    promise = at("11-14T00:00")  # of the second
    for since, state in ((promise, ClockState.HELD), (at("11-14T00:00:00.000001"), ClockState.RUNNING)):
        plans = replan({clock: msgspec.structs.replace(its, held_since=since) for clock, its in group.items()})
        assert {(plan.due_at, plan.state) for plan in plans.values()} == {(promise, state)}
    # Whoever joined when the others stood still already stands still with them.
    late = msgspec.structs.replace(group[FIRST], held_since=at("11-15T10:00"))
    plans = replan({FIRST: late, SECOND: msgspec.structs.replace(group[SECOND], held_since=at("11-09T10:00"))})
    assert {plan.state for plan in plans.values()} == {ClockState.HELD}
