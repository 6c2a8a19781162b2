"""The link by which a customer rates an answer is asked of the tracker when the message leaves, and kept nowhere."""

import json
import logging
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import msgspec
import pytest

from chassis.peer import Peer
from contracts.appeals import (
    AppealCallbackAsked,
    AppealCallbackScheduled,
    AppealCalledBack,
    AppealFollowedUp,
    AppealRaised,
)
from notifier.channels.port import Code, Letter, Terms
from notifier.deliveries.linking import Links
from notifier.deliveries.outcomes import BackOff
from notifier.directory.contacts import Contacts
from tests.conftest import START
from tests.integration.notifier.gateway import EXPIRE, Gateway, sender_of
from tests.integration.notifier.office import STATION, Appeal, Office
from tests.integration.notifier.test_contacts import Texting, kept
from tests.integration.notifier.test_moved import spoken

CUSTOMER = uuid4()
ON = "UPDATE routes SET channels = '{mailbox}', active = true WHERE id = 'appeal.callback_asked.customer'"
AWAY = httpx.Response(503)


class Tracker:
    """A tracker that tells links, unless it is told to answer otherwise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []  # appeal and send
        self.answers: list[httpx.Response] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        _, _, _, appeal, *rest = request.url.path.split("/")
        assert (request.method, rest) == ("POST", ["callback-links", "for-send"])
        assert request.headers["authorization"] == "Bearer t"
        self.asked.append((appeal, json.loads(request.content)["send_id"]))
        if self.answers:
            return self.answers.pop(0)
        return httpx.Response(200, json={"url": self.url(*self.asked[-1]), "expires_at": "2026-10-16T00:00:00Z"})

    def url(self, appeal: str, send: str) -> str:
        return f"https://rate.example/c/{UUID(appeal).hex}{UUID(send).hex[:11]}"


class Sending:
    """An office that tells customers, by a provider in the test's hand, of appeals that a tracker makes links for."""

    def __init__(self, office: Office, token: Path) -> None:
        token.write_text("t")
        self.office, self.tracker, self.gateway = office, Tracker(), Gateway()
        self.sender = sender_of(office, self.gateway)
        self.sender.config.back_off = BackOff(first=60.0)
        self.sender.links = Links(Peer("http://tracker", token, httpx.MockTransport(self.tracker)))

    async def asked(self, *appeals: Appeal) -> None:
        """The pack asks for callbacks."""
        for appeal in appeals:
            await self.office.hear(raised(appeal), appeal.opened())
            await self.office.hear(callback_asked(appeal))

    async def expire(self) -> None:
        """All that was put off a while ago is looked at again."""
        self.sender.links._away_until = 0.0
        await self.office.sql(EXPIRE)
        await self.office.stack.settle()

    async def customers(self) -> list[dict[str, Any]]:
        return [its for its in await self.office.deliveries() if its["recipient_kind"] == "customer"]

    def letters(self) -> list[Letter]:
        return [letter for letter in self.gateway.letters if letter.recipient == str(CUSTOMER)]


@pytest.fixture
async def sending(office: Office, tmp_path: Path) -> Sending:
    await office.sql(ON)
    return Sending(office, tmp_path / "token")


def raised(appeal: Appeal) -> AppealRaised:
    return AppealRaised(
        appeal_id=appeal.id,
        appeal_no=appeal.number,
        visit_id=appeal.visit_id,
        customer_id=CUSTOMER,
        unit_code=STATION,
        appeal_type="complaint",
        received_at=START,
        recorded_at=START,
        raised_by="V1",
    )


def callback_asked(appeal: Appeal, person: str | None = None, kind: str = "callback") -> AppealCallbackAsked:
    """Told again of the same task, if it is of the same kind."""
    task = uuid5(appeal.id, kind)
    its = {"task_id": task, "kind": kind, "required": True, "handling_unit_code": STATION}
    return AppealCallbackAsked(**appeal._act(**its, person=person, due_at=None))


def planned(appeal: Appeal, person: str | None, kind: str = "callback", **more: Any) -> AppealCallbackScheduled:
    its = {"task_id": uuid5(appeal.id, kind), "kind": kind, "scheduled_at": START + timedelta(days=2), "agreed": True}
    return AppealCallbackScheduled(**appeal._act(**{**its, "person": person, "by": "S1"} | more))


def no(reason: str, status: int = 409, type: str = "link-not-due") -> httpx.Response:
    problem = {"type": f"/problems/{type}", "title": "-", "status": status, "reason": reason}
    return httpx.Response(status, json=problem, headers={"content-type": "application/problem+json"})


