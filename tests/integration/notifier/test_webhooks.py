"""Webhooks for integrators: what is heard is told to whoever subscribed and may see it, signed, again and again for
three days, and one endpoint's trouble is nobody else's."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from chassis.ids import new_id
from deploy.local.demo.provider import Provider
from notifier.channels.networks import Policy
from notifier.channels.outward import Outward
from notifier.webhooks.dispatcher import Dispatcher
from notifier.webhooks.envelope import TYPES
from tests.conftest import START
from tests.integration.notifier.office import CITY, COUNTY, OTHER, STATION, Appeal, Office

SECRET, NEXT = ("whsec_" + base64.b64encode(sign * 24).decode() for sign in (b"a", b"b"))
DUE = text("UPDATE webhook_messages SET due_at = now() WHERE state IN ('queued', 'sending')")


class Hooks:
    """An integrator at the county, and where they listen."""

    def __init__(self, office: Office, provider: Provider) -> None:
        self.office, self.provider = office, provider
        self.client = office.client("integration", unit=COUNTY, sub="I1")
        self.dispatcher = next(each for each in office.notifier.workers if isinstance(each, Dispatcher))
        self.dispatcher.outward = Outward(Policy(local=True))
        settings = office.notifier.runtime.settings
        office.notifier.runtime.settings = settings.model_copy(update={"stack": "local"})

    async def add(self, path: str = "/hook", *, types: list[str] | None = None, **more: Any) -> str:
        new = {"url": self.provider.url + path, "event_types": types or ["*"], "unit_code": COUNTY, "secret": SECRET}
        answer = await self.client.post("/webhooks", json=new | more)
        assert answer.status_code == 201, answer.text
        assert SECRET not in answer.text
        return str(answer.json()["id"])

    async def messages(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("/webhook-messages", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def message(self, id: str) -> dict[str, Any]:
        its: dict[str, Any] = (await self.client.get(f"/webhook-messages/{id}")).json()
        return its

    async def dispatch(self, *, all_due: bool = False) -> None:
        if all_due:
            await self.sql(DUE)
        while await self.dispatcher.run_once():
            pass

    async def sql(self, statement: Any) -> None:
        async with self.office.notifier.runtime.db.transaction() as tx:
            await tx.execute(statement)

    def fault(self, name: str) -> None:
        self.provider.faults = lambda request: name


@pytest.fixture
async def hooks(office: Office) -> AsyncIterator[Hooks]:
    async with Provider() as provider:
        its = Hooks(office, provider)
        yield its
        await its.dispatcher.close()


async def test_what_is_heard_arrives_as_the_cloud_event_that_it_was(hooks: Hooks, appeal: Appeal) -> None:
    endpoint = await hooks.add()
    opened, warned = await hooks.office.hear(appeal.opened(), appeal.warned())
    requests = {request.headers["webhook-id"]: request for request in hooks.provider.requests}
    messages = await hooks.messages(endpoint_id=endpoint)
    assert {(m["event_id"], m["event_type"], m["state"]) for m in messages} == {
        (str(opened), "appeal.opened.v1", "delivered"),
        (str(warned), "deadline.warned.v1", "delivered"),
    }
    first = next(m for m in messages if m["event_id"] == str(opened))
    request = requests[first["id"]]
    said = Verifier(SECRET).verify(request.body, dict(request.headers))
    assert {name: said[name] for name in ("specversion", "id", "type", "source", "subject")} == {
        "specversion": "1.0",
        "id": str(opened),
        "type": "appeal.opened.v1",
        "source": "/test",
        "subject": str(appeal.id),
    }
    assert said["data"]["appeal_no"] == appeal.number
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    shown = await hooks.message(first["id"])
    (attempt,) = shown["log"]
    assert json.loads(shown["payload"]) == said
    assert (attempt["status"], attempt["error"]) == (200, None)
    assert "webhook-signature: v1," in attempt["request_head"]
    assert "content-type: application/json" in attempt["response_head"]


async def test_who_subscribed_to_a_type_of_a_unit_hears_that_once(hooks: Hooks) -> None:
    warned = await hooks.add("/a", types=["deadline.warned.v1"])
    above = await hooks.add("/b", unit_code=STATION)
    elsewhere = hooks.office.client("integration", unit=OTHER)
    new = {"url": f"{hooks.provider.url}/c", "event_types": ["*"], "unit_code": OTHER, "secret": SECRET}
    other = (await elsewhere.post("/webhooks", json=new)).json()["id"]
    ours, theirs, handed = Appeal(START, COUNTY), Appeal(START, OTHER), Appeal(START, OTHER)
    ids = [new_id() for _ in range(4)]
    events = (ours.opened(), ours.warned(), theirs.warned(), handed.warned(handling_unit_code=STATION))
    await hooks.office.hear(*events, ids=ids)
    await hooks.office.hear(*events, ids=ids)  # heard again: nothing new
    heard = {(m["endpoint_id"], m["event_id"]) for m in await hooks.messages()}
    assert heard == {(warned, str(ids[1])), (warned, str(ids[3])), (above, str(ids[3]))}
    its = (await elsewhere.get("/webhook-messages")).json()["items"]
    assert {(m["endpoint_id"], m["event_id"]) for m in its} == {(other, str(ids[2])), (other, str(ids[3]))}


async def test_a_message_is_tried_again_and_its_pauses_grow_to_three_days(hooks: Hooks, appeal: Appeal) -> None:
    endpoint = await hooks.add()
    hooks.fault("500")
    await hooks.office.hear(appeal.warned())
    (message,) = await hooks.messages()
    assert (message["state"], message["attempts"], message["error"]) == ("queued", 1, "status 500")
    assert (await hooks.client.get(f"/webhooks/{endpoint}")).json()["failing_since"]
    for _ in range(10):
        await hooks.dispatch(all_due=True)
    (message,) = await hooks.messages()
    assert (message["state"], message["attempts"]) == ("dead", 11)
    assert len((await hooks.message(message["id"]))["log"]) == 11
    assert len({request.headers["webhook-id"] for request in hooks.provider.requests}) == 1

    hooks.fault("ok")
    assert (await hooks.client.post(f"/webhook-messages/{message['id']}/replay")).json()["state"] == "queued"
    await hooks.dispatch()
    assert [m["state"] for m in await hooks.messages()] == ["delivered"]
    assert (await hooks.client.get(f"/webhooks/{endpoint}")).json()["failing_since"] is None


async def test_who_asks_for_time_is_given_it(hooks: Hooks, appeal: Appeal) -> None:
    await hooks.add()
    hooks.fault("429")
    await hooks.office.hear(appeal.warned())
    async with hooks.office.notifier.runtime.db.connection() as connection:
        pause = "SELECT extract(epoch FROM due_at - now())::float FROM webhook_messages"
        assert 3 < await connection.fetchval(pause) <= 5, "its second, and our five"


async def test_who_is_gone_is_told_nothing_more_until_somebody_says_otherwise(hooks: Hooks) -> None:
    endpoint = await hooks.add()
    hooks.fault("410")
    await hooks.office.hear(Appeal(START).warned())
    assert [m["state"] for m in await hooks.messages()] == ["dead"]
    shown = await hooks.client.get(f"/webhooks/{endpoint}")
    assert (shown.json()["state"], shown.json()["why"]) == ("disabled", "gone")
    await hooks.office.hear(Appeal(START).warned())
    assert sorted(m["state"] for m in await hooks.messages()) == ["dead", "skipped"]
    assert len(hooks.provider.requests) == 1
    assert (await hooks.client.post(f"/webhooks/{endpoint}/ping")).status_code == 409

    hooks.fault("ok")
    tag = {"If-Match": shown.headers["etag"]}
    enabled = await hooks.client.patch(f"/webhooks/{endpoint}", json={"active": True}, headers=tag)
    assert (enabled.status_code, enabled.json()["state"]) == (200, "active")
    span = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    dry = await hooks.client.post(f"/webhooks/{endpoint}/replay", json={**span, "dry_run": True})
    assert (dry.json(), len(hooks.provider.requests)) == ({"count": 2}, 1)
    assert (await hooks.client.post(f"/webhooks/{endpoint}/replay", json=span)).json() == {"count": 2}
    await hooks.dispatch()
    assert [m["state"] for m in await hooks.messages()] == ["delivered", "delivered"]


async def test_a_secret_is_changed_while_both_are_believed(hooks: Hooks) -> None:
    endpoint = await hooks.add()
    turned = await hooks.client.post(f"/webhooks/{endpoint}/rotate", json={"secret": NEXT, "both_for_hours": 1})
    assert turned.json()["old_secret_until"]
    assert NEXT not in turned.text
    pinged = await hooks.client.post(f"/webhooks/{endpoint}/ping")
    assert (pinged.json()["event_type"], pinged.json()["state"]) == ("webhook.pinged.v1", "queued")
    await hooks.dispatch()
    (request,) = hooks.provider.requests
    for secret in (SECRET, NEXT):
        assert Verifier(secret).verify(request.body, dict(request.headers))["type"] == "webhook.pinged.v1"
    await hooks.sql(text("UPDATE webhook_endpoints SET old_secret_until = now()"))
    await hooks.client.post(f"/webhooks/{endpoint}/ping")
    await hooks.dispatch()
    assert len(hooks.provider.requests[-1].headers["webhook-signature"].split(" ")) == 1
    async with hooks.office.notifier.runtime.db.connection() as connection:
        kept = await connection.fetchval("SELECT string_agg(e::text, '') FROM webhook_endpoints e")
    assert SECRET not in kept


async def test_an_order_is_kept_where_it_is_asked_for(hooks: Hooks) -> None:
    await hooks.add("/ordered", ordered=True)
    await hooks.add("/free")
    hooks.provider.faults = lambda request: "500" if request.path == "/ordered" else "ok"
    its = [Appeal(START, number=f"V{n}") for n in range(5)]
    await hooks.office.hear(*(each.opened() for each in its))
    assert sum(request.path == "/free" for request in hooks.provider.requests) == 5
    assert [m["state"] for m in await hooks.messages(state="queued")] == ["queued"] * 5, "the first holds up the others"
    hooks.fault("ok")
    await hooks.dispatch(all_due=True)
    told = [json.loads(r.body)["data"]["appeal_no"] for r in hooks.provider.requests if r.path == "/ordered"]
    assert (told[-5:], {*told[:-5]}) == (["V0", "V1", "V2", "V3", "V4"], {"V0"})


async def test_a_dead_endpoint_slows_no_other(hooks: Hooks) -> None:
    await hooks.add("/dead")
    await hooks.add("/well")
    hooks.dispatcher.config.patience = 30.0
    hooks.provider.faults = lambda request: "hang" if request.path == "/dead" else "ok"
    await hooks.office.publish(*(Appeal(START).opened() for _ in range(30)))
    hooks.office.notifier.workers.remove(hooks.dispatcher)
    await hooks.office.stack.settle()

    def told(path: str) -> int:
        return sum(request.path == path for request in hooks.provider.requests)

    async with asyncio.timeout(20):
        while told("/well") < 30:
            await hooks.dispatcher.run_once()
    assert told("/dead") == hooks.dispatcher.config.most, "it has its own few, and waits for them alone"


@pytest.mark.parametrize("how", ["302", "endless", "drop"])
async def test_where_an_answer_leads_nobody_follows_and_one_without_end_is_cut(
    hooks: Hooks, appeal: Appeal, how: str
) -> None:
    await hooks.add()
    hooks.dispatcher.config.patience = 1.0
    hooks.fault(how)
    await hooks.office.hear(appeal.warned())
    (message,) = await hooks.messages()
    (attempt,) = (await hooks.message(message["id"]))["log"]
    assert len(hooks.provider.requests) == 1
    assert message["state"] == ("delivered" if how == "endless" else "queued"), "a 2xx is a yes"
    assert attempt["status"] == {"302": 302, "endless": 200, "drop": None}[how]
    assert len(attempt["response_body"] or "") <= 1024


async def test_what_died_while_it_was_sent_is_sent_again_under_its_id(hooks: Hooks, appeal: Appeal) -> None:
    await hooks.add()
    hooks.fault("hang")
    hooks.office.notifier.workers.remove(hooks.dispatcher)
    await hooks.office.hear(appeal.warned())
    await hooks.dispatcher.run_once()
    await hooks.dispatcher.close()
    (message,) = await hooks.messages()
    assert message["state"] == "sending"
    busy = await hooks.client.post(f"/webhook-messages/{message['id']}/replay")
    assert (busy.status_code, busy.json()["type"]) == (409, "/problems/webhook-message-underway")
    hooks.fault("ok")
    hooks.dispatcher._under_way.clear()
    hooks.dispatcher.outward = Outward(Policy(local=True))
    await hooks.dispatch(all_due=True)
    (after,) = await hooks.messages()
    assert (after["id"], after["state"], after["attempts"]) == (message["id"], "delivered", 2)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"url": "http://example.com/"}, "/url", "not_https"),
        ({"url": "https://127.0.0.1/"}, "/url", "address_not_public"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url", "address_not_public"),
        ({"url": "https://169.254.169.254/"}, "/url", "address_not_public"),
        ({"url": "https://a@example.com/"}, "/url", "url_with_credentials"),
        ({"url": "https://example.com:22/"}, "/url", "port_not_allowed"),
        ({"url": "gopher://example.com/"}, "/url", "url_malformed"),
        ({"event_types": ["appeal.imagined.v1"]}, "/event_types/0", "event_type"),
        ({"event_types": [TYPES[0], TYPES[0]]}, "/event_types", "repeated"),
        ({"event_types": []}, "/event_types", "too_short"),
        ({"secret": "whsec_c2hvcnQ="}, "/secret", "secret"),
        ({"secret": "plain"}, "/secret", "secret"),
        ({"unit_code": OTHER}, "/unit_code", "unknown_unit"),
        ({"unit_code": CITY}, "/unit_code", "unknown_unit"),
    ],
)
async def test_an_endpoint_that_cannot_be_is_refused(
    office: Office, change: dict[str, Any], pointer: str, code: str
) -> None:
    new = {"url": "https://hooks.example.com/", "event_types": ["*"], "unit_code": COUNTY, "secret": SECRET}
    answer = await office.client("integration", unit=COUNTY).post("/webhooks", json=new | change)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def test_a_name_that_leads_home_is_not_called_whatever_it_led_to_before(
    hooks: Hooks, appeal: Appeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It resolves to a public address when it is looked at, and to the machine's own when it is called."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in answers[len(asked)]]

    await hooks.add(url="https://rebinding.example.com/")
    hooks.dispatcher.outward = Outward(Policy())
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    await hooks.office.hear(appeal.warned())
    await hooks.dispatch(all_due=True)
    monkeypatch.undo()
    (message,) = await hooks.messages()
    assert asked == ["rebinding.example.com"] * 2
    assert [attempt["error"] for attempt in (await hooks.message(message["id"]))["log"]] == ["address_not_public"] * 2


async def test_the_same_endpoint_made_again_is_the_one_that_is_there(hooks: Hooks) -> None:
    its = str(uuid4())
    assert await hooks.add(id=its) == its
    assert await hooks.add(id=its) == its
    new = {"id": its, "url": "http://127.0.0.1:1/", "event_types": ["*"], "unit_code": COUNTY, "secret": SECRET}
    assert (await hooks.client.post("/webhooks", json=new)).status_code == 409


async def test_a_removed_endpoint_is_told_nothing_and_is_not_there(hooks: Hooks, appeal: Appeal) -> None:
    endpoint = await hooks.add()
    removed = await hooks.client.delete(f"/webhooks/{endpoint}", headers={"If-Match": "*"})
    assert removed.status_code == 204, removed.text
    await hooks.office.hear(appeal.warned())
    assert (hooks.provider.requests, await hooks.messages()) == ([], [])
    assert (await hooks.client.get(f"/webhooks/{endpoint}")).status_code == 404
    feed = await hooks.client.get("/webhooks", params={"updated_since": START.isoformat()})
    assert [each["state"] for each in feed.json()["items"]] == ["removed"]


async def test_an_old_log_is_forgotten_and_what_waits_is_not(hooks: Hooks) -> None:
    await hooks.add("/a")
    await hooks.office.hear(Appeal(START).warned())
    hooks.fault("500")
    await hooks.office.hear(Appeal(START).warned())
    await hooks.sql(text("UPDATE webhook_messages SET made_at = now() - interval '31 days'"))
    hooks.dispatcher._purged = float("-inf")
    await hooks.dispatcher.run_once()
    assert [m["state"] for m in await hooks.messages()] == ["queued"]


async def test_an_endpoint_whose_secret_cannot_be_opened_costs_nobody_else(hooks: Hooks, appeal: Appeal) -> None:
    broken, well = await hooks.add("/broken"), await hooks.add("/well")
    lost = "UPDATE webhook_endpoints SET secret = overlay(secret placing '\\xff' from 3) WHERE url LIKE '%/broken'"
    await hooks.sql(text(lost))
    await hooks.office.hear(appeal.warned())
    assert [request.path for request in hooks.provider.requests] == ["/well"]
    ours, theirs = await hooks.messages(endpoint_id=broken), await hooks.messages(endpoint_id=well)
    assert [(m["state"], m["error"]) for m in (*ours, *theirs)] == [
        ("queued", "secret_unreadable"),
        ("delivered", None),
    ]
    assert (await hooks.client.get(f"/webhooks/{broken}")).json()["failing_since"]
    assert (await hooks.client.post(f"/webhooks/{broken}/rotate", json={"secret": NEXT})).status_code == 200
    await hooks.dispatch(all_due=True)
    last = hooks.provider.requests[-1]
    assert last.path == "/broken"
    assert Verifier(NEXT).verify(last.body, dict(last.headers))


async def test_a_secret_is_brought_again_for_another_place(hooks: Hooks) -> None:
    endpoint = await hooks.add()
    turned = await hooks.client.post(f"/webhooks/{endpoint}/rotate", json={"secret": NEXT})
    path, match = f"/webhooks/{endpoint}", {"If-Match": turned.headers.get("etag") or "*"}
    elsewhere = {"url": hooks.provider.url + "/elsewhere"}
    refused = await hooks.client.patch(path, json=elsewhere, headers=match)
    assert [(its["pointer"], its["code"]) for its in refused.json()["errors"]] == [("/secret", "secret_needed")]
    changed = await hooks.client.patch(path, json={**elsewhere, "secret": SECRET}, headers=match)
    assert (changed.status_code, changed.json()["old_secret_until"]) == (200, None), changed.text
    await hooks.client.post(f"{path}/ping")
    await hooks.dispatch()
    (request,) = hooks.provider.requests
    assert request.path == "/elsewhere"
    assert len(request.headers["webhook-signature"].split()) == 1, "the secret of the place before signs nothing here"
    assert Verifier(SECRET).verify(request.body, dict(request.headers))
