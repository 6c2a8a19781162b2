"""Handing over: one message, one send, accepted once; what fails is tried again, and in the end said."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from notifier.channels.port import Letter, Receipt, Refused
from notifier.deliveries.loops import loops
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from tests.conftest import START
from tests.integration.notifier.gateway import Gateway, one, sender_of
from tests.integration.notifier.office import Appeal, Office


async def test_a_send_is_leased_before_the_channel_is_called(office: Office, appeal: Appeal):
    seen: list[dict[str, Any]] = []

    class Looking(Gateway):
        async def send(self, letter: Letter) -> Receipt:
            seen.append(await one(office))
            return await super().send(letter)

    sender_of(office, Looking())
    await office.hear(appeal.warned())
    (during,) = seen
    after = await one(office)
    assert (during["state"], during["attempts"], during["sent_at"]) == ("sending", 1, None)
    assert during["send_id"] == after["send_id"]
    assert (after["state"], after["attempts"]) == ("delivered", 1)


async def test_what_is_refused_for_the_moment_is_sent_later(office: Office, appeal: Appeal):
    gateway = Gateway(Refused("too many requests"), Refused("too many requests"))
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"], delivery["error"]) == ("delivered", 3, None)
    assert list(gateway.ledger.values()) == [1]


async def test_between_two_tries_there_is_a_pause_that_grows(office: Office, appeal: Appeal):
    sender = sender_of(office, Gateway(*[Refused("no") for _ in range(9)]))
    sender.config.back_off = BackOff(first=60.0, longest=200.0, most=10)
    await office.hear(appeal.warned())
    pauses = []
    for _ in range(4):
        async with office.notifier.runtime.db.connection() as connection:
            pauses.append(
                await connection.fetchval("SELECT extract(epoch FROM next_try_at - now())::float FROM deliveries")
            )
        await office.sql("UPDATE deliveries SET next_try_at = now()")
        await office.stack.settle()
    for pause, whole in zip(pauses, (60, 120, 200, 200), strict=True):
        assert whole / 2 - 5 < pause <= whole
    assert (await one(office))["state"] == "failed"


async def test_a_provider_that_says_when_to_come_back_is_obeyed(office: Office, appeal: Appeal):
    sender_of(office, Gateway(Refused("busy", retry_after=600)))
    await office.hear(appeal.warned())
    async with office.notifier.runtime.db.connection() as connection:
        assert (
            590
            < await connection.fetchval("SELECT extract(epoch FROM next_try_at - now())::float FROM deliveries")
            <= 600
        )


async def test_after_the_last_try_it_is_dead_and_a_person_may_retry_it(office: Office, appeal: Appeal):
    gateway = Gateway(*[Refused("closed") for _ in range(3)])
    sender_of(office, gateway)
    (event_id,) = await office.hear(appeal.warned())
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("dead", 3)
    assert (delivery["why"], delivery["error"]) == ("attempts_exhausted", "closed")
    (dead,) = await office.said("notification.dead.v1")
    assert (dead["event_id"], dead["recipient"], dead["reason"]) == (str(event_id), "H1", "attempts_exhausted")

    answer = await office.client("supervisor", sub="S1").post(f"deliveries/{delivery['id']}/retry")
    assert (answer.status_code, answer.json()["state"], answer.json()["why"]) == (200, "queued", "retried_by:S1")
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 4)
    assert list(gateway.ledger) == [UUID(delivery["send_id"])]


async def test_what_can_never_be_taken_is_dead_at_once(office: Office, appeal: Appeal):
    sender_of(office, Gateway(Refused("no such person", permanent=True)))
    await office.hear(appeal.warned())
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"], delivery["why"]) == ("dead", 1, "refused_by_provider")


async def test_a_retry_looks_at_truth_and_hour_like_any_other(office: Office, appeal: Appeal):
    sender_of(office, Gateway(Refused("no", permanent=True)))
    await office.hear(appeal.opened(), appeal.warned())
    await office.hear(appeal.answered())
    delivery = await one(office)
    await office.client("supervisor").post(f"deliveries/{delivery['id']}/retry")
    await office.stack.settle()
    assert ((await one(office))["state"], (await one(office))["why"]) == ("cancelled", "milestone_done")


async def test_a_channel_that_fails_in_an_unknown_way_stops_nobody(office: Office, appeal: Appeal):
    gateway = Gateway(ZeroDivisionError("a defect"))
    sender_of(office, gateway)
    await office.hear(appeal.warned("owner", "unit_supervisors"))
    await office.stack.settle()
    assert await office.told() == {("H1", "delivered"), ("S1", "delivered")}
    assert list(gateway.ledger.values()) == [1, 1]


async def test_a_channel_that_never_answers_is_given_up_waiting_for(office: Office, appeal: Appeal):
    class Endless(Gateway):
        async def send(self, letter: Letter) -> Receipt:
            if not self.answers:
                return await super().send(letter)
            self.answers.clear()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    gateway = Endless(Refused("never raised"))
    sender = sender_of(office, gateway)
    sender.config.patience = 0.05
    await office.hear(appeal.warned())
    await office.stack.settle()
    assert (await one(office))["state"] == "delivered"
    assert list(gateway.ledger.values()) == [1]


async def test_two_senders_never_send_the_same_thing(office: Office):
    others = [_another(office) for _ in range(3)]
    office.clock.set(START.replace(hour=22))
    people = [f"H{number}" for number in range(40)]
    await office.hear(*(Appeal(START).warned(owner=person) for person in people for _ in range(5)))
    office.clock.advance(timedelta(hours=11))
    for sender in (office.sender, *others):
        sender.config.batch = 10

    async def run(sender: Sender) -> None:
        while await sender.run_once():
            pass

    await asyncio.gather(*map(run, (office.sender, *others)))
    deliveries = await office.deliveries()
    assert len(deliveries) == 200
    assert {(delivery["state"], delivery["attempts"]) for delivery in deliveries} == {("sent", 1)}
    letters = await office.mailbox()
    assert {letter["attempts"] for letter in letters} == {1}
    assert {letter["send_id"] for letter in letters} == {delivery["send_id"] for delivery in deliveries}
    assert len(await office.said("notification.sent.v1")) == 200


def _another(office: Office) -> Sender:
    return next(loop for loop in loops(office.notifier.runtime) if isinstance(loop, Sender))


async def test_the_mailbox_takes_a_send_once_and_counts_every_time_it_is_brought(office: Office):
    mailbox = office.sender.channel
    letter = Letter(UUID(int=1), "H1", "a", "b")
    await mailbox.send(letter)
    await mailbox.send(Letter(letter.send_id, "H1", "another", "text"))
    assert await mailbox.find(letter) == Receipt(str(letter.send_id))
    assert await mailbox.find(Letter(UUID(int=2), "H1", "a", "b")) is None
    (kept,) = (await office.client("supervisor", sub="H1").get("mailbox")).json()["items"]
    assert (kept["subject"], kept["attempts"]) == ("a", 2)
