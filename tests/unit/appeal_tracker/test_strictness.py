"""Stricter, never laxer: counted start by start, and shown to refuse."""

from datetime import date, datetime, timedelta
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appeal_tracker.calendars.calendar import Calendar, Kind
from appeal_tracker.calendars.civil import DAY, HOUR, day_number, instant_of, number_of, wall_text
from appeal_tracker.calendars.counting import Hold, due
from appeal_tracker.calendars.festivals import CalendarDay, statutory_days
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.policies.inheritance import APPEAL_TYPES, resolve
from appeal_tracker.policies.loader import packaged_packs, packaged_policies
from appeal_tracker.policies.pack import parse_pack
from appeal_tracker.policies.policy import Policy
from appeal_tracker.policies.strictness import Laxness, first_laxer_start, laxer

CALENDAR = cn_statutory()
ONLY_2026 = Calendar.from_days("cn-statutory", 1, [day for day in CALENDAR.days if day.date.year == 2026])
PACKS = packaged_packs()
FLOOR = packaged_policies()["t-sdpea"]


def against_the_floor(**fields: Any) -> list[Laxness]:
    return list(laxer(resolve(parse_pack({"id": "own", "extends": "t-sdpea", **fields}), PACKS), FLOOR, ONLY_2026))


def complaint(milestone: str, within: str) -> dict[str, Any]:
    return {"complaint": [{"milestone": milestone, "within": within, "clause": "own 1"}]}


def answer(**fields: Any) -> dict[str, Any]:
    return {"complaint": [{"milestone": "answer", **fields}]}


def first(own: str, parent: str, calendar: Calendar = ONLY_2026) -> str | None:
    shown = first_laxer_start(Period.parse(own), Period.parse(parent), calendar)
    if shown is None:
        return None
    start, own_due, parent_due = shown
    assert due(start, Period.parse(own), calendar).due_at == own_due > parent_due
    assert due(start, Period.parse(parent), calendar).due_at == parent_due
    return wall_text(start)


def days_of_2026() -> list[date]:
    return [date(2026, 1, 1) + timedelta(days=offset) for offset in range(365)]


@pytest.mark.parametrize("id", PACKS)
def test_every_packaged_pack_is_at_least_as_strict_as_the_floor(id: str):
    assert list(laxer(packaged_policies()[id], FLOOR, CALENDAR)) == []


def test_one_working_day_is_laxer_than_24_hours_from_the_first_instant_on():
    # Thursday 2026-01-01 00:00 + 24 hours is Thursday 24:00; the next working day is Sunday the 4th, made up.
    assert first("1 working day", "24 hours") == "2025-12-31 24:00"
    (refused,) = against_the_floor(appeals=complaint("contact", "1 working day"))
    assert refused.pointer == "/appeals/complaint/contact/within"
    assert refused.start is not None
    assert str(refused) == (
        "/appeals/complaint/contact/within: 1 working day is laxer than 24 hours: started 2025-12-31T16:00:00+00:00, "
        "it would be due 2026-01-04 24:00 instead of 2026-01-01 24:00"
    )


@pytest.mark.parametrize(
    ("own", "parent"),
    [
        ("24 hours", "1 working day"),
        ("24 hours", "24 hours"),
        ("23 hours", "24 hours"),
        ("168 hours", "7 working days"),
        ("5 calendar days", "7 working days"),
        ("7 calendar days", "7 working days"),
        ("5 working days", "7 working days"),
    ],
)
def test_what_is_stricter_on_every_start_stands(own: str, parent: str):
    assert first(own, parent) is None


@pytest.mark.parametrize(
    ("own", "parent", "start"),
    [
        ("8 working days", "7 working days", "2025-12-31 24:00"),
        ("25 hours", "24 hours", "2025-12-31 24:00"),
        # Wednesday 02-11: two days, the made-up Saturday, then the 24th and 25th; seven calendar days roll to the 24th.
        ("5 working days", "7 calendar days", "2026-02-10 24:00"),
        # Monday 02-23 is off, the six days after it work, so the seventh is 03-03, within nine times 24 hours of it.
        ("216 hours", "7 working days", "2026-02-23 23:59:59"),
    ],
)
def test_the_first_start_that_fails_is_named(own: str, parent: str, start: str):
    assert first(own, parent) == start


