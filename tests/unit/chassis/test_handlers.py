"""How a batch is taken apart into runs of one handler."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.messaging.handlers import Handlers
from contracts.envelope import Message
from contracts.visits import VisitArrived, VisitCompleted, VisitMoment, VisitStarted

AT = datetime(2026, 10, 9, 2, tzinfo=UTC)
TYPES: tuple[type[VisitMoment], ...] = (VisitArrived, VisitStarted, VisitCompleted)


async def goes(tx: Any, messages: Sequence[Message]) -> None: ...


async def ends(tx: Any, messages: Sequence[Message]) -> None: ...


TABLE = Handlers({VisitArrived: goes, VisitStarted: goes, VisitCompleted: ends})


def message(number: int, visit: int, type: type[VisitMoment]) -> Message:
    event = type(visit_id=UUID(int=visit), unit_code="1", at=AT)
    return Message(UUID(int=number), event.type, "/here", event.subject, AT, event, None)


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(TYPES)), max_size=30))
def test_every_key_keeps_its_order_and_nothing_is_lost(told: list[tuple[int, type[VisitMoment]]]) -> None:
    messages = [message(number, *each) for number, each in enumerate(told)]
    runs = list(TABLE.runs(messages))
    applied = [each for _, run in runs for each in run]
    for visit in {each.event.key for each in messages}:
        assert [m for m in applied if m.event.key == visit] == [m for m in messages if m.event.key == visit]
    assert len(applied) == len(messages)
    for apply, run in runs:
        assert {TABLE[type(each.event)].apply for each in run} == {apply}


def test_what_alternates_between_keys_is_applied_together() -> None:
    types = [VisitArrived, VisitCompleted] * 50
    runs = list(TABLE.runs([message(number, number, each) for number, each in enumerate(types)]))
    assert [(apply, len(run)) for apply, run in runs] == [(goes, 50), (ends, 50)]


def test_types_that_share_a_handler_are_one_run_also_for_one_key() -> None:
    lives = [message(number, number % 10, TYPES[number // 10]) for number in range(30)]
    assert [(apply, len(run)) for apply, run in TABLE.runs(lives)] == [(goes, 20), (ends, 10)]
