"""Accounts by which channels send: whose is taken, what it bears, and what its provider says later."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from httpx import ASGITransport

from deploy.local.demo.provider import Provider
from notifier.channels.networks import Policy
from notifier.channels.outward import Outward
from notifier.channels.port import Receipt
from notifier.channels.providers import Report
from notifier.channels.signing import standard_webhook
from notifier.deliveries import reports
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.receiving import callback_key
from notifier.deliveries.sender import Sender
from notifier.directory.contacts import Addressee
from tests.conftest import START
from tests.integration.notifier.gateway import EXPIRE
from tests.integration.notifier.office import CITY, COUNTY, OTHER, STATION, Appeal, Office
from tests.support.busy import requests_elsewhere

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
CALLBACK = "whsec_" + base64.b64encode(b"c" * 24).decode()
REFILL = "UPDATE buckets SET counts = '{}'"
AGAIN = "UPDATE deliveries SET next_try_at = now() WHERE next_try_at IS NOT NULL"


class Phones:
    """Everybody has one."""

    async def addresses(self, people: Collection[Addressee], reach: str) -> dict[Addressee, str | None]:
        return dict.fromkeys(people, "13800000000")

    async def close(self) -> None: ...


class Desk:
    """An admin of the city, a provider, and the senders."""

    def __init__(self, office: Office, provider: Provider) -> None:
        self.office, self.provider = office, provider
        self.admin = office.client("admin", unit=CITY, sub="A1")
        runtime = office.notifier.runtime
        runtime.settings = runtime.settings.model_copy(update={"stack": "local"})
        self.senders = {each._name: each for each in office.notifier.workers if isinstance(each, Sender)}
        outward = Outward(Policy(local=True))
        for sender in self.senders.values():
            sender.config.back_off = BackOff(first=0.0, most=3)
            sender.contacts = Phones()  # type: ignore[assignment]
            if hasattr(sender.channel, "_outward"):
                sender.channel._outward = outward

    async def route(self, channel: str) -> None:
        await self.office.sql("UPDATE routes SET channels = ARRAY[:channel]", channel=channel)

    async def account(self, provider: str = "webhook", unit: str = CITY, **more: Any) -> str:
        made = {"webhook": self.webhook, "gateway": self.gateway, "wecom": self.wecom}[provider]()
        new = {"provider": provider, "unit_code": unit, "name": "账号", "callback_secret": CALLBACK, **made, **more}
        answer = await self.admin.post("/accounts", json=new)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def webhook(self, path: str = "/hook") -> dict[str, Any]:
        return {"settings": {"url": self.provider.url + path}, "secrets": {"secret": SECRET}}

    def wecom(self) -> dict[str, Any]:
        return {"settings": {"endpoint": f"{self.provider.url}/wecom"}, "secrets": {"key": "k"}}

    def gateway(self) -> dict[str, Any]:
        fields = {"id": "$id", "phone": "$phone", "text": "$text"}
        its = {"url": f"{self.provider.url}/sms", "fields": fields, "ok_field": "code", "ok_value": "0"}
        return {"settings": {**its, "reference_field": "ref"}, "secrets": {"secret": "key"}}

    async def call_back(self, account: str, body: Any, *, channel: str = "sms", **headers: str) -> httpx.Response:
        content = json.dumps(body).encode()
        signed = standard_webhook([CALLBACK], str(uuid4()), datetime.now(UTC), content)
        return await self.unsigned(f"/v1/receipts/{channel}/{account}", content, {**signed, **headers})

    async def unsigned(self, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        transport = ASGITransport(app=self.office.notifier.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
            return await client.post(path, content=content, headers=headers)


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    async with Provider() as provider:
        its = Desk(office, provider)
        yield its
        for sender in its.senders.values():
            await sender.close()


async def test_the_nearest_account_is_taken_and_a_unit_without_one_is_an_alert(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account(unit=CITY, settings={"url": f"{desk.provider.url}/city"})
    await desk.account(unit=COUNTY, settings={"url": f"{desk.provider.url}/county"})
    await desk.office.hear(Appeal(START, STATION).warned(), Appeal(START, CITY).warned(owner="T1"))
    assert sorted(request.path for request in desk.provider.requests) == ["/city", "/county"]
    assert await desk.office.told() == {("H1", "delivered"), ("T1", "delivered")}

    (lonely,) = await desk.office.hear(Appeal(START, OTHER).warned(owner="X1"))
    (delivery,) = await desk.office.deliveries(unit=OTHER)
    assert (delivery["state"], delivery["why"]) == ("dead", "no_account")
    (dead,) = await desk.office.said("notification.dead.v1")
    assert (dead["event_id"], dead["reason"]) == (str(lonely), "no_account")


async def test_a_secret_goes_in_and_never_out(desk: Desk) -> None:
    account = await desk.account("gateway", secrets={"secret": "very-secret"})
    shown = await desk.admin.get(f"/accounts/{account}")
    assert shown.json()["settings"]["url"] == f"{desk.provider.url}/sms"
    assert shown.json()["receives_at"] == f"/v1/receipts/sms/{account}"
    listed = await desk.admin.get("/accounts")
    changed = await desk.admin.patch(
        f"/accounts/{account}", json={"name": "新名"}, headers={"If-Match": shown.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["name"], changed.json()["version"]) == (200, "新名", 2)
    async with desk.office.notifier.runtime.db.connection() as connection:
        kept = await connection.fetchval("SELECT string_agg(a::text, '') FROM accounts a")
    for text in (shown.text, listed.text, changed.text, kept):
        assert "very-secret" not in text
        assert CALLBACK not in text
    assert (await desk.office.client("admin", unit=OTHER).get(f"/accounts/{account}")).status_code == 404
    assert (await desk.office.client("supervisor", unit=CITY).get("/accounts")).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"settings": {}}, "/settings/url"),
        ({"settings": {"url": "https://example.com/", "surprise": 1}}, "/settings/surprise"),
        ({"settings": {"url": "https://169.254.169.254/"}}, "/settings/url"),
        ({"secrets": {}}, "/secrets/secret"),
        ({"secrets": {"secret": "whsec_c2hvcnQ="}}, "/secrets"),
        ({"provider": "pigeon"}, "/provider"),
        ({"unit_code": OTHER}, "/unit_code"),
        ({"codes": [{"event_type": "digest", "code": "S", "params": ["due"]}]}, "/codes/0"),
        ({"codes": [{"event_type": "*", "code": "S", "params": ["{"]}]}, "/codes/0"),
        ({"codes": [{"event_type": "*", "code": "S"}] * 2}, "/codes"),
        ({"limits": [{"times": 0, "seconds": 60, "per": "account"}]}, "/limits/0/times"),
        ({"limits": [{"times": times, "seconds": 60, "per": "account"} for times in (1, 2)]}, "/limits"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(desk: Desk, change: dict[str, Any], pointer: str) -> None:
    new = {"provider": "webhook", "unit_code": CITY, "name": "账号", **desk.webhook(), **change}
    answer = await desk.admin.post("/accounts", json=new)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer]), (
        answer.text
    )


async def test_an_account_whose_secrets_cannot_be_opened_costs_nobody_else(desk: Desk) -> None:
    """It falls back where its route says so, the account tells what is wrong, and all goes on once it is put right."""
    await desk.route("webhook")
    await desk.office.sql("UPDATE routes SET fallback = '{mailbox}', fallback_after = 0")
    broken, _ = await desk.account(unit=CITY), await desk.account(unit=COUNTY)
    await desk.office.sql("UPDATE accounts SET secrets = secrets || '\\x00' WHERE unit_code = '37'")
    await desk.office.hear(Appeal(START, CITY).warned(owner="T1"), Appeal(START, STATION).warned())
    found = {(its["recipient"], its["channel"], its["state"], its["why"]) for its in await desk.office.deliveries()}
    assert found == {
        ("H1", "webhook", "delivered", None),
        ("T1", "webhook", "failed", "secret_unreadable"),
        ("T1", "mailbox", "sent", "fallback_of:webhook"),
    }
    shown = await desk.admin.get(f"/accounts/{broken}")
    assert shown.json()["problem"] == "secret_unreadable"

    async def change(**its: Any) -> httpx.Response:
        tag = (await desk.admin.get(f"/accounts/{broken}")).headers["etag"]
        return await desk.admin.patch(f"/accounts/{broken}", json=its, headers={"If-Match": tag})

    assert (await change(name="新名")).status_code == 200, "what needs no secret needs none"
    again = await change(secrets={"secret": SECRET})
    assert (again.status_code, again.json()["problem"]) == (200, None)
    await desk.office.sql(AGAIN)
    await desk.office.stack.settle()
    assert ("T1", "delivered") in await desk.office.told(channel="webhook")


@pytest.mark.parametrize("its", ["settings = '{}'", "provider = 'pigeon'", "limits = '[{}]'", "codes = '[{}]'"])
async def test_nor_does_one_of_which_something_is_of_another_release(desk: Desk, its: str) -> None:
    await desk.route("webhook")
    broken, _ = await desk.account(unit=CITY), await desk.account(unit=COUNTY)
    await desk.office.sql(f"UPDATE accounts SET {its} WHERE unit_code = '37'")
    await desk.office.hear(Appeal(START, CITY).warned(owner="T1"), Appeal(START, STATION).warned())
    assert await desk.office.told() == {("H1", "delivered"), ("T1", "failed")}
    assert (await desk.admin.get(f"/accounts/{broken}")).json()["problem"] == "settings_unusable"


async def test_a_callback_whose_secret_cannot_be_opened_comes_again(desk: Desk) -> None:
    account = await desk.account("gateway")
    await desk.office.sql("UPDATE accounts SET callback_secret = callback_secret || '\\x00'")
    answer = await desk.call_back(account, {"id": str(uuid4()), "state": "delivered"})
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


@pytest.mark.parametrize(
    ("provider", "change"),
    [
        ("gateway", {"url": "https://elsewhere.example/sms"}),
        ("gateway", {"find_url": "https://elsewhere.example/sms"}),
        ("wecom", {"endpoint": "https://elsewhere.example/send"}),
    ],
)
async def test_secrets_are_brought_again_for_another_place(desk: Desk, provider: str, change: dict[str, str]) -> None:
    account = await desk.account(provider)
    shown = await desk.admin.get(f"/accounts/{account}")
    path, match = f"/accounts/{account}", {"If-Match": shown.headers["etag"]}
    settings = shown.json()["settings"] | change
    refused = await desk.admin.patch(path, json={"settings": settings}, headers=match)
    assert [(its["pointer"], its["code"]) for its in refused.json()["errors"]] == [("/secrets", "secrets_needed")]
    secrets = {"gateway": {"secret": "new"}, "wecom": {"key": "new"}}[provider]
    changed = await desk.admin.patch(path, json={"settings": settings, "secrets": secrets}, headers=match)
    assert changed.status_code == 200, changed.text
    renamed = await desk.admin.patch(
        path, json={"settings": settings, "name": "新名"}, headers={"If-Match": changed.headers["etag"]}
    )
    assert renamed.status_code == 200, "the same place needs none"


async def test_a_text_goes_under_the_code_that_the_account_has_for_it(desk: Desk) -> None:
    await desk.route("sms")
    its = desk.gateway()
    its["settings"] |= {"fields": {"id": "$id", "phone": "$phone", "text": "$text", "code": "$template"}}
    ours = [{"event_type": "deadline.warned", "code": "SMS_9", "params": ["due"]}]
    for unit, codes in ((CITY, [{"event_type": "*", "code": "SMS_1"}]), (COUNTY, ours)):
        account = await desk.account("gateway", unit=unit, codes=codes, **its)
        assert (await desk.admin.get(f"/accounts/{account}")).json()["codes"] == codes
    await desk.office.hear(Appeal(START, STATION).warned(), Appeal(START, CITY).warned(owner="T1"))
    assert {json.loads(request.body)["code"] for request in desk.provider.requests} == {"SMS_1", "SMS_9"}


async def test_a_unit_has_one_account_of_a_channel_in_use(desk: Desk) -> None:
    await desk.account("gateway")
    new = {"provider": "gateway", "unit_code": CITY, "name": "二", **desk.gateway()}
    assert (await desk.admin.post("/accounts", json=new)).json()["type"] == "/problems/account-taken"
    assert (await desk.admin.post("/accounts", json={**new, "active": False})).status_code == 201


async def test_what_a_provider_does_not_bear_waits_and_is_said_together(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account(limits=[{"times": 2, "seconds": 3600, "per": "account"}])
    await desk.office.hear(*(Appeal(START).warned(owner=f"H{n}") for n in range(5)))
    assert len(desk.provider.requests) == 2
    waiting = [each for each in await desk.office.deliveries() if each["state"] == "queued"]
    assert {each["why"] for each in waiting} == {"limited"}
    assert len(waiting) == 3
    last = waiting[0]["recipient"]
    await desk.office.hear(Appeal(START).warned(owner=last), Appeal(START).warned(owner=last))
    assert len(desk.provider.requests) == 2
    await desk.office.sql(REFILL)
    await desk.office.sql(AGAIN)
    await desk.office.stack.settle()
    told = [json.loads(request.body)["data"] for request in desk.provider.requests[2:]]
    assert len(told) == 2, "the bucket holds no more than two"
    await desk.office.sql(REFILL)
    await desk.office.sql(AGAIN)
    await desk.office.stack.settle()
    assert {state for _, state in await desk.office.told()} == {"delivered"}
    assert len(desk.provider.requests) == 5, "what waited for one person is one message"


async def test_what_is_handed_over_again_is_counted_too(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account(limits=[{"times": 1, "seconds": 3600, "per": "account"}])
    desk.provider.faults = lambda request: "drop"
    await desk.office.hear(Appeal(START).warned())
    await desk.office.sql(EXPIRE)
    await desk.office.stack.settle()
    assert len(desk.provider.requests) == 1, "it waits under its lease"
    desk.provider.faults = lambda request: "ok"
    await desk.office.sql(REFILL)
    await desk.office.sql(EXPIRE)
    await desk.office.stack.settle()
    assert await desk.office.told() == {("H1", "delivered")}
    assert len({request.headers["webhook-id"] for request in desk.provider.requests}) == 1


async def test_all_senders_take_from_one_bucket(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account(limits=[{"times": 7, "seconds": 3600, "per": "account"}])
    desk.office.notifier.workers.remove(desk.senders["webhook"])
    await desk.office.hear(*(Appeal(START).warned(owner=f"H{n}") for n in range(30)))
    first = desk.senders["webhook"]
    senders = [first]
    for _ in range(3):
        other = Sender(desk.office.notifier.runtime, "webhook", first.channel, first._language, first.contacts)
        other.config.batch = 5
        senders.append(other)

    async def run(sender: Sender) -> None:
        while await sender.run_once():
            pass

    await asyncio.gather(*map(run, senders))
    assert len(desk.provider.requests) == 7


async def test_no_person_is_sent_more_a_day_than_the_provider_bears(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account(limits=[{"times": 1, "seconds": 86_400, "per": "recipient"}])
    for owner in ("H1", "H1", "H2"):
        await desk.office.hear(Appeal(START).warned(owner=owner))
    told = [json.loads(request.body)["data"]["recipient"] for request in desk.provider.requests]
    assert told == ["H1", "H2"]


async def test_a_day_of_text_messages_is_counted_for_each_number_and_template(desk: Desk) -> None:
    await desk.route("sms")
    codes = [{"event_type": "deadline.warned", "code": "SMS_1"}, {"event_type": "*", "code": "SMS_2"}]
    await desk.account("gateway", codes=codes, limits=[{"times": 1, "seconds": 86_400, "per": "template"}])
    for event in (Appeal.warned, Appeal.breached, Appeal.warned, Appeal.breached):
        await desk.office.hear(event(Appeal(START)))
    assert len(desk.provider.requests) == 2
    told = sorted((its["event_type"], its["state"]) for its in await desk.office.deliveries())
    assert told == [(f"deadline.{event}", state) for event in ("breached", "warned") for state in ("queued", "sent")]


async def test_a_group_is_told_of_many_people_at_once_in_as_many_bytes_as_it_takes(desk: Desk) -> None:
    await desk.route("wecom")
    await desk.account("wecom")
    desk.office.notifier.workers.remove(desk.senders["wecom"])
    await desk.office.hear(*(Appeal(START, number=f"V{n:08}").warned(owner=f"H{n}") for n in range(40)))
    while await desk.senders["wecom"].run_once():
        pass
    (request,) = desk.provider.requests
    said = json.loads(request.body)
    assert said["msgtype"] == "markdown", "which may be twice as long"
    assert 2048 < len(said["markdown"]["content"].encode()) <= 4096
    assert set(re.findall("<@(H[0-9]+)>", said["markdown"]["content"])) == {f"H{n}" for n in range(40)}
    assert {state for _, state in await desk.office.told()} == {"sent"}
    await desk.office.hear(Appeal(START).warned(owner="H1"))
    while await desk.senders["wecom"].run_once():
        pass
    said = json.loads(desk.provider.requests[-1].body)
    assert (said["msgtype"], "<@H1>" in said["text"]["content"]) == ("text", True), "which is shown everywhere"


async def test_a_provider_that_wants_to_be_left_alone_is(desk: Desk) -> None:
    await desk.route("webhook")
    account = await desk.account()
    desk.senders["webhook"].config.back_off = BackOff(first=0.0, most=9)
    desk.provider.faults = lambda request: "429"
    await desk.office.hear(Appeal(START).warned())
    assert (await desk.admin.get(f"/accounts/{account}")).json()["paused_until"]
    await desk.office.sql("UPDATE accounts SET paused_until = now() + interval '1 hour'")
    before = len(desk.provider.requests)
    await desk.office.hear(Appeal(START).warned(owner="H2"))
    assert len(desk.provider.requests) == before
    assert {each["why"] for each in await desk.office.deliveries(recipient="H2")} == {"limited"}


async def _unknown(desk: Desk) -> tuple[str, dict[str, Any]]:
    """A text message of which nobody knows what became, and the account by which it went."""
    await desk.route("sms")
    account = await desk.account("gateway")
    desk.provider.faults = lambda request: "drop"
    await desk.office.hear(Appeal(START).warned())
    await desk.office.sql(EXPIRE)
    await desk.office.stack.settle()
    (delivery,) = await desk.office.deliveries()
    assert delivery["state"] == "unknown"
    return account, delivery


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        (["delivered"], "delivered"),
        (["failed"], "dead"),
        (["delivered", "failed", "delivered"], "delivered"),
        (["failed", "delivered", "delivered"], "delivered"),
    ],
)
async def test_a_late_receipt_says_what_became_of_an_unknown_one(desk: Desk, reports: list[str], state: str) -> None:
    account, delivery = await _unknown(desk)
    for report in reports:
        answer = await desk.call_back(account, {"id": delivery["send_id"], "state": report})
        assert answer.status_code == 200, answer.text
    (after,) = await desk.office.deliveries()
    assert (after["state"], after["send_id"]) == (state, delivery["send_id"])
    assert len(await desk.office.said("notification.sent.v1")) == (state == "delivered")
    assert len(desk.provider.requests) == 1


async def test_a_receipt_that_comes_before_its_send_is_recorded_is_kept(desk: Desk) -> None:
    await desk.route("sms")
    account = await desk.account("gateway")
    asked: list[Any] = []

    original = desk.senders["sms"].channel.send

    async def send(letter: Any) -> Any:
        receipt = await original(letter)
        asked.append(await desk.call_back(account, [{"reference": receipt.reference, "state": "delivered"}]))
        return receipt

    desk.senders["sms"].channel.send = send  # type: ignore[method-assign]
    await desk.office.hear(Appeal(START).warned())
    assert [answer.status_code for answer in asked] == [200]
    assert await desk.office.told() == {("H1", "delivered")}
    async with desk.office.notifier.runtime.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM early_reports") == 0


@pytest.mark.parametrize("report", ["delivered", "failed"])
async def test_what_was_taken_and_never_arrived_goes_by_the_next_channel_once(desk: Desk, report: str) -> None:
    await desk.route("sms")
    await desk.office.sql("UPDATE routes SET fallback = '{mailbox}', fallback_after = 60")
    account = await desk.account("gateway")
    await desk.office.hear(Appeal(START).warned())
    desk.office.clock.advance(timedelta(seconds=59))
    await desk.office.stack.settle()
    assert await desk.office.told() == {("H1", "sent")}
    desk.office.clock.advance(timedelta(seconds=1))
    await desk.office.stack.settle()
    told = {(its["channel"], its["state"], its["why"]) for its in await desk.office.deliveries()}
    assert told == {("sms", "sent", "no_receipt"), ("mailbox", "sent", "fallback_of:sms")}
    (first,) = await desk.office.deliveries(channel="sms")
    assert (await desk.call_back(account, {"id": first["send_id"], "state": report})).status_code == 200
    desk.office.clock.advance(timedelta(hours=1))
    await desk.office.stack.settle()
    told = {(its["channel"], its["state"]) for its in await desk.office.deliveries()}
    assert told == {("sms", {"failed": "dead"}.get(report, report)), ("mailbox", "sent")}
    assert len(await desk.office.mailbox()) == len(desk.provider.requests) == 1


@pytest.mark.parametrize("receipts", ["have", "have not"])
async def test_what_is_known_to_have_arrived_or_of_which_nothing_more_is_heard_is_told_once(
    desk: Desk, receipts: str
) -> None:
    await desk.route("sms")
    await desk.office.sql("UPDATE routes SET fallback = '{mailbox}', fallback_after = 60")
    account = await desk.account("gateway", callback_secret=CALLBACK if receipts == "have" else None)
    await desk.office.hear(Appeal(START).warned())
    if receipts == "have":
        (its,) = await desk.office.deliveries()
        assert (await desk.call_back(account, {"id": its["send_id"], "state": "delivered"})).status_code == 200
    desk.office.clock.advance(timedelta(hours=1))
    await desk.office.stack.settle()
    assert [its["channel"] for its in await desk.office.deliveries()] == ["sms"]


@pytest.mark.parametrize(("minutes", "channels"), [(24 * 60, {"sms", "mailbox"}), (24 * 60 + 2, {"sms"})])
async def test_what_should_have_fallen_back_more_than_a_day_ago_is_told_nobody_twice(
    desk: Desk, minutes: int, channels: set[str]
) -> None:
    """As where all stood still for that long."""
    await desk.route("sms")
    await desk.office.sql("UPDATE routes SET fallback = '{mailbox}', fallback_after = 60")
    await desk.account("gateway")
    await desk.office.hear(Appeal(START).warned())
    desk.office.clock.advance(timedelta(minutes=minutes))
    await desk.office.stack.settle()
    assert {its["channel"] for its in await desk.office.deliveries()} == channels


async def test_what_was_sent_before_receipts_were_waited_for_is_told_nobody_twice(desk: Desk) -> None:
    await desk.route("sms")
    await desk.office.sql("UPDATE routes SET fallback = '{mailbox}', fallback_after = 7200")
    await desk.account("gateway")
    await desk.office.hear(Appeal(START).warned())
    desk.office.clock.advance(timedelta(minutes=61))
    await desk.office.hear(Appeal(START).warned())
    await desk.office.sql(import_module("notifier.migrations.versions.0024_unreceipted_before").SENT)
    desk.office.clock.advance(timedelta(hours=3))
    await desk.office.stack.settle()
    assert sorted(its["channel"] for its in await desk.office.deliveries()) == ["mailbox", "sms", "sms"]


async def test_a_receipt_that_comes_at_the_moment_of_recording_is_not_lost(desk: Desk) -> None:
    await desk.route("sms")
    account = UUID(await desk.account("gateway"))

    async def send(letter: Any) -> Receipt:
        return Receipt("R1")

    desk.senders["sms"].channel.send = send  # type: ignore[method-assign]
    runtime = desk.office.notifier.runtime
    async with runtime.db.transaction() as tx:
        # Neither sees the other: the send is recorded before this is committed, and this was said before it was.
        await reports.hear(tx, runtime.outbox, account, [Report(True, None, "R1")], desk.office.clock.now())
        await desk.office.hear(Appeal(START).warned())
        assert await desk.office.told() == {("H1", "sent")}
    await desk.office.stack.settle()
    assert await desk.office.told() == {("H1", "delivered")}


async def test_what_nobody_needs_any_more_is_forgotten(desk: Desk) -> None:
    await desk.route("sms")
    account = UUID(await desk.account("gateway", limits=[{"times": 5, "seconds": 60, "per": "recipient"}]))
    await desk.office.hear(Appeal(START).warned())
    runtime = desk.office.notifier.runtime
    async with runtime.db.transaction() as tx:
        await reports.hear(tx, runtime.outbox, account, [Report(True, None, "ours?")], desk.office.clock.now())
    kept = "SELECT (SELECT count(*) FROM buckets), (SELECT count(*) FROM early_reports)"
    await desk.office.stack.settle()
    async with runtime.db.connection() as connection:
        assert tuple(await connection.fetchrow(kept)) == (1, 1)
    desk.office.clock.advance(timedelta(days=8))
    await desk.office.sql("UPDATE buckets SET empty_at = now()")
    await desk.office.stack.settle()
    async with runtime.db.connection() as connection:
        assert tuple(await connection.fetchrow(kept)) == (0, 0)


Spoil = Callable[[dict[str, str]], dict[str, str]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signed: {},
        lambda signed: signed | {"webhook-signature": "v1,AAAA"},
        lambda signed: signed | {"webhook-id": "another"},
        lambda signed: signed | {"webhook-timestamp": "1"},
        lambda signed: signed | {"webhook-timestamp": "soon"},
        lambda signed: signed | {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 3600)},
    ],
)
async def test_a_receipt_that_is_not_signed_changes_nothing(desk: Desk, spoil: Spoil) -> None:
    account, delivery = await _unknown(desk)
    content = json.dumps({"id": delivery["send_id"], "state": "delivered"}).encode()
    signed = standard_webhook([CALLBACK], "1", datetime.now(UTC), content)
    answer = await desk.unsigned(f"/v1/receipts/sms/{account}", content, spoil(signed))
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/bad-signature")
    assert [each["state"] for each in await desk.office.deliveries()] == ["unknown"]


async def test_a_receipt_takes_no_connection_of_the_loops(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    account, report = await desk.account("gateway"), {"id": str(uuid4()), "state": "delivered"}
    async with requests_elsewhere(desk.office.notifier.runtime.db, monkeypatch):
        assert (await desk.call_back(account, report)).status_code == 503
    assert (await desk.call_back(account, report)).status_code == 200


async def test_whoever_cannot_sign_knows_an_address_and_nobody_learns_which_accounts_there_are(desk: Desk) -> None:
    account, delivery = await _unknown(desk)
    content = json.dumps({"id": delivery["send_id"], "state": "delivered"}).encode()

    class Its:
        receives_at = f"/v1/receipts/sms/{account}"

    key = callback_key(CALLBACK, Its())  # type: ignore[arg-type]
    wrong = await desk.unsigned(f"/v1/receipts/sms/{account}?key={key[::-1]}", content, {})
    nobody = await desk.unsigned(f"/v1/receipts/sms/{uuid4()}?key={key}", content, {})
    nonsense = await desk.unsigned(f"/v1/receipts/sms/nobody?key={key}", content, {})
    elsewhere = await desk.unsigned(f"/v1/receipts/email/{account}?key={key}", content, {})
    for answer in (wrong, nobody, nonsense, elsewhere):
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/bad-signature")
    assert (await desk.call_back(account, {"surprise": 1})).status_code == 422
    assert (await desk.call_back(account, {"id": str(uuid4()), "state": "delivered"})).status_code == 200
    right = await desk.unsigned(f"/v1/receipts/sms/{account}?key={key}", content, {})
    assert right.status_code == 200, right.text
    assert await desk.office.told() == {("H1", "delivered")}


async def test_many_are_tried_again_at_once_after_they_were_counted(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.account()
    desk.provider.faults = lambda request: "410"
    await desk.office.hear(*(Appeal(START).warned(owner=f"H{n}") for n in range(4)), Appeal(START, OTHER).warned())
    desk.provider.faults = lambda request: "ok"
    supervisor = desk.office.client("supervisor", unit=CITY, sub="S9")
    which = {"since": START.isoformat(), "until": (START + timedelta(days=1)).isoformat(), "channel": "webhook"}
    dry = await supervisor.post("/deliveries/retry", json=which)
    assert (dry.status_code, dry.json()) == (200, {"count": 4, "more": False, "arrived_otherwise": 0}), dry.text
    assert {state for _, state in await desk.office.told()} == {"dead"}
    narrow = await supervisor.post("/deliveries/retry", json={**which, "recipient": "H1"})
    assert narrow.json()["count"] == 1
    done = await supervisor.post("/deliveries/retry", json={**which, "dry_run": False})
    assert done.json() == {"count": 4, "more": False, "arrived_otherwise": 0}
    await desk.office.stack.settle()
    assert {state for _, state in await desk.office.told()} == {"delivered"}
    assert (await desk.office.client("handler", unit=CITY).post("/deliveries/retry", json=which)).status_code == 403


async def test_what_arrived_by_another_channel_is_not_tried_again_with_the_many(desk: Desk) -> None:
    await desk.route("webhook")
    await desk.office.sql("UPDATE routes SET fallback = '{sms,mailbox}' WHERE id LIKE '%.owner'")
    await desk.account()
    desk.provider.faults = lambda request: "410"
    await desk.office.hear(Appeal(START).warned(), Appeal(START).warned("unit_supervisors"))
    told = {
        (its["recipient"], its["channel"], its["state"], its["fallback_of"]) for its in await desk.office.deliveries()
    }
    assert told == {
        ("H1", "webhook", "dead", None),
        ("H1", "sms", "dead", "webhook"),
        ("H1", "mailbox", "sent", "sms"),
        ("S1", "webhook", "dead", None),
    }
    supervisor = desk.office.client("supervisor", unit=CITY, sub="S9")
    which = {"since": START.isoformat(), "until": (START + timedelta(days=1)).isoformat()}
    dry = await supervisor.post("/deliveries/retry", json=which)
    assert dry.json() == {"count": 1, "more": False, "arrived_otherwise": 2}
    desk.provider.faults = lambda request: "ok"
    done = await supervisor.post("/deliveries/retry", json={**which, "dry_run": False})
    assert done.json() == {"count": 1, "more": False, "arrived_otherwise": 2}
    await desk.office.stack.settle()
    assert ("H1", "dead") in await desk.office.told(channel="webhook")
    assert ("S1", "delivered") in await desk.office.told(channel="webhook")


async def test_many_unknown_ones_are_asked_of_before_they_are_sent_again(desk: Desk) -> None:
    _, delivery = await _unknown(desk)
    desk.provider.faults = lambda request: "ok"
    supervisor = desk.office.client("supervisor", unit=CITY, sub="S9")
    which = {"since": START.isoformat(), "until": (START + timedelta(days=1)).isoformat(), "states": ["unknown"]}
    done = await supervisor.post("/deliveries/retry", json={**which, "dry_run": False})
    assert done.json()["count"] == 1, done.text
    await desk.office.stack.settle()
    (after,) = await desk.office.deliveries()
    assert (after["state"], after["send_id"]) == ("sent", delivery["send_id"]), "a person said so; it is the same send"
    assert desk.provider.count(str(UUID(delivery["send_id"]))) == 2