async def test_the_customer_is_handed_a_link_that_is_kept_nowhere_and_nobody_else_is(
    sending: Sending, appeal: Appeal, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    await sending.asked(appeal)
    (letter,) = sending.letters()
    (delivery,) = await sending.customers()
    url = sending.tracker.url(str(appeal.id), delivery["send_id"])
    assert sending.tracker.asked == [(str(appeal.id), str(letter.send_id))], "asked by the send's id, once"
    assert letter.body == f"您反映的投诉 V00000001已答复。请点击评价处理结果（一次有效，请勿转发）：{url}"
    assert (delivery["state"], delivery["attempts"], delivery["why"]) == ("delivered", 1, None)
    (other,) = [its for its in sending.gateway.letters if its != letter]
    assert (other.recipient, other.subject) == ("S1", "【待回访】投诉 V00000001")
    assert url.rpartition("/")[2] not in repr(await kept(sending.office)) + caplog.text


async def test_the_customer_of_an_appeal_that_came_by_a_hotline_is_known(sending: Sending, appeal: Appeal):
    opened = msgspec.structs.replace(appeal.opened(), source="95598", visit_id=None, customer_id=CUSTOMER)
    await sending.office.hear(opened, callback_asked(appeal))
    assert [its["state"] for its in await sending.customers()] == ["delivered"]


async def test_while_the_tracker_is_away_a_send_waits_and_is_never_taken_for_one_that_left(
    sending: Sending, appeal: Appeal
):
    sending.gateway.asked = sending.gateway.idempotent = False  # what left could not be found again
    sending.tracker.answers = [AWAY, httpx.Response(500), httpx.Response(200, json={"url": 7}), no("no_address")]
    sending.tracker.answers.append(no("", 404))  # not heard of yet
    sending.tracker.answers.append(no("", type="merged-meanwhile"))
    await sending.asked(appeal)
    for _ in range(5):
        (delivery,) = await sending.customers()
        assert (delivery["state"], delivery["why"], delivery["attempts"]) == ("sending", "link_unavailable", 0)
        await sending.expire()
    assert sending.letters() == []
    await sending.expire()
    (delivery,) = await sending.customers()
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert {send for _, send in sending.tracker.asked} == {delivery["send_id"]}, "it is the same send all the time"


async def test_a_callback_that_goes_to_somebody_else_is_told_to_them_and_the_customer_is_asked_once(
    sending: Sending, appeal: Appeal
):
    office = sending.office
    office.clock.set(START.replace(hour=22))
    await office.hear(raised(appeal), appeal.opened(), callback_asked(appeal, "V1"))
    await office.hear(callback_asked(appeal, "V2"))
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    await office.hear(callback_asked(appeal, "V3"))
    told = {(its["recipient"], its["state"], its["why"]) for its in await office.deliveries()}
    assert told == {
        (str(CUSTOMER), "delivered", "quiet_hours"),
        (str(CUSTOMER), "cancelled", "told_before"),
        ("V1", "cancelled", "handed_on"),
        ("V2", "delivered", "quiet_hours"),
        ("V3", "delivered", None),
    }
    assert len(sending.letters()) == 1


async def test_nobody_is_told_in_the_morning_of_a_follow_up_that_was_done_in_the_night(
    sending: Sending, appeal: Appeal
):
    office = sending.office
    await office.hear(raised(appeal), appeal.opened(), appeal.answered())
    office.clock.set(START.replace(hour=22))
    await office.hear(callback_asked(appeal, "V1", "follow_up"), appeal.closed())
    await spoken(office, AppealFollowedUp(**appeal._act(task_id=uuid5(appeal.id, "follow_up"))))
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = {its["recipient"]: (its["state"], its["why"]) for its in await office.deliveries()}
    assert told["V1"] == ("cancelled", "followed_up")


async def test_whoever_is_given_a_callback_is_told_when_it_is_and_nobody_of_their_own_plan(
    office: Office, appeal: Appeal
):
    await office.hear(appeal.opened(), planned(appeal, "V1"))
    await office.hear(planned(appeal, "S1"))
    told = {(its["recipient"], its["state"], its["why"]) for its in await office.deliveries()}
    assert told == {("V1", "sent", None), ("S1", "cancelled", "own_act")}
    (letter,) = await office.mailbox()
    assert "2026-10-11" in letter["subject"], letter


async def test_a_callback_that_is_planned_over_night_is_told_to_whose_it_is_by_the_morning(
    sending: Sending, appeal: Appeal
):
    office = sending.office
    await office.hear(raised(appeal), appeal.opened(), appeal.answered())
    office.clock.set(START.replace(hour=22))
    await office.hear(callback_asked(appeal, "V1", "follow_up"), appeal.closed())
    await office.hear(planned(appeal, "V2", "follow_up"))
    await office.hear(planned(appeal, "V2", "follow_up", scheduled_at=START + timedelta(days=3)))
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = [
        (its["recipient"], its["state"], its["why"])
        for its in await office.deliveries()
        if its["recipient"] in ("V1", "V2")
    ]
    assert sorted(told) == [
        ("V1", "cancelled", "handed_on"),
        ("V2", "cancelled", "handed_on"),
        ("V2", "delivered", "quiet_hours"),
    ]
    (letter,) = [each for each in sending.gateway.letters if each.recipient == "V2"]
    assert "不满意" in letter.subject
    assert "2026-10-12" in letter.subject


async def test_a_planned_callback_that_is_handed_over_over_night_is_told_to_whose_it_is_by_the_morning(
    sending: Sending, appeal: Appeal
):
    """Somebody who is named, or whoever may: then those who call back there."""
    office = sending.office
    other = Appeal(START, number="V00000002")
    office.clock.set(START.replace(hour=22))
    for each, person in ((appeal, "V2"), (other, None)):
        await office.hear(raised(each), each.opened(), each.answered(), planned(each, "V1"))
        await office.hear(callback_asked(each, person))
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = [(its["recipient"], its["state"]) for its in await office.deliveries() if its["recipient_kind"] == "staff"]
    assert sorted(told) == [("S1", "delivered"), ("V1", "cancelled"), ("V1", "cancelled"), ("V2", "delivered")]
    assert {its["why"] for its in await office.deliveries(recipient="V1")} == {"handed_on"}


async def test_a_callback_that_an_older_version_heard_of_goes_to_somebody_else_too(sending: Sending, appeal: Appeal):
    office = sending.office
    office.clock.set(START.replace(hour=22))
    await office.hear(raised(appeal), appeal.opened(), callback_asked(appeal, "V1"))
    await office.sql("UPDATE notices SET task_id = NULL")
    await office.hear(callback_asked(appeal, "V2"))
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = {its["recipient"]: (its["state"], its["why"]) for its in await office.deliveries()}
    assert (told["V1"], told["V2"]) == (("cancelled", "handed_on"), ("delivered", "quiet_hours"))


async def test_a_follow_up_of_what_is_closed_is_told_and_takes_nothing_from_another_task(
    sending: Sending, appeal: Appeal
):
    office = sending.office
    await office.hear(raised(appeal), appeal.opened(), appeal.answered())
    office.clock.set(START.replace(hour=22))
    await office.hear(callback_asked(appeal, "V1", "follow_up"), callback_asked(appeal, "V2"), appeal.closed())
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = {its["recipient"]: its["state"] for its in await office.deliveries() if its["recipient"] in ("V1", "V2")}
    assert told == {"V1": "delivered", "V2": "cancelled"}


@pytest.mark.parametrize("counts", [True, False])
async def test_what_was_rated_over_night_is_asked_of_nobody_in_the_morning(
    sending: Sending, appeal: Appeal, counts: bool
):
    """Unless it was about nothing that is asked: a call of before the answer."""
    office = sending.office
    office.clock.set(START.replace(hour=20, minute=59))
    called = AppealCalledBack(**appeal._act(result="completed", satisfaction="5", channel="phone"))
    await office.hear(raised(appeal), appeal.opened(), called)
    office.clock.set(START.replace(hour=22))
    follow_up = callback_asked(appeal)
    await office.hear(follow_up)
    assert {its["state"] for its in await office.deliveries()} == {"deferred"}, "it was asked after that"
    office.clock.set(START.replace(hour=23))
    again = AppealCalledBack(**appeal._act(result="completed", satisfaction="5", channel="phone", counts=counts))
    await office.hear(again)
    office.clock.set(START.replace(day=10, hour=8, minute=5))
    await office.stack.settle()
    told = {(its["recipient_kind"], its["state"], its["why"]) for its in await office.deliveries()}
    cancelled = {(kind, "cancelled", "called_back") for kind in ("customer", "staff")}
    assert told == cancelled if counts else told.isdisjoint(cancelled)


async def test_a_tracker_that_is_away_is_not_asked_all_the_time(sending: Sending):
    sending.tracker.answers = [AWAY]
    await sending.asked(Appeal(START), Appeal(START))
    await sending.office.sql(EXPIRE)
    await sending.office.stack.settle()
    assert len(sending.tracker.asked) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [(no("answered"), "link_not_due:answered"), (no("a b"), "link_not_due")],
)
async def test_where_there_is_nothing_to_rate_any_more_nothing_is_sent_and_it_says_why(
    sending: Sending, appeal: Appeal, answer: httpx.Response, why: str
):
    sending.tracker.answers = [answer]
    await sending.asked(appeal)
    (delivery,) = await sending.customers()
    assert (delivery["state"], delivery["why"], sending.letters()) == ("cancelled", why, [])