def test_the_calendar_decides():
    every_weekend_works = ONLY_2026.overlay(
        "x", 1, [CalendarDay(day, True, "加班") for day in days_of_2026() if ONLY_2026.reason(day).kind is Kind.WEEKEND]
    )
    assert first("8 calendar days", "7 working days", ONLY_2026) is None
    assert first("8 calendar days", "7 working days", every_weekend_works) is not None


def test_no_year_without_a_notice_is_judged():
    assert (
        first_laxer_start(Period.parse("2 hours"), Period.parse("1 hour"), Calendar.from_days("empty", 1, [])) is None
    )


NIGHTS_CUT_SHORT = [("12:00", "12:01"), ("21:01", "08:00"), ("21:00", "07:59"), ("08:00", "21:00"), ("07:59", "21:01")]


@pytest.mark.clause("7.2.5.2")
@pytest.mark.parametrize(("begins", "ends"), [("21:00", "08:00"), ("20:00", "09:00"), ("13:00", "12:00")])
def test_quiet_hours_may_be_longer(begins: str, ends: str):
    assert against_the_floor(quiet={"from": begins, "to": ends, "clause": "own 1"}) == []


def test_quiet_hours_that_are_left_out_are_laxer():
    (refused,) = laxer(msgspec.structs.replace(FLOOR, quiet=None), FLOOR, ONLY_2026)
    assert (refused.pointer, refused.fault) == ("/quiet", "no hours are quiet, its parent keeps 21:00–08:00")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"appeals": complaint("answer", "8 working days")}, "/appeals/complaint/answer/within"),
        *(({"quiet": {"from": f, "to": to, "clause": "own 1"}}, "/quiet") for f, to in NIGHTS_CUT_SHORT),
        ({"contact": {"accepts": ["no_answer"], "attempts": 3, "hours_apart": 2}}, "/contact/accepts"),
        ({"contact": {"accepts": ["reached"], "attempts": 2, "hours_apart": 2}}, "/contact/attempts"),
        ({"contact": {"accepts": ["reached"], "attempts": 3, "hours_apart": 1}}, "/contact/hours_apart"),
        ({"appeals": answer(holdable=True)}, "/appeals/complaint/answer/holdable"),
        ({"appeals": answer(starts="contacted")}, "/appeals/complaint/answer/starts"),
        ({"ladders": {"contact": [{"at": 0.5, "tell": ["owner"]}]}}, "/appeals/complaint/contact/ladder"),
        ({"callback_tries": {"attempts": 2, "hours_apart": 2}}, "/callback_tries/attempts"),
        ({"callback_tries": {"attempts": 3, "hours_apart": 1}}, "/callback_tries/hours_apart"),
        ({"repeat_days": 59}, "/repeat_days"),
    ],
)  # fmt: skip
def test_each_way_of_asking_less_is_refused(fields: dict[str, Any], pointer: str):
    assert {refused.pointer for refused in against_the_floor(**fields)} == {pointer}


CONTACT = {"milestone": "contact", "within": "24 hours", "clause": "own 1"}
ANSWER = {"milestone": "answer", "within": "9 working days", "clause": "own 2"}
SURVEY = {"milestone": "survey", "within": "20 working days", "clause": "own 3", "starts": "contacted"}


