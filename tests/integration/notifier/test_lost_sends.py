"""Sends whose answer was lost, to a provider's silence or to our own death: never doubled, never forgotten."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.channels.port import Ambiguous, CannotTell, Code, Letter, Receipt, Refused, Terms
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from tests.conftest import START
from tests.integration.notifier.gateway import EXPIRE, Gateway, one, sender_of
from tests.integration.notifier.office import Appeal, Office


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
    sender.config.back_off = BackOff(first=60.0)
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
    retried = await office.client("supervisor", sub="S9").post(f"deliveries/{delivery['id']}/retry")
    assert (retried.json()["state"], retried.json()["why"]) == ("sending", "retried_by:S9")
    await office.stack.settle()
    after = await one(office)
    assert (after["state"], after["send_id"]) == ("delivered", delivery["send_id"])
    assert gateway.ledger == {UUID(delivery["send_id"]): 2}, "the person decided so; it is the same send all the same"


@pytest.mark.parametrize(("arrived", "state"), [(True, "sent"), (False, "delivered")])
async def test_before_an_unknown_send_is_handed_over_again_the_provider_is_asked(
    office: Office, appeal: Appeal, arrived: bool, state: str
):
    gateway = Gateway(*([] if arrived else [Ambiguous("timeout")]), idempotent=False, asked=False)
    gateway.loses_answers = arrived
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    before = await one(office)
    assert before["state"] == "unknown"
    gateway.asked, gateway.loses_answers = True, False
    client = office.client("supervisor")
    assert (await client.post(f"deliveries/{before['id']}/retry")).status_code == 200
    assert (await client.post(f"deliveries/{before['id']}/retry")).status_code == 409, "it is on its way"
    await office.stack.settle()
    after = await one(office)
    assert (after["state"], after["send_id"]) == (state, before["send_id"])
    assert gateway.ledger == {UUID(before["send_id"]): 1}, "never twice"


async def test_a_person_who_insists_does_so_once(office: Office, appeal: Appeal):
    gateway = Gateway(*[Ambiguous("timeout") for _ in range(2)], idempotent=False, asked=False)
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    delivery = await one(office)
    await office.client("supervisor").post(f"deliveries/{delivery['id']}/retry")
    await office.stack.settle()
    again = await one(office)
    assert (again["state"], again["attempts"]) == ("unknown", 2)


async def test_all_that_an_unknown_send_carries_goes_with_it(office: Office):
    gateway = Gateway(idempotent=False, asked=False)
    gateway.loses_answers = True
    sender_of(office, gateway)
    office.clock.set(START.replace(hour=22))
    await office.hear(*(event for its in (Appeal(START), Appeal(START)) for event in (its.opened(), its.warned())))
    office.clock.advance(timedelta(hours=11))
    await office.stack.settle()
    first, second = await office.deliveries()
    assert (first["state"], first["send_id"]) == ("unknown", second["send_id"])
    gateway.asked = True
    await office.client("supervisor").post(f"deliveries/{first['id']}/retry")
    await office.stack.settle()
    assert await office.told() == {("H1", "sent")}
    assert list(gateway.ledger.values()) == [1]


async def test_where_nobody_can_tell_an_idempotent_channel_is_handed_the_same_send(office: Office, appeal: Appeal):
    gateway = Gateway(Ambiguous("timeout"), asked=False)
    sender_of(office, gateway)
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert gateway.ledger == {UUID(delivery["send_id"]): 1}


@pytest.mark.parametrize(("permanent", "state"), [(False, "delivered"), (True, "unknown")])
async def test_a_no_to_what_may_have_been_taken_before_is_no_no(
    office: Office, appeal: Appeal, permanent: bool, state: str
):
    class Forgetful(Gateway):
        async def send(self, letter: Letter) -> Receipt:
            if letter.send_id in self.ledger and refusals:
                raise refusals.pop()
            return await super().send(letter)

    refusals = [Refused("slow down", permanent=permanent)]
    gateway = Forgetful(asked=False)
    gateway.loses_answers = True
    sender_of(office, gateway).config.back_off = BackOff(first=60.0)
    await office.hear(appeal.warned())
    gateway.loses_answers = False
    for _ in range(2):
        await office.sql(EXPIRE)
        await office.stack.settle()
    assert (await one(office))["state"] == state
    assert len(gateway.ledger) == 1, "never under another id"


async def test_a_send_nobody_can_tell_of_is_unknown_in_the_end(office: Office, appeal: Appeal):
    sender_of(office, Gateway(*[Ambiguous("timeout") for _ in range(9)], asked=False))
    await office.hear(appeal.warned())
    await office.stack.settle()
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("unknown", 3)


async def test_of_two_senders_that_ask_of_one_send_at_once_only_one_hands_it_over_again(office: Office, appeal: Appeal):
    class Slow(Gateway):
        async def find(self, letter: Letter) -> Receipt | None:
            found = await super().find(letter)
            if others:  # another takes it over and asks, while we wait for this answer; its own answer is lost
                await office.sql(EXPIRE)
                self.loses_answers = True
                await others.pop().run_once()
            return found

    gateway = Slow(Ambiguous("timeout"), idempotent=False)
    sender = sender_of(office, gateway)
    sender.config.back_off = BackOff(first=60.0)
    others: list[Sender] = []
    await office.hear(appeal.warned())
    await office.sql(EXPIRE)
    other = Sender(office.notifier.runtime, "mailbox", gateway, sender._language)
    other.config.back_off = sender.config.back_off
    others.append(other)
    await sender.run_once()
    assert list(gateway.ledger.values()) == [1]
    assert (await one(office))["attempts"] == 2


async def test_a_send_of_which_the_provider_never_tells_is_unknown_after_a_time(office: Office, appeal: Appeal):
    class Evasive(Gateway):
        async def find(self, letter: Letter) -> Receipt | None:
            raise CannotTell("not now", ask_again=0.0)

    sender = sender_of(office, Evasive(Ambiguous("timeout"), idempotent=False))
    await office.publish(appeal.warned())
    for _ in range(3):
        for worker in office.notifier.workers:
            await worker.run_once()
        await office.sql(EXPIRE)
    assert (await one(office))["state"] == "sending"
    sender.config.asked_for = timedelta()
    await office.stack.settle()
    assert (await one(office))["state"] == "unknown"


async def test_what_fills_a_text_of_the_providers_own_keeps_its_order(office: Office, appeal: Appeal):
    class Coded(Gateway):
        async def terms(self, tx: Any, units: Collection[str]) -> dict[str, Terms | None]:
            its = Code("deadline.warned", "SMS_1", ("unit", "due", "matter"))
            return dict.fromkeys(units, Terms(codes={its.event_type: its}))

    gateway = Coded()
    gateway.loses_answers = True
    sender_of(office, gateway).config.back_off = BackOff(first=60.0)
    await office.hear(appeal.warned())
    gateway.ledger.clear()
    await office.sql(EXPIRE)
    await office.stack.settle()
    first, again = gateway.letters
    assert first.template == again.template == "SMS_1"
    assert [*again.params.items()] == [*first.params.items()]
    assert [*first.params] == ["unit", "due", "matter"]


@pytest.mark.parametrize("answer", [Refused("no\0", permanent=True), Receipt("\0" * 5000)])
async def test_whatever_a_provider_says_can_be_stored(office: Office, appeal: Appeal, answer: Refused | Receipt):
    class Babbling(Gateway):
        async def send(self, letter: Letter) -> Receipt:
            if isinstance(answer, Refused):
                raise answer
            return answer

    sender_of(office, Babbling())
    await office.hear(appeal.warned())
    assert (await one(office))["state"] == ("dead" if isinstance(answer, Refused) else "sent")


@pytest.mark.parametrize("asked", [True, False])
async def test_a_lost_send_does_not_wake_anyone_at_night(office: Office, appeal: Appeal, asked: bool):
    gateway = Gateway(Ambiguous("timeout"), asked=asked)
    sender = sender_of(office, gateway)
    sender.config.back_off = BackOff(first=60.0)
    office.clock.set(START.replace(hour=20, minute=59))
    await office.hear(appeal.warned())
    office.clock.set(START.replace(hour=21))
    sender.config.back_off = BackOff(first=0.0)
    await office.sql(EXPIRE)
    await office.stack.settle()
    assert gateway.ledger == {}
    assert (await one(office))["state"] == ("deferred" if asked else "sending")

    office.clock.advance(timedelta(hours=12))
    await office.sql(EXPIRE)
    await office.stack.settle()
    assert (await one(office))["state"] == "delivered"
    assert list(gateway.ledger.values()) == [1]


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