async def test_what_is_asked_after_a_call_is_told_though_what_was_asked_before_it_waited_too(
    sending: Sending, appeal: Appeal
):
    """That tells nobody any more, and must not stand for what comes after it."""
    sending.office.clock.set(START.replace(hour=22))
    await sending.asked(appeal)
    called = AppealCalledBack(**appeal._act(result="completed", satisfaction="1"))
    await spoken(sending.office, called)
    await spoken(sending.office, callback_asked(appeal, kind="follow_up"))
    sending.office.clock.set(START.replace(day=10, hour=8, minute=5))
    await sending.office.stack.settle()
    found = [(its["state"], its["why"]) for its in await sending.customers()]
    assert sorted(found) == [("cancelled", "called_back"), ("delivered", "quiet_hours")]


async def test_a_lost_send_is_handed_over_again_with_the_same_link(sending: Sending, appeal: Appeal):
    sending.gateway.loses_answers = True
    await sending.asked(appeal)
    sending.gateway.ledger.clear()  # the provider lost it
    sending.gateway.loses_answers = False
    await sending.expire()
    first, again = sending.letters()
    assert (first.send_id, first.body) == (again.send_id, again.body)
    assert (await sending.customers())[0]["state"] == "delivered"


@pytest.mark.parametrize(("found", "state"), [(True, "cancelled"), (False, "unknown")])
async def test_a_lost_send_for_which_there_is_no_link_any_more_is_not_sent_again(
    sending: Sending, appeal: Appeal, found: bool, state: str
):
    """If nobody can tell whether it left, it may be by it that the customer has answered."""
    sending.gateway.asked, sending.gateway.loses_answers = found, True
    await sending.asked(appeal)
    sending.gateway.ledger.clear()
    sending.tracker.answers = [no("answered") for _ in range(2)]
    await sending.expire()
    assert [its["state"] for its in await sending.customers()] == [state]
    assert len(sending.letters()) == 1


