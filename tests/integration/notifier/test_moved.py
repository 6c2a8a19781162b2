"""A warning that waits while its clock is moved or held: it is never lost, and names the due of when it is sent."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from chassis.ids import new_id
from contracts.envelope import Event
from contracts.policies import PolicyWithdrawn
from notifier.civil import wall_text
from notifier.deliveries.quiet import SPREAD, spread
from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office

NIGHT = START.replace(hour=22, minute=30)
MORNING = START.replace(day=10, hour=8)
Course = Sequence[Callable[[Appeal], Event]]


async def morning(office: Office) -> None:
    office.clock.set(MORNING + timedelta(seconds=SPREAD))
    await office.stack.settle()


async def spoken(office: Office, *events: Event) -> None:
    """Half an hour lies before each of `events`."""
    for event in events:
        office.clock.advance(timedelta(minutes=30))
        await office.hear(event)


async def sent_once(office: Office, due_at: datetime) -> None:
    assert await office.told() == {("H1", "sent")}
    (letter,) = await office.mailbox()
    assert f"须在 {wall_text(due_at)} 前" in letter["body"]


COURSES: dict[str, Course] = {
    "held": [lambda appeal: appeal.held("answer", "contact"), Appeal.resumed],
    "and back": [lambda appeal: appeal.recalculated(days=1), lambda appeal: appeal.recalculated(days=-1)],
    "later": [lambda appeal: appeal.recalculated(days=1)],
    "earlier": [lambda appeal: appeal.recalculated(hours=-3)],
    "held and later": [
        lambda appeal: appeal.held("contact"),
        lambda appeal: appeal.recalculated("resume", hours=5),
        Appeal.resumed,
    ],
    "another milestone": [lambda appeal: appeal.held("answer")],
    "another appeal": [lambda _: Appeal(START).held("contact"), lambda _: Appeal(START).recalculated(hours=1)],
}


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
async def test_warnings_are_sent_in_the_morning_with_the_due_of_then_in_whichever_order_all_is_heard(
    office: Office, backwards: bool
):
    """Each is said at its own time; dead letters are heard after what was said later."""
    said: list[tuple[datetime, Event]] = []
    appeals = [Appeal(START, number=name) for name in COURSES]
    for appeal, course in zip(appeals, COURSES.values(), strict=True):
        said += [(NIGHT, appeal.opened()), (NIGHT, appeal.warned())]
        said += [(NIGHT + timedelta(minutes=30 * place), event(appeal)) for place, event in enumerate(course, 1)]
    for at, event in reversed(said) if backwards else said:
        office.clock.set(at)
        await office.publish(event)
    await morning(office)
    (letter,) = await office.mailbox()
    for appeal in appeals:
        assert f"投诉 {appeal.number}（第 1 轮）须在 {wall_text(appeal.due_at)} 前" in letter["body"]
    assert await office.told() == {("H1", "sent")}


async def test_a_warning_of_the_due_that_a_move_made_is_sent_though_it_was_said_before_that(
    office: Office, appeal: Appeal
):
    office.clock.set(NIGHT)
    recalculated, early = appeal.recalculated(days=1), appeal.warned()
    await office.publish(early)
    office.clock.advance(timedelta(seconds=1))
    await office.hear(recalculated)
    await morning(office)
    await sent_once(office, appeal.due_at)


async def test_a_warning_of_a_clock_that_stands_still_waits_until_it_goes_on(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), appeal.warned())
    await spoken(office, appeal.held("contact"))
    await morning(office)
    (delivery,) = await office.deliveries()
    assert (delivery["state"], delivery["why"]) == ("deferred", "held")
    assert datetime.fromisoformat(delivery["not_before"]) == MORNING + timedelta(days=1) + spread("H1", "mailbox"), (
        "it is looked at again"
    )
    office.clock.advance(timedelta(hours=1))
    await office.hear(appeal.recalculated("resume", hours=10))
    assert await office.told() == {("H1", "deferred")}
    await office.hear(appeal.resumed())
    await sent_once(office, appeal.due_at)


async def test_a_breach_names_the_due_that_was_not_met(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    due_at = appeal.due_at
    await office.hear(appeal.opened(), appeal.breached())
    await spoken(office, appeal.recalculated(days=1))
    await morning(office)
    assert await office.told() == {("H1", "sent")}
    (letter,) = await office.mailbox()
    assert f"应在 {wall_text(due_at)} 前" in letter["body"]


async def test_a_clock_that_runs_again_after_it_was_cancelled_warns_of_its_own_due(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    before = appeal.due_at
    await office.hear(appeal.opened(), appeal.recalculated(days=1))
    await spoken(office, appeal.cancelled())
    appeal.due_at = before
    await spoken(office, appeal.warned())
    await morning(office)
    await sent_once(office, before)


@pytest.mark.parametrize("says", ["warned", "breached", "escalated"])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
async def test_what_waits_of_a_ladder_is_dropped_where_all_packs_are_withdrawn_that_tell_it(
    office: Office, appeal: Appeal, backwards: bool, says: str
):
    """Not where another one tells it too, nor where nobody said which do."""
    office.clock.set(NIGHT)
    others = [Appeal(START, number=f"V{number}") for number in range(2)]
    said = [
        *(each.opened() for each in (appeal, *others)),
        getattr(appeal, says)(packs=["own"]),
        getattr(others[0], says)(packs=["t-sdpea", "own"]),
        getattr(others[1], says)(),
        PolicyWithdrawn(withdrawal_id=new_id(), policy="own", unit_code="41", at=NIGHT, by="E009"),
    ]
    for event in reversed(said) if backwards else said:
        await office.hear(event)
    await morning(office)
    found = {row["appeal_id"]: (row["state"], row["why"]) for row in await office.deliveries()}
    assert found.pop(str(appeal.id)) == ("cancelled", "pack_withdrawn")
    assert {state for state, _ in found.values()} == {"sent"}
    assert len(found) == 2
