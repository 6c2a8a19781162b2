"""How people are reached is asked of visit_api when something is sent, kept nowhere; while it is away, all waits."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.outage import Outage
from chassis.peer import Peer
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from notifier.directory.contacts import Addressee, Contacts, Nowhere
from tests.conftest import START
from tests.integration.notifier.gateway import EXPIRE, Gateway, one, sender_of
from tests.integration.notifier.office import STATION, Appeal, Office
from tests.support.databases import Databases
from tests.support.stack import Stack

PHONE = "13800000001"


class Switchboard(httpx.AsyncBaseTransport):
    """The way to visit_api, which a test may cut."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner, self.cut, self.asked = inner, False, 0
        self.breaks_at = "\0"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.cut:
            raise httpx.ConnectError("refused")
        if self.breaks_at in request.url.path:
            return httpx.Response(500)
        return await self._inner.handle_async_request(request)


class Texting(Gateway):
    reaches = "phone"


@pytest.fixture
async def both(databases: Databases, tmp_path: Path) -> AsyncIterator[tuple[Office, Switchboard]]:
    """visit_api with two people, of whom H2 has no phone, and the notifier, which may ask it."""
    async with Stack(databases, tmp_path, START, names=("visit_api", "notifier")) as stack:
        admin = stack.client("visit_api", "admin", unit=STATION)
        unit = await admin.post("units", json={"code": STATION, "name": "供电所"})
        assert unit.status_code == 201, unit.text
        for number, phone in (("H1", PHONE), ("H2", None)):
            person = {"staff_no": number, "name": number, "unit_code": STATION, "roles": ["handler"], "phone": phone}
            assert (await admin.post("staff", json=person)).status_code == 201
        office = Office(stack)
        await stack.settle()
        token = tmp_path / "notifier.token"
        token.write_text(stack.issuer.token("service", sub="notifier"))
        line = Switchboard(httpx.ASGITransport(app=stack["visit_api"].app))
        office.sender.contacts = Contacts(Peer("http://visit_api", token, line))
        yield office, line


async def kept(office: Office) -> list[Any]:
    """Every table of the notifier, as text."""
    async with office.notifier.runtime.db.connection() as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [await connection.fetch(f'SELECT t::text FROM "{row["tablename"]}" t') for row in tables]


async def test_a_channel_is_handed_the_address_of_now_which_is_kept_nowhere(both: tuple[Office, Switchboard]):
    office, line = both
    gateway = Texting()
    sender_of(office, gateway)
    await office.hear(*(Appeal(START).warned() for _ in range(3)))
    assert [(letter.recipient, letter.address) for letter in gateway.letters] == [("H1", PHONE)]
    assert line.asked == 1, "once for all that one person is told"
    assert await office.told(unit=STATION) == {("H1", "delivered")}
    assert PHONE not in repr(await kept(office))


async def test_while_visit_api_is_away_deliveries_wait_and_none_is_lost_or_fails(both: tuple[Office, Switchboard]):
    office, line = both
    gateway = Texting()
    sender_of(office, gateway).config.ask_again = timedelta()
    line.cut = True
    await office.publish(Appeal(START).warned())
    for worker in office.notifier.workers:
        await worker.run_once()
    for _ in range(20):
        await office.sender.run_once()
    (delivery,) = await office.deliveries(unit=STATION)
    assert (delivery["state"], delivery["why"], delivery["attempts"]) == ("queued", "contact_unavailable", 0)
    line.cut = False
    await office.stack.settle()
    (delivery,) = await office.deliveries(unit=STATION)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert [letter.address for letter in gateway.letters] == [PHONE]


async def test_whoever_has_no_address_is_asked_about_for_some_minutes_then_given_up_and_it_is_said(
    both: tuple[Office, Switchboard],
):
    office, _ = both
    gateway = Texting()
    its = sender_of(office, gateway).config.addressless
    assert 180 < sum(min(its.first * 2**n, its.longest) for n in range(its.most - 1)) / 2 < 900, "some minutes"
    office.sender.config.addressless = BackOff(first=0.0, most=its.most)
    await office.hear(Appeal(START).warned(owner="H2"), Appeal(START).warned(owner="stranger"))
    deliveries = await office.deliveries(unit=STATION)
    assert {(d["recipient"], d["state"], d["why"]) for d in deliveries} == {
        ("H2", "dead", "no_address"),
        ("stranger", "dead", "no_address"),
    }
    assert {dead["reason"] for dead in await office.said("notification.dead.v1")} == {"no_address"}
    assert gateway.letters == []