@pytest.mark.parametrize(
    ("mode", "parent", "limits", "fault"),
    [
        ("restart", "new_round", [CONTACT, ANSWER], "reopened report are not contacted again, as its parent asks"),
        ("continue", "new_round", [CONTACT, ANSWER], "reopened report are not contacted again, as its parent asks"),
        ("restart", "new_round", [ANSWER, SURVEY], None),
        ("continue", "new_round", [ANSWER, SURVEY], None),
        ("continue", "restart", [CONTACT, ANSWER, SURVEY], None),
        ("new_round", "restart", [CONTACT, ANSWER], None),
        ("new_round", "restart", [SURVEY], "reopened report run from another contact, its parent from the reopening"),
        *(
            (mode, "continue", [each], "reopened report have the whole period anew, its parent gives what was left")
            for mode in ("new_round", "restart")
            for each in (CONTACT, ANSWER, SURVEY)
        ),
    ],
)
def test_what_is_reopened_is_due_as_soon_as_by_the_parent(
    mode: str, parent: str, limits: list[dict[str, Any]], fault: str | None
):
    """And contacted again where the parent asks for it."""
    above = {"id": "above", "extends": "t-sdpea", "reopen": parent, "reopen_for": ["report"]}
    above = parse_pack(above | {"appeals": {"report": limits}})
    own = parse_pack({"id": "own", "extends": "above", "reopen": mode, "reopen_for": ["report"]})
    packs = {**PACKS, "above": above}
    found = list(laxer(resolve(own, packs), resolve(above, packs), ONLY_2026))
    assert [(each.pointer, each.fault) for each in found] == ([("/reopen", fault)] if fault else [])
    assert resolve(own, packs).reopens("complaint") == "new_round", "nothing else was said of it"


def test_no_pack_may_leave_a_reopened_complaint_without_its_contact():
    (refused,) = against_the_floor(reopen="restart")
    assert (refused.pointer, refused.fault) == (
        "/reopen",
        "reopened complaint are not contacted again, as its parent asks",
    )


@given(
    st.integers(0, 400 * 24 * 60),
    st.integers(0, 30 * 24 * 60),
    st.integers(0, 60 * 24 * 60),
    st.sampled_from(["1 hour", "48 hours", "1 working day", "7 working days", "1 calendar day", "10 calendar days"]),
)
def test_what_was_left_of_a_period_never_ends_after_the_whole_of_it(ran: int, took: int, lay: int, within: str):
    """Which is why going on is stricter than beginning anew; in minutes."""
    start = datetime.fromisoformat("2024-06-01T00:00:00+08:00") + timedelta(minutes=ran)
    stopped = start + timedelta(minutes=took)
    reopened = stopped + timedelta(minutes=lay)
    period = Period.parse(within)
    left = due(start, period, CALENDAR, [Hold(stopped, reopened)]).due_at
    assert left <= due(reopened, period, CALENDAR).due_at


def test_what_only_a_middle_pack_requires_binds_those_above_it():
    parent = packaged_policies()["state-grid"]
    child = {"id": "own", "extends": "state-grid", "callback": "optional", "callback_by": "not_the_handler"}
    refused = list(laxer(resolve(parse_pack(child), PACKS), parent, ONLY_2026))
    assert {each.pointer for each in refused} == {"/callback_for", "/callback_by"}
    assert "complaint, opinion, report" in str(refused[0])
    window = packaged_policies()["service-window"]
    target = {
        "id": "own",
        "extends": "service-window",
        "targets": [{"name": "callback_rate", "at_least": 0.8, "clause": "x"}],
    }
    assert [each.pointer for each in laxer(resolve(parse_pack(target), PACKS), window, ONLY_2026)] == [
        "/targets/callback_rate"
    ]


