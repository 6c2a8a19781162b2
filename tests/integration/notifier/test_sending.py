"""Handing over: each send accepted once, whatever dies in between; what fails is tried again, and in the end said."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.channels.port import Ambiguous, CannotTell, Letter, Receipt, Refused
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office

EXPIRE = "UPDATE sends SET leased_until = now() - interval '1 second' WHERE state = 'sending'"


class Gateway:
    """A provider in the test's hand: `answers` are given in turn, then it takes what comes; it keeps its own ledger."""

    def __init__(
        self, *answers: Callable[[], Exception] | Exception, idempotent: bool = True, asked: bool = True
    ) -> None:
        self.answers = list(answers)
        self.idempotent, self.asked = idempotent, asked
        self.ledger: dict[UUID, int] = {}
        self.loses_answers = False

    async def send(self, letter: Letter) -> Receipt:
        if self.answers:
            raise self.answers.pop(0)
        self.ledger[letter.send_id] = self.ledger.get(letter.send_id, 0) + 1
        if self.loses_answers:
            raise Ambiguous("the line went dead")
        return Receipt("ok", delivered=True)

    async def find(self, send_id: UUID) -> Receipt | None:
        if not self.asked:
            raise CannotTell("no such service")
        return Receipt("found") if send_id in self.ledger else None


def sender_of(office: Office, gateway: Any) -> Sender:
    office.sender.channel = gateway
    office.sender.back_off = BackOff(first=0.0, most=3)
    return office.sender


async def one(office: Office) -> dict[str, Any]:
    (delivery,) = await office.deliveries()
    return delivery


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
    sender.back_off = BackOff(first=60.0, longest=200.0, most=10)
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


async def test_an_accepted_send_whose_answer_was_lost_is_found_and_not_sent_again(office: Office, appeal: Appeal):
    gateway = Gateway()
    gateway.loses_answers = True
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("sent", 1)
    assert gateway.ledger == {UUID(delivery["send_id"]): 1}


async def test_a_send_that_never_arrived_is_handed_over_again_under_its_id(office: Office, appeal: Appeal):
    gateway = Gateway(Ambiguous("timeout"))
    sender = sender_of(office, gateway)
    sender.back_off = BackOff(first=60.0)
    await office.hear(appeal.warned())
    before = await one(office)
    assert before["state"] == "sending"
    await office.sql(EXPIRE)
    await office.stack.settle()
    after = await one(office)
    assert (after["state"], after["attempts"], after["send_id"]) == ("delivered", 2, before["send_id"])
    assert gateway.ledger == {UUID(before["send_id"]): 1}


async def test_where_nobody_can_tell_a_channel_that_may_double_waits_for_a_person(office: Office, appeal: Appeal):
    gateway = Gateway(idempotent=False, asked=False)
    gateway.loses_answers = True
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["why"], delivery["attempts"]) == ("unknown", "outcome_unknown", 1)
    assert delivery["error"] == "the line went dead"
    assert list(gateway.ledger.values()) == [1]
    gateway.loses_answers = False
    await office.client("supervisor").post(f"deliveries/{delivery['id']}/retry")
    await office.stack.settle()
    assert (await one(office))["state"] == "delivered"


async def test_where_nobody_can_tell_an_idempotent_channel_is_handed_the_same_send(office: Office, appeal: Appeal):
    gateway = Gateway(Ambiguous("timeout"), asked=False)
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert gateway.ledger == {UUID(delivery["send_id"]): 1}


async def test_a_send_nobody_can_tell_of_is_unknown_in_the_end(office: Office, appeal: Appeal):
    sender_of(office, Gateway(*[Ambiguous("timeout") for _ in range(9)], asked=False))
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("unknown", 3)