async def test_an_address_that_visit_api_learns_of_a_moment_later_is_used(both: tuple[Office, Switchboard]):
    office, _ = both
    gateway = Texting()
    sender_of(office, gateway)
    await office.hear(Appeal(START).warned(owner="H2"))
    (delivery,) = await office.deliveries(unit=STATION)
    assert (delivery["state"], delivery["why"], delivery["attempts"]) == ("failed", "no_address", 0)
    admin = office.stack.client("visit_api", "admin", unit=STATION)
    made = await admin.patch("staff/H2", json={"phone": PHONE}, headers={"If-Match": "*"})
    assert made.status_code == 200, made.text
    await office.sql("UPDATE deliveries SET next_try_at = now()")
    await office.stack.settle()
    assert await office.told(unit=STATION) == {("H2", "delivered")}


async def test_who_has_no_address_but_another_channel_is_told_by_that_at_once(both: tuple[Office, Switchboard]):
    office, _ = both
    sender_of(office, Texting())
    post = Gateway()
    office.notifier.workers.append(Sender(office.notifier.runtime, "pigeon", post, office.sender._language))
    await office.sql("UPDATE routes SET fallback = '{pigeon}' WHERE id = 'deadline.warned.owner'")
    await office.hear(Appeal(START).warned(owner="H2"))
    assert [letter.recipient for letter in post.letters] == ["H2"]


async def test_one_person_of_whom_nobody_can_tell_holds_up_nobody_else(both: tuple[Office, Switchboard]):
    office, line = both
    gateway = Texting()
    sender_of(office, gateway).config.addressless = BackOff(first=0.0, most=2)
    line.breaks_at = "/H2/"
    await office.hear(*(Appeal(START).warned(owner=owner) for owner in ("H2", "n" * 100, "H1")))
    told = {(d["recipient"][:2], d["state"], d["why"]) for d in await office.deliveries(unit=STATION)}
    assert told == {
        ("H1", "delivered", None),
        ("H2", "queued", "contact_unavailable"),
        ("nn", "dead", "no_address"),
    }
    assert [letter.recipient for letter in gateway.letters] == ["H1"]


async def test_a_lost_send_is_handed_over_again_with_the_address_of_then(both: tuple[Office, Switchboard]):
    office, line = both
    gateway = Texting()
    gateway.loses_answers = True
    sender_of(office, gateway).config.back_off = BackOff(first=600.0)
    await office.hear(Appeal(START).warned())
    gateway.ledger.clear()  # the provider lost it
    gateway.loses_answers = False
    line.cut = True
    await office.sql(EXPIRE)
    await office.sender.run_once()
    assert (await office.deliveries(unit=STATION))[0]["state"] == "sending", "it stays leased, and is looked at again"
    line.cut = False
    await office.sql(EXPIRE)
    await office.stack.settle()
    assert [letter.address for letter in gateway.letters] == [PHONE, PHONE]
    assert len({letter.send_id for letter in gateway.letters}) == 1
    assert (await office.deliveries(unit=STATION))[0]["state"] == "delivered"


@pytest.mark.parametrize(
    ("agreed", "sms"), [(["sms"], PHONE), (["phone", "email"], Nowhere.NO_CONSENT), ([], Nowhere.NO_CONSENT)]
)
async def test_a_customer_is_written_to_only_by_what_they_agreed_to(
    tmp_path: Path, agreed: list[str], sms: str | Nowhere
):
    token, customer = tmp_path / "token", Addressee("customer", "c1")
    token.write_text("t")
    said = {"phone": PHONE, "email": "c@example.com", "channels": agreed}
    contacts = Contacts(Peer("http://peer", token, httpx.MockTransport(lambda _: httpx.Response(200, json=said))))
    assert await contacts.addresses([customer], "phone") == {customer: sms}
    assert (await contacts.addresses([customer], "email"))[customer] == (
        "c@example.com" if "email" in agreed else Nowhere.NO_CONSENT
    )
    staff = Addressee("staff", "H1")
    assert await contacts.addresses([staff], "phone") == {staff: PHONE}
    await contacts.close()


async def test_the_mailbox_asks_nobody(office: Office, appeal: Appeal):
    office.sender.contacts = Contacts(Peer("http://nowhere.invalid", None))
    await office.hear(appeal.warned())
    assert (await one(office))["state"] == "sent"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(401),
        httpx.Response(302),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(404, content=b"<html>"),
    ],
    ids=["broken", "no entry", "moved", "no JSON", "a proxy's page"],
)
async def test_what_is_no_answer_is_an_outage(tmp_path: Path, answer: httpx.Response):
    token = tmp_path / "token"
    token.write_text("t")
    peer = Peer("http://peer", token, httpx.MockTransport(lambda _: answer))
    with pytest.raises(Outage):
        await peer.get("/things")
    with pytest.raises(Outage):
        await Peer(None, None).get("/things")
    await peer.close()