def test_a_ladder_may_grow_but_its_mandatory_steps_tell_whom_they_told():
    grown = [
        {"at": 0.25, "tell": ["owner"]},
        {"at": 0.75, "tell": ["owner", "unit_supervisors", "parent_unit_supervisors"]},
        {"at": "due", "tell": ["owner", "unit_supervisors"]},
        {"at": "+2h", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
        {"at": "every 4h, at most 3", "tell": ["parent_unit_supervisors"]},
    ]
    assert against_the_floor(ladders={"contact": grown}) == []
    grown[3]["tell"] = ["unit_supervisors"]
    (refused,) = against_the_floor(ladders={"contact": grown})
    assert refused.fault == "the mandatory step +2h no longer tells parent_unit_supervisors"


@pytest.mark.parametrize(
    ("moments", "lost"),
    [
        (["+1wd", "every 2wd, at most 2"], []),
        (["+1wd", "every 2wd, at most 3"], []),
        (["every 1wd, at most 4"], []),
        (["+1wd", "+2wd", "+4wd"], []),
        (["+1wd", "every 2wd, at most 1"], ["every 2wd, at most 2"]),
        (["+1wd", "every 3wd, at most 3"], ["every 2wd, at most 2"]),
    ],
)
def test_a_mandatory_step_that_repeats_may_repeat_more_often_and_never_less(moments: list[str], lost: list[str]):
    def policy(id: str, moments: list[str]) -> Policy:
        told = ["unit_supervisors", "parent_unit_supervisors"]
        steps = [{"at": moment, "tell": told, "mandatory": True} for moment in moments]
        return resolve(parse_pack({"id": id, "extends": "t-sdpea", "ladders": {"answer": steps}}), PACKS)

    parent = policy("parent", ["+1wd", "every 2wd, at most 2"])
    own = policy("own", moments)
    faults = {f"the mandatory step {each} no longer tells unit_supervisors, parent_unit_supervisors" for each in lost}
    assert {each.fault for each in laxer(own, parent, ONLY_2026)} == faults


def test_the_breach_is_always_a_mandatory_step():
    quieter = [
        {"at": "due", "tell": ["owner"]},
        {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
    ]
    steps = [*quieter, {"at": 0.75, "tell": ["owner", "unit_supervisors"]}]
    assert {each.fault for each in against_the_floor(ladders={"answer": steps})} == {
        "the mandatory step due no longer tells unit_supervisors"
    }


def test_holding_is_allowed_where_no_parent_times():
    assert against_the_floor(
        appeals={"report": [{"milestone": "answer", "within": "30 working days", "clause": "own", "holdable": True}]}
    ) == []  # fmt: skip


UNITS = {"24 hours": "1 working day", "10 calendar days": "10 working days", "1 working day": "264 hours"}


@pytest.mark.parametrize(("own", "parent"), UNITS.items())
def test_what_may_be_held_is_counted_in_the_unit_of_the_parent(own: str, parent: str):
    """Held hours are hours, held days whole days: a hold turns round what is the stricter without one."""

    def over(above: Policy, **terms: Any) -> list[Laxness]:
        packs = {**PACKS, "above": parse_pack({"id": "above", "extends": "t-sdpea", **limited(parent, **terms)})}
        pack = parse_pack({"id": "own", "extends": "above", **limited(own, **terms)})
        return list(laxer(resolve(pack, packs), above, ONLY_2026))

    def limited(within: str, **terms: Any) -> dict[str, Any]:
        return {"appeals": {"report": [{"milestone": "answer", "within": within, "clause": "own 1", **terms}]}}

    free = resolve(parse_pack({"id": "above", "extends": "t-sdpea", **limited(parent)}), PACKS)
    held = resolve(parse_pack({"id": "above", "extends": "t-sdpea", **limited(parent, holdable=True)}), PACKS)
    assert over(free) == []
    (refused,) = over(held, holdable=True)
    its = tuple(Period.parse(each).unit.value for each in (own, parent))
    assert refused.pointer == "/appeals/report/answer/holdable"
    assert refused.fault == "what is held is left out in {}, by its parent in {}".format(*its)


def test_a_hold_turns_round_what_is_the_stricter_without_one():
    start = datetime.fromisoformat("2026-03-19T23:50:00+08:00")
    held = [Hold(start + timedelta(minutes=11), datetime.fromisoformat("2026-03-22T23:59:00+08:00"))]
    assert first("24 hours", "1 working day", CALENDAR) is None
    ends = [wall_text(due(start, Period.parse(each), CALENDAR, held).due_at) for each in ("24 hours", "1 working day")]
    assert ends == ["2026-03-23 23:48", "2026-03-20 24:00"]


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ("5 working days", None),
        ("7 calendar days", "reopened report go on with what was left in another unit than by its parent"),
    ],
)
def test_what_goes_on_when_it_is_reopened_is_counted_in_the_unit_of_the_parent(own: str, fault: str | None):
    """For what lies between is left out as a hold is."""
    above = {"id": "above", "extends": "t-sdpea", "reopen": "continue", "reopen_for": ["report"]}
    packs = {**PACKS, "above": parse_pack({**above, "appeals": {"report": [ANSWER, SURVEY]}})}
    mine = parse_pack({"id": "own", "extends": "above", "appeals": {"report": [{**ANSWER, "within": own}]}})
    found = list(laxer(resolve(mine, packs), resolve(packs["above"], packs), ONLY_2026))
    assert [(each.pointer, each.fault) for each in found] == ([("/reopen", fault)] if fault else [])


