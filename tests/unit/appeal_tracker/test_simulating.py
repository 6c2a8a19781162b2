"""A round of the past, judged by other rules: what was done stays as it was, only the deadlines are others."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from appeal_tracker.calendars.editions import Edition
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.loader import cn_statutory, packaged_edition
from appeal_tracker.calendars.refusals import UnknownParent
from appeal_tracker.clocks.acceptance import Attempt
from appeal_tracker.clocks.models import RecordedHold
from appeal_tracker.clocks.stood import Stood
from appeal_tracker.policies.loader import packaged_packs, packaged_policies
from appeal_tracker.simulations.candidate import Candidate, build_calendars, build_policy
from appeal_tracker.simulations.judging import Judgement, Ran, Round, Rules, Run, Verdict, judge
from appeal_tracker.simulations.past import rounds
from appeal_tracker.simulations.repository import Record

KEPT, BREACHED, UNDECIDED, NONE = Verdict
POLICIES = packaged_policies()
FLOOR, STATE_GRID = POLICIES["t-sdpea"], POLICIES["state-grid"]  # an answer in 7 and in 5 working days
RECEIVED = "10-09T09:30"  # a Friday; 7 working days end on 10-19, 5 on 10-15


def civil(text: str | None) -> Any:
    return datetime.fromisoformat(f"2026-{text}+08:00") if text else None


CASE, OTHER, HOLD = UUID(int=1), UUID(int=2), UUID(int=3)


def run(milestone: str = "answer", since: str = RECEIVED, **more: Any) -> Run:
    more = {"appeal_type": "complaint", "policy": FLOOR, "calendar": cn_statutory(), **more}
    return Run(CASE, 1, milestone, started_at=civil(since), **more)


def ran(
    milestone: str = "answer", state: str = "met", stopped: str | None = None, due: str = "10-20T00:00", **more: Any
) -> Ran:
    return Ran(run(milestone, **more), civil(due), state, civil(stopped))


def stood(since: str, until: str | None, **more: Any) -> Stood:
    return Stood(HOLD, civil(since), civil(until), lasted=until is None, **more)


def happened(*clocks: Ran, ended: str | None = None, appeal_type: str = "complaint", **done: Any) -> Round:
    done = {"attempts": (), "answers": (), "callbacks": (), **done}
    return Round(CASE, 1, appeal_type, civil(RECEIVED), civil(ended), clocks, **done)


def judged(
    its: Round, policy: Any = STATE_GRID, as_of: str = "11-09T00:00", calendar: Any = None, **more: Any
) -> dict[str, Judgement]:
    rules = Rules(Candidate(policy, calendar), {"cn-statutory": cn_statutory()}, cn_statutory(), **more)
    return {each.milestone: each for each in judge(its, rules, civil(as_of))}


@pytest.mark.parametrize(
    ("answered", "did", "would"),
    [
        ("10-15T23:59", KEPT, KEPT),
        ("10-16T00:00", KEPT, KEPT),  # 24:00 of the 15th is in time
        ("10-16T00:00:00.000001", KEPT, BREACHED),
        ("10-19T17:00", KEPT, BREACHED),
        ("10-21T09:00", BREACHED, BREACHED),
    ],
)
def test_what_was_kept_by_seven_days_is_judged_by_five(answered: str, did: Verdict, would: Verdict) -> None:
    state = "met" if did is KEPT else "breached"
    answer = judged(happened(ran(state=state, stopped=answered)))["answer"]
    assert (answer.did, answer.would) == (did, would)
    assert (answer.due_at, answer.would_be_due_at) == (civil("10-20T00:00"), civil("10-16T00:00"))
    assert answer.newly_breached is (did is KEPT and would is BREACHED)
    assert not answer.newly_kept


def test_what_was_breached_by_five_days_would_have_been_kept_by_seven() -> None:
    answer = judged(happened(ran(state="breached", stopped="10-19T17:00")), FLOOR)["answer"]
    assert (answer.did, answer.would, answer.newly_kept) == (BREACHED, KEPT, True)


def test_a_type_without_a_number_is_judged_by_what_was_done_though_it_had_no_clock() -> None:
    reports = {at: judged(happened(answers=[civil(at)], appeal_type="report")) for at in ("10-22T10:00", "10-24T00:01")}
    assert [(each["answer"].did, each["answer"].would) for each in reports.values()] == [(NONE, KEPT), (NONE, BREACHED)]
    assert reports["10-24T00:01"]["answer"].newly_breached
    gone = judged(happened(ran(state="breached", appeal_type="report", policy=STATE_GRID)), FLOOR)["answer"]
    assert (gone.did, gone.would, gone.newly_kept, gone.would_be_due_at) == (BREACHED, NONE, True, None)


def test_what_was_never_done_is_breached_once_it_is_due_and_undecided_before() -> None:
    running = happened(ran(state="running"))
    assert judged(running, as_of="10-15T23:59")["answer"].would is UNDECIDED
    assert judged(running, as_of="10-16T00:00")["answer"].would is BREACHED
    assert judged(running, as_of="10-16T00:00")["answer"].newly_breached
    closed = happened(ran(state="cancelled"), ended="10-12T09:00")
    assert (judged(closed)["answer"].did, judged(closed)["answer"].would) == (UNDECIDED, UNDECIDED)


def test_holds_are_left_out_and_an_open_one_stands_still() -> None:
    held = [stood("10-12T08:00", "10-14T18:00")]
    answer = judged(happened(ran(stopped="10-16T17:00", stood=held)))["answer"]
    assert (answer.would_be_due_at, answer.would) == (civil("10-17T00:00"), KEPT)
    standing = [stood("10-12T08:00", None)]
    assert judged(happened(ran(state="held", stood=standing)))["answer"].would is UNDECIDED
    assert judged(happened(ran(state="running")))["answer"].would is BREACHED


def test_what_stood_still_when_it_was_done_is_in_time_if_it_was_when_it_began_to() -> None:
    still = msgspec.structs.replace(stood("10-15T17:00", "10-16T10:00"), lasted=True)
    answer = judged(happened(ran(stopped="10-16T10:00", stood=[still])))["answer"]
    assert (answer.would_be_due_at, answer.would) == (civil("10-16T00:00"), KEPT), "it stood still until it was done"
    gone_on = [stood("10-15T17:00", "10-16T10:00")]
    assert judged(happened(ran(stopped="10-16T10:00", stood=gone_on)))["answer"].would is BREACHED, "it ran again"
    too_late = msgspec.structs.replace(stood("10-16T09:00", "10-16T10:00"), lasted=True)
    assert judged(happened(ran(stopped="10-16T10:00", stood=[too_late])))["answer"].would is BREACHED


def test_what_is_tried_in_vain_while_a_contact_stands_still_is_in_time() -> None:
    limit = {"milestone": "contact", "within": "24 hours", "clause": "own 1", "holdable": True}
    policy = build_policy({"id": "own", "extends": "t-sdpea", "appeals": {"report": [limit]}}, packaged_packs())
    tried = [Attempt(civil(at), "no_answer") for at in ("10-10T14:00", "10-10T17:00", "10-10T20:00")]
    found = {}
    for since in ("10-09T12:00", "10-10T12:00"):
        clock = ran("contact", "held", stood=[stood(since, None)], appeal_type="report", policy=policy)
        found[since] = judged(happened(clock, attempts=tried, appeal_type="report"), policy)["contact"]
    in_time, late = found.values()
    assert (in_time.would, in_time.stopped_at) == (KEPT, civil("10-10T20:00"))
    assert (late.would, late.stopped_at) == (BREACHED, None)


def test_what_stood_still_when_it_was_cancelled_was_put_off_no_more_and_was_not_past() -> None:
    cancelled = Stood(HOLD, civil("10-12T08:00"), civil("10-28T18:00"), counted=False, lasted=True)
    answer = judged(happened(ran(state="cancelled", stood=[cancelled]), ended="10-28T18:00"), FLOOR)["answer"]
    assert (answer.would_be_due_at, answer.did, answer.would) == (civil("10-20T00:00"), UNDECIDED, UNDECIDED)


def test_what_had_no_clock_would_have_waited_as_its_appeal_did() -> None:
    held = RecordedHold(
        id=HOLD, subject_id=CASE, round=1, milestones=["answer"], since=civil("10-12T08:00"), until=civil("10-14T18:00")
    )
    answer = judged(happened(answers=[civil("10-16T17:00")], holds=[held]))["answer"]
    assert (answer.did, answer.would_be_due_at, answer.would) == (NONE, civil("10-17T00:00"), KEPT)
    held.until, held.since = None, civil("10-15T17:00")
    answer = judged(happened(answers=[civil("10-16T17:00")], holds=[held]))["answer"]
    assert (answer.would_be_due_at, answer.would) == (civil("10-16T00:00"), KEPT), "it stood still by then"


def test_the_promise_of_a_merged_appeal_is_counted_by_what_that_ran_by() -> None:
    """Its policy, its calendar, its holds: what is not named stays what it was, of each of them."""
    theirs = run(since="10-08T10:00", policy=STATE_GRID)
    clock = msgspec.structs.replace(ran(stopped="10-15T09:00", due="10-16T00:00"), promised=theirs)
    assert judged(happened(clock), None, calendar=cn_statutory())["answer"].would_be_due_at == civil("10-15T00:00")
    assert judged(happened(clock), FLOOR)["answer"].would_be_due_at == civil("10-17T00:00"), "a policy stands for both"
    waited = msgspec.structs.replace(theirs, stood=[stood("10-12T08:00", "10-14T18:00")])
    clock = msgspec.structs.replace(clock, promised=waited)
    assert judged(happened(clock), None, calendar=cn_statutory())["answer"].would_be_due_at == civil("10-16T00:00")


def test_a_promise_that_has_moved_since_is_known_by_its_date_alone() -> None:
    """Whoever made it was not stopped when this clock was."""
    appeal, theirs = Row(id=CASE, type="complaint", round=1, received_at=civil(RECEIVED)), UUID(int=4)
    its = {"subject_kind": "appeal", "round": 1, "milestone": "answer", "appeal_type": "complaint"}
    its |= {"calendar": "cn-statutory@1", "stopped_at": None, "state": "running"}
    clock = Row(id=OTHER, subject_id=CASE, due_at=civil("10-15T00:00"), policy="t-sdpea@1", promised_by=theirs, **its)
    promiser = Row(id=theirs, subject_id=OTHER, policy="state-grid@1", promised_by=None, **its)
    clock.started_at = promiser.started_at = civil(RECEIVED)
    by = {each.label: each for each in (FLOOR, STATE_GRID)}, {"cn-statutory@1": cn_statutory()}
    found = {}
    for due in ("10-15T00:00", "10-16T00:00"):
        promiser.due_at = civil(due)
        record = Record([clock], [promiser], [], [], [], [], [])  # type: ignore[list-item]
        ((its_round,),) = rounds([appeal], record, *by).values()
        found[due] = judged(its_round, None)["answer"].would_be_due_at
    assert found == {"10-15T00:00": civil("10-16T00:00"), "10-16T00:00": civil("10-15T00:00")}


def test_each_clock_is_counted_by_what_it_ran_by_unless_that_is_named() -> None:
    off = CalendarDay(date(2026, 10, 12), False, "台风", "通知")
    local = cn_statutory().overlay("qingdao", 1, (off,))
    clocks = [ran(), ran("other", policy=policy_with("other"), calendar=local)]
    dues = {name: each.would_be_due_at for name, each in judged(happened(*clocks), None).items()}
    assert dues == {"answer": civil("10-20T00:00"), "other": civil("10-21T00:00")}


def policy_with(milestone: str) -> Any:
    limit = {"milestone": milestone, "within": "7 working days", "clause": "own 1"}
    return build_policy({"id": "own", "extends": "t-sdpea", "appeals": {"complaint": [limit]}}, packaged_packs())


def test_what_is_past_was_breached_though_nobody_has_recorded_it_yet() -> None:
    answer = judged(happened(ran(state="running")), None, as_of="10-20T00:00")["answer"]
    assert (answer.did, answer.would) == (BREACHED, BREACHED)


def test_what_another_policy_gave_up_is_done_with_unless_a_policy_is_named() -> None:
    clock = msgspec.structs.replace(ran(state="cancelled"), cancelled_at=civil("10-13T00:00"))
    late = happened(clock, answers=[civil("10-27T10:00")])
    assert judged(late, None, calendar=cn_statutory())["answer"].would is UNDECIDED
    assert judged(late, FLOOR)["answer"].would is BREACHED


def test_a_stricter_contact_rule_looks_at_the_attempts_again() -> None:
    refused = happened(ran("contact", stopped="10-09T11:00"), attempts=[Attempt(civil("10-09T11:00"), "refused")])
    assert judged(refused)["contact"].would is KEPT
    own = {"id": "own", "extends": "t-sdpea", "contact": {"accepts": ["reached"], "attempts": 3, "hours_apart": 2}}
    policy = build_policy(own, packaged_packs())
    contact = judged(refused, policy)["contact"]
    assert (contact.did, contact.would, contact.stopped_at) == (KEPT, BREACHED, None)


def test_an_answer_is_a_contact_and_starts_what_runs_from_it() -> None:
    own = {
        "id": "own",
        "extends": "t-sdpea",
        "appeals": {"complaint": [{"milestone": "callback", "within": "2 working days", "clause": "own 1"}]},
    }
    policy = build_policy(own, packaged_packs())
    its = happened(answers=[civil("10-09T20:00")], callbacks=[Attempt(civil("10-12T23:00"), "completed")])
    found = judged(its, policy)
    assert found["contact"].stopped_at == civil("10-09T20:00")
    assert (found["callback"].would_be_due_at, found["callback"].would) == (civil("10-13T00:00"), KEPT)
    assert "callback" not in judged(happened(), policy), "nothing started it"


@pytest.mark.clause("7.2.5.1")
def test_calls_in_vain_are_a_callback_once_they_are_as_many_and_as_far_apart_as_the_policy_says() -> None:
    limit = {"milestone": "callback", "within": "2 working days", "clause": "own 1"}
    own = {"id": "own", "extends": "t-sdpea", "appeals": {"complaint": [limit]}}
    policy = build_policy(own, packaged_packs())
    more = build_policy({**own, "callback_tries": {"attempts": 4, "hours_apart": 2}}, packaged_packs())

    def verdict(by: Any, *calls: str, **given: Any) -> Verdict:
        calls_made = [Attempt(civil(at), "unreachable") for at in calls]
        its = happened(*given.get("clocks", ()), answers=[civil("10-09T20:00")], callbacks=calls_made)
        return judged(its, by)["callback"].would

    often = ("10-10T09:00", "10-10T11:00", "10-10T13:00")
    assert verdict(policy, "10-10T09:00") is BREACHED, "one attempt is none"
    assert verdict(policy, *often) is KEPT
    assert verdict(policy, "10-10T09:00", "10-10T10:00", "10-10T13:00") is BREACHED
    stopped = ran("callback", stopped=often[-1], due="10-13T00:00", since="10-09T20:00", policy=policy)
    assert verdict(policy, *often, clocks=[stopped]) is KEPT
    assert verdict(more, *often, clocks=[stopped]) is BREACHED


def test_a_later_round_is_judged_by_the_deadlines_that_it_had() -> None:
    again = ran(stopped="10-20T10:00", due="10-22T00:00", since="10-12T09:00")
    second = Round(CASE, 2, "complaint", civil(RECEIVED), None, [again], (), [civil("10-20T10:00")], (), (), 2)
    assert [(each.milestone, each.would) for each in judged(second).values()] == [("answer", BREACHED)]
    assert judged(second)["answer"].would_be_due_at == civil("10-20T00:00")
    assert judged(msgspec.structs.replace(second, clocks=())) == {}


def test_a_calendar_is_laid_under_those_that_lie_over_it() -> None:
    statutory = packaged_edition()
    stop_work = CalendarDay(date(2026, 10, 12), False, "台风", "通知")
    editions = {"cn-statutory": statutory, "qingdao": Edition("qingdao", 3, (stop_work,), "cn-statutory")}
    notice = {"year": 2026, "papers": ["x"], "days": [{"name": "a", "date": "2026-10-13", "isOffDay": True}]}
    notice["days"] += [
        {"name": day.name, "date": day.date.isoformat(), "isOffDay": not day.working}
        for day in statutory.days
        if day.date.year == 2026
    ]
    calendar, over = build_calendars("cn-statutory", notice, editions)
    candidate, newest = Candidate(None, calendar, over), {"cn-statutory": cn_statutory()}
    assert not calendar.is_working(date(2026, 10, 13))
    assert calendar.is_working(date(2026, 10, 12))
    own, _ = build_calendars("qingdao", None, editions)
    assert own.label == "qingdao@3+cn-statutory@1"
    laid = candidate.calendar_for(own, newest)
    assert (laid.is_working(date(2026, 10, 12)), laid.is_working(date(2026, 10, 13))) == (False, False)
    assert candidate.calendar_for(cn_statutory(), newest) is calendar
    assert Candidate(FLOOR).calendar_for(own, newest) is own, "a policy counts on the calendar that counted"
    with pytest.raises(UnknownParent):
        build_calendars("qingdao", None, {"qingdao": editions["qingdao"]})


class Row:
    """A row of the record."""

    def __init__(self, **values: Any) -> None:
        self.__dict__ |= values


def test_rounds_between_which_an_appeal_was_only_reclassified_are_one() -> None:
    appeal = Row(id=1, type="report", round=4, received_at=civil(RECEIVED))
    recorded = [
        Row(appeal_id=1, kind=kind, at=civil(at), data={"old_appeal_type": old})
        for kind, at, old in (
            ("reclassified", "10-09T12:00", "consultation"),
            ("closed", "10-12T12:00", None),
            ("reclassified", "10-13T12:00", "complaint"),
        )
    ]
    contacts = [
        Row(appeal_id=1, round=number, at=civil(f"10-1{number}T09:00"), result="reached") for number in (1, 2, 4)
    ]
    record = Record([], [], contacts, [], [], [], recorded)  # type: ignore[arg-type]
    its = rounds([appeal], record, {}, {})[1]  # type: ignore[index]
    assert [(each.counts_from, each.number, len(each.attempts)) for each in its] == [(1, 2, 2), (3, 4, 1)]
    assert [each.ended_at for each in its] == [civil("10-12T12:00"), None]
    assert [each.appeal_type for each in its] == ["complaint", "report"], "what it was when the first of them ended"


def test_a_clock_is_judged_as_what_the_appeal_was_then() -> None:
    clock = ran(state="breached")
    assert judged(happened(clock, appeal_type="report"), FLOOR)["answer"].would is BREACHED


def test_what_was_held_while_it_was_of_another_type_counts_where_it_could_wait() -> None:
    limit = {"milestone": "answer", "within": "7 working days", "clause": "1"}
    due = []
    for holdable in (False, True):
        own = {"id": "own", "extends": "t-sdpea", "appeals": {"opinion": [{**limit, "holdable": holdable}]}}
        policy = build_policy(own, packaged_packs())
        its = {"subject_id": CASE, "milestones": ["answer"], "appeal_type": "report"}
        held = RecordedHold(id=HOLD, round=1, since=civil("10-12T00:00"), until=civil("10-14T00:00"), **its)
        clock = Row(
            id=OTHER,
            subject_kind="appeal",
            subject_id=CASE,
            round=2,
            milestone="answer",
            appeal_type="opinion",
            started_at=civil(RECEIVED),
            due_at=civil("10-20T00:00"),
            policy="own@1",
            calendar="cn-statutory@1",
            state="running",
            stopped_at=None,
            promised_by=None,
        )
        appeal = Row(id=CASE, type="opinion", round=2, received_at=civil(RECEIVED))
        recorded = [
            Row(appeal_id=CASE, kind=kind, at=held.since, recorded_at=held.since, data=data)
            for kind, data in (
                ("held", {"hold_id": str(HOLD)}),
                ("resumed", {"hold_id": str(HOLD)}),
                ("reclassified", {"old_appeal_type": "report"}),
            )
        ]
        record = Record([clock], [], [], [], [], [held], recorded)  # type: ignore[list-item, arg-type]
        by = {"own@1": policy}, {"cn-statutory@1": cn_statutory()}
        ((its_round,),) = rounds([appeal], record, *by).values()
        due.append(judged(its_round, None)["answer"].would_be_due_at)
    assert due == [civil("10-20T00:00"), civil("10-22T00:00")]


def test_nobody_would_have_been_contacted_who_gave_no_name() -> None:
    assert judged(happened(), FLOOR, anonymous=True).keys() == {"answer"}
