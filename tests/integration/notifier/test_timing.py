"""When a message goes: not in quiet hours, not when it is no longer true, and in the morning all at once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import Event
from contracts.visits import VisitArchived, VisitCancelled
from notifier.deliveries.quiet import SPREAD, spread
from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office

NIGHT = START.replace(hour=22)
MORNING = START.replace(day=10, hour=8)
RELEASED = MORNING + spread("H1", "mailbox")
OVER = MORNING + timedelta(seconds=SPREAD)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.clause("7.2.5")
async def test_what_is_due_in_quiet_hours_is_deferred_and_released_at_8(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), appeal.warned())
    (delivery,) = await office.deliveries()
    assert (delivery["state"], delivery["why"], delivery["sent_at"]) == ("deferred", "quiet_hours", None)
    assert instant(delivery["not_before"]) == RELEASED

    office.clock.set(RELEASED - timedelta(seconds=1))
    await office.stack.settle()
    assert await office.told() == {("H1", "deferred")}
    assert await office.mailbox() == []

    office.clock.set(RELEASED)
    await office.stack.settle()
    (delivery,) = await office.deliveries()
    assert (delivery["state"], delivery["why"], delivery["attempts"]) == ("sent", "quiet_hours", 1)
    assert instant(delivery["sent_at"]) == RELEASED
    (sent,) = await office.said("notification.sent.v1")
    assert (sent["delivery_id"], sent["send_id"]) == (delivery["id"], delivery["send_id"])
    assert instant(sent["at"]) == RELEASED
    (letter,) = await office.mailbox()
    assert letter["send_id"] == delivery["send_id"]


async def test_what_waited_for_one_person_leaves_as_one_message(office: Office):
    office.clock.set(NIGHT)
    appeals = [Appeal(START, number=f"V{number}") for number in range(3)]
    await office.hear(*(event for appeal in appeals for event in (appeal.opened(), appeal.warned())))
    await office.hear(appeals[0].breached("unit_supervisors"))
    office.clock.set(OVER)
    await office.stack.settle()
    letters = {letter["recipient"]: letter for letter in await office.mailbox()}
    assert len(letters) == len(await office.mailbox()) == 2
    assert "【3 条提醒】" in letters["H1"]["subject"]
    assert all(f"投诉 V{number}" in letters["H1"]["body"] for number in range(3))
    sends = {(delivery["recipient"], delivery["send_id"]) for delivery in await office.deliveries()}
    assert sends == {(recipient, letter["send_id"]) for recipient, letter in letters.items()}
    assert len(await office.said("notification.sent.v1")) == 4


def visit_cancelled(appeal: Appeal) -> Event:
    return VisitCancelled(visit_id=appeal.visit_id, unit_code=appeal.unit, at=NIGHT)


def visit_archived(appeal: Appeal) -> Event:
    return VisitArchived(visit_id=appeal.visit_id, unit_code=appeal.unit, at=NIGHT)


OBSOLETE: list[tuple[Any, dict[str, Any], str]] = [
    (lambda appeal: appeal.contacted(late=True), {}, "milestone_done"),
    (lambda appeal: appeal.contacted("refused", late=True), {}, "milestone_done"),
    (Appeal.answered, {}, "milestone_done"),
    (Appeal.answered, {"milestone": "answer"}, "milestone_done"),
    (Appeal.met, {}, "milestone_done"),
    (Appeal.closed, {}, "subject_ended:resolved"),
    (lambda appeal: appeal.closed("withdrawn"), {"milestone": "answer"}, "subject_ended:withdrawn"),
    (Appeal.reopened, {}, "later_round"),
    (Appeal.cancelled, {}, "deadline_cancelled"),
    (visit_cancelled, {"subject_kind": "visit", "milestone": "arrival"}, "subject_ended:cancelled"),
    (visit_archived, {"subject_kind": "visit", "milestone": "archive"}, "subject_ended:archived"),
]


async def test_what_came_true_over_night_is_not_sent(office: Office):
    """Bug class: sent though obsolete."""
    office.clock.set(NIGHT)
    expected = {}
    for event, warning, why in OBSOLETE:
        appeal = Appeal(START)
        subject = appeal.visit_id if warning.get("subject_kind") == "visit" else appeal.id
        await office.publish(appeal.opened(), appeal.warned(**warning, subject_id=subject))
        await office.stack.settle()
        await office.publish(event(appeal))
        expected[str(subject)] = ("cancelled", why, 0)
    await office.stack.settle()
    assert {delivery["state"] for delivery in await office.deliveries()} == {"deferred"}
    office.clock.set(OVER)
    await office.stack.settle()
    deliveries = [each for each in await office.deliveries() if each["step"]]
    assert {d["subject_id"]: (d["state"], d["why"], d["attempts"]) for d in deliveries} == expected
    assert all("重新办理" in letter["subject"] for letter in await office.mailbox())


async def test_what_does_not_stop_the_clock_does_not_stop_the_message(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    # The tracker knew of the first contact, which was not by anyone whose contact counts, and told all the same.
    await office.hear(appeal.opened(), appeal.contacted(late=True), appeal.breached())
    # A contact in time without a deadline met does not count; an attempt that reached nobody; another's answer.
    await office.hear(appeal.contacted(), appeal.contacted("no_answer", late=True), Appeal(START).answered())
    office.clock.set(OVER)
    await office.stack.settle()
    assert await office.told() == {("H1", "sent")}


async def test_a_breach_goes_out_though_its_appeal_was_held_since(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), appeal.breached())
    await office.hear(appeal.held("contact"))
    office.clock.set(OVER)
    await office.stack.settle()
    assert await office.told() == {("H1", "sent")}


async def test_a_reopened_appeal_is_told_of_again(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), appeal.closed(), appeal.reopened(2), appeal.warned(round=2))
    told = {(each["event_type"], each["recipient"], each["state"]) for each in await office.deliveries()}
    assert told == {("deadline.warned", "H1", "sent"), ("appeal.reopened", "S1", "sent")}


async def test_a_late_step_says_that_it_is_late(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), appeal.breached(late=True))
    (letter,) = await office.mailbox()
    assert "补发" in letter["body"]
    (delivery,) = await office.deliveries()
    assert delivery["late"] is True


async def test_a_step_of_what_was_past_when_it_was_heard_of_says_that(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), appeal.breached(late=True, late_arrival=True))
    (letter,) = await office.mailbox()
    assert "得知时期限已过" in letter["body"]
    assert "停运" not in letter["body"]
    (delivery,) = await office.deliveries()
    assert (delivery["late"], delivery["late_arrival"]) == (True, True)