@pytest.mark.parametrize("asked", [True, False])
async def test_a_lost_send_does_not_wake_anyone_at_night(office: Office, appeal: Appeal, asked: bool):
    gateway = Gateway(Ambiguous("timeout"), asked=asked)
    sender = sender_of(office, gateway)
    sender.back_off = BackOff(first=60.0)
    office.clock.set(START.replace(hour=20, minute=59))
    await office.hear(appeal.warned())
    office.clock.set(START.replace(hour=21))
    sender.back_off = BackOff(first=0.0)
    await office.sql(EXPIRE)
    await office.stack.settle()
    assert gateway.ledger == {}
    assert (await one(office))["state"] == ("deferred" if asked else "sending")

    office.clock.advance(timedelta(hours=11))
    await office.sql(EXPIRE)
    await office.stack.settle()
    assert (await one(office))["state"] == "delivered"
    assert list(gateway.ledger.values()) == [1]


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
    sender.patience = 0.05
    await office.hear(appeal.warned())
    await office.stack.settle()
    assert (await one(office))["state"] == "delivered"
    assert list(gateway.ledger.values()) == [1]


async def test_two_senders_never_send_the_same_thing(office: Office):
    others = [_another(office) for _ in range(3)]
    office.clock.set(START.replace(hour=22))
    people = [f"H{number}" for number in range(40)]
    await office.hear(*(Appeal(START).warned(owner=person) for person in people for _ in range(5)))
    office.clock.advance(timedelta(hours=10))
    for sender in (office.sender, *others):
        sender.batch = 10

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
    from notifier.deliveries.loops import loops

    return next(loop for loop in loops(office.notifier.runtime) if isinstance(loop, Sender))


CRASHING = """
import asyncio, sys
from chassis.clock import ManualClock
from chassis.runtime import Runtime
from datetime import datetime
from notifier.deliveries.loops import loops
from notifier.settings import Settings

async def main():
    clock = ManualClock(datetime.fromisoformat(sys.argv[1]))
    async with Runtime("notifier", Settings(), clock=clock) as runtime:
        for loop in loops(runtime):
            while await loop.run_once():
                pass

asyncio.run(main())
"""


@pytest.mark.parametrize(("point", "taken"), [("sender.leased", 0), ("sender.accepted", 1)])
async def test_a_sender_that_dies_leaves_a_send_that_is_finished_under_the_same_id(
    office: Office, appeal: Appeal, point: str, taken: int
):
    office.notifier.workers = [worker for worker in office.notifier.workers if worker is not office.sender]
    await office.hear(appeal.warned())
    settings = office.notifier.runtime.settings
    assert settings.bus_database_url is not None
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "CRASH_AT": point,
        "NOTIFIER_PORT": "1",
        "NOTIFIER_DATABASE_URL": settings.database_url.get_secret_value(),
        "NOTIFIER_BUS_DATABASE_URL": settings.bus_database_url.get_secret_value(),
        "NOTIFIER_AUTH_ISSUER": settings.auth_issuer,
        "NOTIFIER_AUTH_JWKS": settings.auth_jwks,
    }
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CRASHING, START.isoformat()], env=environment, capture_output=True
    )
    assert died.returncode == 137, died.stderr.decode()
    before = await one(office)
    assert before["state"] == "sending"
    assert len(await office.mailbox()) == taken

    while await office.sender.run_once():
        pass
    assert (await one(office))["state"] == "sending", "whose lease runs is left alone"
    await office.sql(EXPIRE)
    while await office.sender.run_once():
        pass
    after = await one(office)
    assert (after["state"], after["send_id"]) == ("sent", before["send_id"])
    (letter,) = await office.mailbox()
    assert (letter["send_id"], letter["attempts"]) == (before["send_id"], 1)
    assert len(await office.said("notification.sent.v1")) == 1


async def test_the_mailbox_takes_a_send_once_and_counts_every_time_it_is_brought(office: Office):
    mailbox = office.sender.channel
    letter = Letter(UUID(int=1), "H1", "a", "b")
    await mailbox.send(letter)
    await mailbox.send(Letter(letter.send_id, "H1", "another", "text"))
    assert await mailbox.find(letter.send_id) == Receipt(str(letter.send_id))
    assert await mailbox.find(UUID(int=2)) is None
    (kept,) = (await office.client("supervisor", sub="H1").get("mailbox")).json()["items"]
    assert (kept["subject"], kept["attempts"]) == ("a", 2)
