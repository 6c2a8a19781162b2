"""From what is known of a visit to the clocks that run on it, without a database."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.visits.course import Standing, facts, gone_at, is_open, stops
from appeal_tracker.visits.hearing import HEARD, news
from appeal_tracker.visits.models import Visit
from contracts import EVENTS
from contracts.envelope import Event, Message
from contracts.visits import (
    VisitAppointed,
    VisitArrived,
    VisitCompleted,
    VisitPlanned,
    VisitReplanned,
    VisitStarted,
    VisitUnappointed,
)

NINE = datetime.fromisoformat("2026-10-09T09:00:00+08:00")
VISIT, OTHER = UUID(int=1), UUID(int=2)


def at(hour: float) -> datetime:
    return NINE + timedelta(hours=hour - 9)


def visit(**known: datetime) -> Visit:
    return Visit(id=VISIT, unit_code="37401", updated_at=NINE, **known)


def test_an_appointment_runs_from_the_beginning_of_its_window() -> None:
    assert facts(visit(window_from=at(9), appointed_at=at(8)), Standing()) == {"appointed": at(9)}
    assert facts(visit(), Standing()) == {}


def test_an_archive_runs_from_the_end_of_the_visit_and_of_its_last_appeal() -> None:
    over = visit(completed_at=at(10))
    assert facts(over, Standing()) == {"completed": at(10), "appeals_closed": at(10)}
    assert facts(over, Standing(open=True, closed_at=at(11))) == {"completed": at(10)}
    assert facts(over, Standing(closed_at=at(9)))["appeals_closed"] == at(10)
    assert facts(over, Standing(closed_at=at(12)))["appeals_closed"] == at(12)
    assert "appeals_closed" not in facts(visit(), Standing(closed_at=at(12))), "it is not over"


def test_nothing_runs_on_a_visit_that_is_off_or_from_what_comes_after_its_archive() -> None:
    for gone in ("cancelled_at", "missed_at"):
        its = visit(window_from=at(9), completed_at=at(10), **{gone: at(8)})
        assert facts(its, Standing()) == {}
        assert gone_at(its) == at(8)
    archived = visit(completed_at=at(10), archived_at=at(11))
    assert facts(archived, Standing(closed_at=at(10.5)))["appeals_closed"] == at(10.5)
    assert facts(archived, Standing(closed_at=at(12))) == {"completed": at(10)}, "a reopened appeal is a supplement"


def test_whoever_has_begun_is_there() -> None:
    assert stops(visit())["appointed"] is None
    assert stops(visit(started_at=at(9.5)))["appointed"] == at(9.5)
    assert stops(visit(started_at=at(9.5), arrived_at=at(9.25)))["appointed"] == at(9.25)
    archived = stops(visit(archived_at=at(12)))
    assert archived["completed"] == archived["appeals_closed"] == at(12)


@pytest.mark.parametrize("state", ClockState)
def test_a_clock_waits_until_it_ends_or_what_it_waits_for_came_late(state: ClockState) -> None:
    runs = state in (ClockState.RUNNING, ClockState.HELD)
    assert is_open(Clock(state=state)) == (runs or state == ClockState.BREACHED)
    assert is_open(Clock(state=state, stopped_at=NINE)) == runs


def told(event: Event, time: datetime = NINE) -> Message:
    return Message(UUID(int=0), event.type, "/visit_api", event.subject, time, event, None)


def planned(event: type[VisitPlanned | VisitReplanned], *visitors: str) -> Message:
    its = {"visit_id": VISIT, "unit_code": "37401", "customer_id": OTHER, "channel": "on_site", "form": "ordinary"}
    return told(event(**its, direction="outbound", scheduled_at=NINE, visitors=[*visitors]))  # type: ignore[arg-type]


def test_what_is_told_of_one_visit_is_folded_and_the_later_word_counts() -> None:
    first = VisitAppointed(visit_id=VISIT, unit_code="37401", window_from=at(9), window_to=at(10))
    moved = VisitAppointed(visit_id=VISIT, unit_code="37401", window_from=at(14), window_to=at(15))
    other = VisitArrived(visit_id=OTHER, unit_code="37402", at=at(9))
    done = VisitCompleted(visit_id=VISIT, unit_code="37401", at=at(16))
    batch = [
        planned(VisitPlanned, "E101"),
        told(other),
        told(first, at(7)),
        planned(VisitReplanned, "E102", "E101"),
        told(moved, at(8)),
        told(VisitStarted(visit_id=VISIT, unit_code="37401", at=at(14))),
        told(done),
    ]
    its, others = news(batch)
    assert (its.visit_id, its.unit_code, its.visitors) == (VISIT, "37401", ["E102", "E101"])
    assert (its.window_from, its.window_to, its.appointed_at) == (at(14), at(15), at(8))
    assert (its.started_at, its.completed_at, its.arrived_at, its.archived_at) == (at(14), at(16), None, None)
    assert (others.visit_id, others.arrived_at, others.visitors) == (OTHER, at(9), None)


def test_of_a_window_given_up_and_agreed_anew_the_last_word_counts() -> None:
    agreed = VisitAppointed(visit_id=VISIT, unit_code="37401", window_from=at(14), window_to=at(15))
    off = VisitUnappointed(visit_id=VISIT, unit_code="37401", at=at(8.5))
    (its,) = news([told(agreed, at(8)), told(off, at(9))])
    assert (its.window_from, its.window_to, its.appointed_at, its.unappointed) == (None, None, at(8.5), True)
    (its,) = news([told(off, at(9)), told(agreed, at(10))])
    assert (its.window_from, its.window_to, its.appointed_at, its.unappointed) == (at(14), at(15), at(10), True)


def test_all_that_is_told_of_visits_is_heard() -> None:
    assert {event for event in EVENTS if event.type.startswith("visit.")} == {*HEARD}
