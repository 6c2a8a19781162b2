"""What the notifier shows, to whom, and what may be changed."""

from uuid import uuid4

import pytest

from notifier.channels.port import Refused
from notifier.routes.shipped import shipped
from tests.conftest import START
from tests.integration.notifier.gateway import Gateway, sender_of
from tests.integration.notifier.office import CITY, COUNTY, OTHER, STATION, Appeal, Office, unit
from tests.support.following import Copy


async def test_a_delivery_is_shown_with_all_that_was_decided(office: Office, appeal: Appeal):
    (event_id,) = await office.hear(appeal.warned())
    (delivery,) = await office.deliveries(appeal_id=appeal.id)
    assert delivery == delivery | {
        "event_id": str(event_id),
        "event_type": "deadline.warned",
        "appeal_id": str(appeal.id),
        "visit_id": str(appeal.visit_id),
        "step": "0.5",
        "milestone": "contact",
        "recipient": "H1",
        "channel": "mailbox",
        "audience": "owner",
        "state": "sent",
        "attempts": 1,
        "not_before": "2026-10-09T02:00:00Z",
        "sent_at": "2026-10-09T02:00:00Z",
        "unit_code": STATION,
        "handling_unit_code": STATION,
    }
    answer = await office.client("handler").get(f"deliveries/{delivery['id']}")
    assert answer.json() == delivery
    assert answer.headers["etag"]


async def test_the_raising_and_the_handling_unit_and_those_above_see_it_and_others_see_nothing(office: Office):
    appeal = Appeal(START)
    await office.hear(appeal.warned(handling_unit_code=OTHER))
    for code in (STATION, COUNTY, CITY, OTHER):
        assert len(await office.deliveries(unit=code)) == 1, code
    (delivery,) = await office.deliveries()
    stranger = office.client("supervisor", "admin", unit="37402")
    assert (await stranger.get("deliveries", params={"appeal_id": str(appeal.id)})).json()["items"] == []
    theirs = await stranger.get(f"deliveries/{delivery['id']}")
    missing = await stranger.get(f"deliveries/{uuid4()}")
    assert theirs.status_code == missing.status_code == 404
    assert {**theirs.json(), "trace_id": ""} == {**missing.json(), "trace_id": ""}
    assert (await stranger.post(f"deliveries/{delivery['id']}/retry")).status_code == 404


async def test_deliveries_are_found_by_what_they_are(office: Office):
    first, second = Appeal(START), Appeal(START)
    (event_id, _) = await office.hear(first.warned("owner", "unit_supervisors"), second.warned(owner="H2"))
    for query, count in (
        ({"appeal_id": first.id}, 2),
        ({"event_id": event_id}, 2),
        ({"recipient": "H2"}, 1),
        ({"channel": "mailbox"}, 3),
        ({"channel": "sms"}, 0),
        ({"state": "sent"}, 3),
        ({"state": "dead"}, 0),
        ({"appeal_id": first.visit_id}, 0),
        ({"limit": 1}, 3),
    ):
        assert len(await office.deliveries(**query)) == count, query


async def test_a_feed_of_deliveries_tells_of_every_change(office: Office, appeal: Appeal):
    client = office.client("supervisor")
    office.clock.set(START.replace(hour=22))
    await office.hear(appeal.warned())
    page = (await client.get("deliveries", params={"updated_since": START.isoformat()})).json()
    assert [delivery["state"] for delivery in page["items"]] == ["deferred"]
    office.clock.set(START.replace(day=10))
    await office.stack.settle()
    page = (await client.get("deliveries", params={"cursor": page["next"]})).json()
    assert [delivery["state"] for delivery in page["items"]] == ["sent"]
    assert (await client.get("deliveries", params={"cursor": page["next"]})).json()["items"] == []


async def test_only_what_failed_may_be_retried_and_only_by_those_in_charge(office: Office, appeal: Appeal):
    await office.hear(appeal.warned())
    sender_of(office, Gateway(Refused("no", permanent=True)))
    await office.hear(Appeal(START).warned(owner="H2"))
    (sent,), (dead,) = [await office.deliveries(recipient=who) for who in ("H1", "H2")]
    assert dead["state"] == "dead"
    refused = await office.client("supervisor").post(f"deliveries/{sent['id']}/retry")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/delivery-not-retriable")
    assert refused.json()["state"] == "sent"
    for role in ("handler", "auditor", "visitor"):
        assert (await office.client(role).post(f"deliveries/{dead['id']}/retry")).status_code == 403, role
    assert (await office.client("admin").post(f"deliveries/{dead['id']}/retry")).status_code == 200


