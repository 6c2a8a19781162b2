"""Very much at once: each person is told once, of all of it."""

import time
from datetime import timedelta

import pytest

from contracts.deadlines import DeadlineBreached
from notifier.deliveries.pacing import Pace
from tests.conftest import START
from tests.integration.notifier.office import STATION, Appeal, Office

MANY = 10_000


async def test_what_breaks_at_once_is_told_in_one_message_that_counts(office: Office):
    office.planner.config.batch = 50
    await storm(office, 200)
    assert await office.told() == {("S1", "deferred")}
    assert {its["why"] for its in await office.deliveries()} == {"storm"}
    office.clock.advance(timedelta(minutes=2))
    await office.stack.settle()
    (letter,) = await office.mailbox()
    assert letter["subject"].startswith("【200 条提醒】")
    assert "另有 180 条" in letter["body"]


async def test_a_few_at_once_wait_for_nothing(office: Office):
    await storm(office, 30)
    assert await office.told() == {("S1", "sent")}


async def test_whoever_is_told_much_within_a_minute_is_told_the_rest_of_it_together(office: Office):
    office.sender.pace = Pace(3)
    for number in range(9):
        await office.hear(breached(number))
        office.clock.advance(timedelta(seconds=1))
    told = [(its["state"], its["why"]) for its in await office.deliveries()]
    assert sorted(told, key=str) == [("deferred", "many")] * 6 + [("sent", None)] * 3
    office.clock.advance(timedelta(seconds=60 - 9))
    await office.stack.settle()
    assert await office.told() == {("S1", "sent")}
    assert len(await office.mailbox()) == 4, "three, and one that says the rest"


async def test_nothing_waits_for_a_minute_that_ends_in_the_night(office: Office):
    office.sender.pace = Pace(1)
    office.clock.set(START.replace(hour=20, minute=59, second=30))
    await office.hear(breached(1))
    await office.hear(breached(2))
    assert {its["state"] for its in await office.deliveries()} == {"sent"}


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_ten_thousand_breaches_make_one_digest_for_whoever_is_on_duty(office: Office):
    began = time.monotonic()
    await storm(office, MANY)
    office.clock.advance(timedelta(minutes=2))
    await office.stack.settle()
    assert time.monotonic() - began < 300
    (letter,) = await office.mailbox()
    assert letter["recipient"] == "S1"
    assert letter["subject"].startswith(f"【{MANY} 条提醒】")
    assert len(letter["body"]) < 5000
    async with office.notifier.runtime.db.connection() as connection:
        told = await connection.fetch("SELECT state, count(*), count(DISTINCT send_id) FROM deliveries GROUP BY state")
    assert [tuple(row) for row in told] == [("sent", MANY, 1)]


async def storm(office: Office, count: int) -> None:
    for start in range(0, count, 500):
        breaches = [breached(number) for number in range(start, min(start + 500, count))]
        await office.publish(*breaches)
    for consumer in office.notifier.workers:
        await consumer.run_once()
    await office.stack.settle(rounds=2000)


def breached(number: int) -> DeadlineBreached:
    return Appeal(START, STATION, f"V{number}").breached("unit_supervisors")