@given(st.data(), st.sampled_from(Unit), st.integers(1, 12), st.integers(1, 12), st.integers(0, 60 * 24 * 60))
def test_what_is_shorter_in_the_same_unit_ends_no_later_whatever_is_held(
    data: st.DataObject, unit: Unit, count: int, more: int, begins: int
):
    start = datetime.fromisoformat("2026-01-20T00:00:00+08:00") + timedelta(minutes=begins)
    minutes = st.integers(0, 40 * 24 * 60).map(lambda number: start + timedelta(minutes=number))
    holds = [Hold(*sorted(each)) for each in data.draw(st.lists(st.tuples(minutes, minutes), max_size=3))]
    closes = DAY if unit is Unit.HOURS else data.draw(st.sampled_from([DAY, 17 * HOUR]))
    longer = Period(count + more, unit, DAY if unit is Unit.HOURS else data.draw(st.sampled_from([DAY, 17 * HOUR])))
    own = Period(count, unit, closes)
    if first_laxer_start(own, longer, ONLY_2026) is None:
        assert due(start, own, ONLY_2026, holds).due_at <= due(start, longer, ONLY_2026, holds).due_at


def test_a_missing_milestone_is_laxer():
    parent = resolve(parse_pack({"id": "own", "extends": "t-sdpea", "appeals": complaint("survey", "9 hours")}), PACKS)
    assert [each.pointer for each in laxer(FLOOR, parent, ONLY_2026)] == ["/appeals/complaint/survey"]


def test_the_years_end_where_calendars_do():
    last = Calendar.from_days("last", 1, statutory_days(2060))
    assert first("7 working days", "8 working days", last) is None
    assert first("8 working days", "7 working days", last) == "2059-12-31 24:00"


def test_a_pack_is_checked_on_twenty_years_well_within_a_second():
    restated = [
        {"milestone": milestone, "within": f"{days} working days", "clause": "own"}
        for days, milestone in enumerate(("answer", "contact"), start=3)
    ]
    strict = dict.fromkeys(APPEAL_TYPES, restated)
    own = resolve(parse_pack({"id": "own", "extends": "t-sdpea", "appeals": strict}), PACKS)
    first_laxer_start.cache_clear()
    began = process_time()
    found = list(laxer(own, FLOOR, CALENDAR))
    assert process_time() - began < 0.5
    assert {each.pointer for each in found} == {"/appeals/complaint/contact/within"}


PERIODS = st.builds(
    lambda count, unit, closes: Period(count, unit, DAY if unit is Unit.HOURS else closes),
    st.integers(1, 240) | st.integers(1, 12),
    st.sampled_from(Unit),
    st.sampled_from([DAY, 17 * HOUR, 9 * HOUR]),
)


@given(own=PERIODS, parent=PERIODS)
def test_it_agrees_with_whoever_tries_three_starts_a_day(own: Period, parent: Period):
    def later(start: datetime) -> bool:
        return due(start, own, ONLY_2026).due_at > due(start, parent, ONLY_2026).due_at

    starts = (instant_of(number_of(day) * DAY + offset) for day in days_of_2026() for offset in (0, DAY // 2, DAY - 1))
    shown = first_laxer_start(own, parent, ONLY_2026)
    found = next((start for start in starts if later(start)), None)
    if shown is None or found is None:
        assert (shown, found) == (None, None)
    else:
        # At noon of the day it may show already what its last instant shows.
        assert found <= shown[0]
        assert day_number(found) == day_number(shown[0])