async def test_a_mailbox_is_read_by_its_owner_and_by_whoever_may_see_all_that_it_tells(office: Office):
    own, foreign = Appeal(START, STATION, "V1"), Appeal(START, OTHER, "V2")
    office.clock.set(START.replace(hour=22))
    await office.hear(own.opened(), foreign.opened(), own.warned(), foreign.warned(), own.warned(owner="S1"))
    office.clock.set(START.replace(day=10))
    await office.stack.settle()

    async def seen(unit: str, sub: str = "tester", **query: str) -> set[str]:
        answer = await office.client("handler", unit=unit, sub=sub).get("mailbox", params=query)
        return {letter["recipient"] for letter in answer.json()["items"]}

    assert await seen(STATION) == {"S1"}, "the letter to H1 also tells of another unit's appeal"
    assert await seen(OTHER) == set()
    assert await seen(STATION, "H1") == {"H1", "S1"}
    assert await seen(STATION, "H1", recipient="H1") == {"H1"}
    assert await seen("37402", "nobody") == set()


async def test_routes_are_shown_to_all_and_changed_by_an_admin_at_the_top(office: Office):
    reader, admin = office.client("visitor"), office.client("admin", unit=CITY, sub="A1")
    routes = (await reader.get("routes")).json()["items"]
    assert len(routes) == len(shipped())
    shown = await reader.get("routes/deadline.warned.owner")
    assert shown.json()["channels"] == ["mailbox"]
    tag = {"If-Match": shown.headers["etag"]}
    body = {"channels": ["mailbox"]}

    assert (await admin.put("routes/deadline.warned.owner", json=body)).status_code == 428
    below = office.client("admin", unit=STATION)
    assert (await below.put("routes/deadline.warned.owner", json=body, headers=tag)).status_code == 403
    assert (await reader.put("routes/deadline.warned.owner", json=body, headers=tag)).status_code == 403
    changed = await admin.put("routes/deadline.warned.owner", json=body, headers=tag)
    assert (changed.status_code, changed.json()["version"], changed.json()["changed_by"]) == (200, 2, "A1")
    assert (await admin.put("routes/deadline.warned.owner", json=body, headers=tag)).status_code == 412
    assert (await admin.put("routes/unheard.of", json=body, headers={"If-Match": "*"})).status_code == 404
    assert (await reader.get("routes/unheard.of")).status_code == 404
    feed = await reader.get("routes", params={"updated_since": START.isoformat()})
    assert "deadline.warned.owner" in {route["id"] for route in feed.json()["items"]}


async def test_a_route_that_tells_nobody_or_by_no_channel_is_refused(office: Office):
    admin = office.client("admin", unit=CITY)
    for body, pointer in (
        ({"channels": []}, "/channels"),
        ({"channels": ["pigeon"]}, "/channels/0"),
        ({"channels": ["mailbox", "mailbox"]}, "/channels"),
        ({"channels": ["mailbox"], "audience": "owner"}, "/audience"),
        ({"channels": ["mailbox"], "fallback": ["mailbox"]}, ""),
        ({"channels": ["mailbox"], "passes": "always"}, ""),
        ({"channels": ["mailbox"], "condition": {"weather": ["rain"]}}, "/condition/weather"),
        ({"channels": ["mailbox"], "condition": {"units": []}}, "/condition/units"),
        ({}, "/channels"),
    ):
        answer = await admin.put("routes/deadline.warned.owner", json=body, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), body
    assert (await admin.get("routes/deadline.warned.owner")).json()["version"] == 1


async def test_templates_are_shown(office: Office):
    client = office.client("visitor")
    templates = (await client.get("templates", params={"limit": 200})).json()
    assert templates["next"] is None
    kinds = [*(f"deadline.{verb}" for verb in ("warned", "breached", "escalated")), "*", "digest"]
    kinds.append("appeal.callback_scheduled")
    kinds += [f"customer:appeal.{verb}" for verb in ("answered", "callback_asked")]
    shown = {(its["event_type"], its["language"]) for its in templates["items"]}
    assert shown == {(kind, language) for kind in kinds for language in ("zh-CN", "en")}
    one = await client.get("templates/deadline.warned.mailbox.en")
    assert one.json() in templates["items"]
    assert (await client.get("templates/deadline.warned.pigeon.en")).status_code == 404


@pytest.mark.parametrize("path", ["templates", "quiet-hours"])
async def test_what_no_unit_bounds_is_followed_whatever_units_there_are(office: Office, path: str):
    copy = Copy(office.client("supervisor", unit=CITY), path)
    await copy.follow()
    await office.hear(unit("3740101", CITY))
    await copy.follow()
    assert copy.begun == 1


async def test_without_a_token_nothing_is_shown(office: Office):
    client = office.notifier.client({})
    for path in ("deliveries", f"deliveries/{uuid4()}", "mailbox", "routes", "templates"):
        assert (await client.get(path)).status_code == 401, path
    await client.aclose()