async def test_what_a_provider_says_by_a_code_waits_for_no_link_that_does_not_go_into_it(
    sending: Sending, appeal: Appeal, monkeypatch: pytest.MonkeyPatch
):
    async def terms(tx: Any, units: Collection[str]) -> dict[str, Terms | None]:
        codes = {its.event_type: its for its in (Code("customer:appeal.callback_asked", "SMS_7", ("matter",)),)}
        return dict.fromkeys(units, Terms(codes=codes, worded=False, coded=True))

    monkeypatch.setattr(sending.gateway, "terms", terms)
    sending.tracker.answers = [httpx.Response(503)] * 5
    await sending.asked(appeal)
    (letter,) = sending.letters()
    assert (letter.template, letter.params) == ("SMS_7", {"matter": "投诉 V00000001"})
    assert sending.tracker.asked == []


async def test_each_appeal_is_told_of_with_its_own_link_and_the_provider_is_given_it_as_it_wants_it(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
):
    async def terms(tx: Any, units: Collection[str]) -> dict[str, Terms | None]:
        codes = {its.event_type: its for its in (Code("customer:appeal.callback_asked", "SMS_7", ("link_code",)),)}
        return dict.fromkeys(units, Terms(codes=codes))

    monkeypatch.setattr(sending.gateway, "terms", terms)
    sending.office.clock.set(START.replace(hour=22))
    appeals = Appeal(START), Appeal(START, number="V00000002")
    await sending.asked(*appeals)
    assert sending.tracker.asked == [], "nobody is told at night, nor is a link made that grows old"
    sending.office.clock.set(START.replace(day=10, hour=8, minute=5))
    await sending.office.stack.settle()
    letters = sending.letters()
    assert {letter.template for letter in letters} == {"SMS_7"}
    urls = {sending.tracker.url(*each).rpartition("/")[2] for each in sending.tracker.asked}
    assert {letter.params["link_code"] for letter in letters} == urls
    assert len(urls) == len(letters) == 2


async def test_a_customer_who_agreed_to_nothing_is_not_one_without_an_address(
    office: Office, appeal: Appeal, tmp_path: Path
):
    (tmp_path / "token").write_text("t")
    said = {"customer_id": str(CUSTOMER), "phone": None, "channels": []}
    peer = Peer("http://peer", tmp_path / "token", httpx.MockTransport(lambda _: httpx.Response(200, json=said)))
    sender_of(office, Texting()).contacts = Contacts(peer)
    office.sender.config.addressless = BackOff(first=0.0, most=2)
    await office.sql(ON)
    await office.hear(raised(appeal), appeal.opened(), callback_asked(appeal, "V1"))
    told = {(its["recipient"], its["state"], its["why"]) for its in await office.deliveries()}
    assert told == {(str(CUSTOMER), "dead", "no_consent"), ("V1", "dead", "no_address")}
