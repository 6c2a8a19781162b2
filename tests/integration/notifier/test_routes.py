"""Routes of units and with conditions, with fallback, and what a preview says of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from notifier.channels.port import Refused
from notifier.deliveries.quiet import SPREAD, spread
from notifier.deliveries.sender import Sender
from tests.conftest import START
from tests.integration.notifier.gateway import Gateway, sender_of
from tests.integration.notifier.office import CITY, COUNTY, OTHER, STATION, Appeal, Office, staff, unit

NIGHT = START.replace(hour=22)
OWN = {"event_type": "deadline.breached", "audience": "owner", "channels": ["mailbox"]}


async def add(office: Office, unit: str = STATION, **body: Any) -> dict[str, Any]:
    answer = await office.client("admin", unit=unit, sub="A1").post("routes", json=OWN | body)
    assert answer.status_code == 201, answer.text
    route: dict[str, Any] = answer.json()
    return route


async def test_a_unit_makes_a_route_of_its_own_which_counts_below_it_and_shows_its_versions(office: Office):
    route = await add(office, unit=COUNTY, unit_code=COUNTY, condition={"appeal_types": ["complaint"]})
    assert (route["version"], route["changed_by"], route["active"]) == (1, "A1", True)
    admin = office.client("admin", unit=COUNTY, sub="A2")
    shown = await admin.get(f"routes/{route['id']}")
    body = {"channels": ["mailbox"], "active": False}
    changed = await admin.put(f"routes/{route['id']}", json=body, headers={"If-Match": shown.headers["etag"]})
    assert (changed.status_code, changed.json()["version"], changed.json()["active"]) == (200, 2, False)
    versions = (await admin.get(f"routes/{route['id']}/versions")).json()["items"]
    assert [(its["version"], its["by"], its["body"]["active"]) for its in versions] == [
        (1, "A1", True),
        (2, "A2", False),
    ]
    for code, status in ((CITY, 200), (STATION, 404), (OTHER, 404)):
        assert (await office.client("admin", unit=code).get(f"routes/{route['id']}")).status_code == status, code


async def test_a_delivery_names_the_route_it_goes_by(office: Office, appeal: Appeal):
    complaints = await add(
        office, unit_code=STATION, condition={"appeal_types": ["complaint"], "milestones": ["contact"]}
    )
    await add(office, unit_code=STATION, condition={"appeal_types": ["report"]})
    await office.hear(appeal.opened(), appeal.breached("owner", "unit_supervisors"))
    assert {(its["audience"], its["route"]) for its in await office.deliveries()} == {
        ("owner", f"{complaints['id']}@1"),
        ("unit_supervisors", "deadline.breached.unit_supervisors@1"),
    }


async def test_a_ladder_is_told_in_the_mailbox_though_its_route_was_switched_off(office: Office, appeal: Appeal):
    admin = office.client("admin", unit=CITY)
    off = {"channels": ["mailbox"], "active": False}
    answer = await admin.put("routes/deadline.breached.owner", json=off, headers={"If-Match": "*"})
    assert answer.status_code == 200
    await office.hear(appeal.breached())
    assert await office.told() == {("H1", "sent")}


async def test_what_tells_nobody_or_is_not_the_callers_to_route_is_refused(office: Office):
    admin = office.client("admin", unit=STATION)
    for body, pointer in (
        ({"channels": [], "unit_code": STATION}, "/channels"),
        ({"unit_code": OTHER}, "/unit_code"),
        ({"unit_code": COUNTY}, "/unit_code"),
        ({"unit_code": STATION, "audience": "everybody"}, "/audience"),
        ({"unit_code": STATION, "audience": "callback_group"}, "/audience"),
        ({"unit_code": STATION, "event_type": "appeal.urged", "audience": f"group:{uuid4()}"}, "/audience"),
        ({"unit_code": STATION, "event_type": "appeal.urged", "audience": "customer"}, "/channels"),
        (
            {"unit_code": STATION, "event_type": "appeal.urged", "audience": "customer", "channels": ["wecom"]},
            "/channels",
        ),
        ({"unit_code": STATION, "event_type": "weather.changed"}, "/event_type"),
        ({"unit_code": STATION, "condition": {"units": [OTHER]}}, "/condition/units"),
    ):
        answer = await admin.post("routes", json=OWN | body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), body
    assert (await admin.post("routes", json=OWN)).status_code == 403, "a common one is made at the top"


async def test_what_did_not_arrive_goes_by_the_next_channel(office: Office, appeal: Appeal):
    dead, post = Gateway(Refused("closed", permanent=True)), Gateway()
    sender_of(office, dead)
    office.notifier.workers.append(Sender(office.notifier.runtime, "pigeon", post, office.sender._language))
    await office.sql("UPDATE routes SET fallback = '{pigeon}' WHERE id = 'deadline.breached.owner'")
    await office.hear(appeal.breached())
    shown = {(its["channel"], its["state"], its["why"]) for its in await office.deliveries()}
    assert shown == {("mailbox", "dead", "refused_by_provider"), ("pigeon", "delivered", "fallback_of:mailbox")}
    await office.stack.settle()
    assert len(post.letters) == 1


async def test_two_channels_that_fail_at_once_fall_back_on_the_same_one_once(office: Office, appeal: Appeal):
    post = Gateway()
    sender_of(office, Gateway(Refused("closed", permanent=True)))
    for name, channel in (("owl", Gateway(Refused("closed", permanent=True))), ("pigeon", post)):
        office.notifier.workers.append(Sender(office.notifier.runtime, name, channel, office.sender._language))
    await office.sql("UPDATE routes SET fallback = '{pigeon}' WHERE id = 'deadline.breached.owner'")
    other = await add(office, channels=["mailbox"], condition={"late": False}, unit_code=STATION)
    await office.sql(
        "UPDATE routes SET channels = '{owl}', fallback = '{pigeon}', unit_code = NULL WHERE id = :id", id=other["id"]
    )
    await office.hear(appeal.breached())
    states = {(its["channel"], its["state"]) for its in await office.deliveries()}
    assert states == {("mailbox", "dead"), ("owl", "dead"), ("pigeon", "delivered")}
    assert len(post.letters) == 1


async def test_what_fails_for_a_while_goes_by_the_next_channel_only_after_its_routes_time(
    office: Office, appeal: Appeal
):
    busy, post = Gateway(*[Refused("busy", retry_after=3600)] * 3), Gateway()
    sender_of(office, busy)
    office.notifier.workers.append(Sender(office.notifier.runtime, "pigeon", post, office.sender._language))
    await office.sql(
        "UPDATE routes SET fallback = '{pigeon}', fallback_after = 60 WHERE id = 'deadline.breached.owner'"
    )
    await office.hear(appeal.breached())
    office.clock.advance(timedelta(seconds=59))
    await office.stack.settle()
    assert post.letters == []
    office.clock.advance(timedelta(seconds=1))
    await office.stack.settle()
    assert [letter.recipient for letter in post.letters] == ["H1"]


async def test_a_route_lets_pass_at_night_whom_it_says_and_the_reason_stays_to_be_read(office: Office, appeal: Appeal):
    route = await add(office, unit_code=STATION, passes="on_duty", reason="抢修值班须即时响应")
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), appeal.breached())
    (delivery,) = await office.deliveries()
    assert (delivery["state"], delivery["why"]) == ("deferred", "quiet_hours"), "whoever is on duty, not everybody"
    duty = {"unit_code": STATION, "role": "handler", "staff_no": "H1"}
    times = {"starts_at": NIGHT.isoformat(), "ends_at": (NIGHT + timedelta(hours=8)).isoformat()}
    assert (await office.client("supervisor").post("duties", json=duty | times)).status_code == 201
    await office.hear(Appeal(START).breached())
    states = {(its["state"], its["why"]) for its in await office.deliveries()}
    assert states == {("deferred", "quiet_hours"), ("sent", f"passed_quiet_hours:{route['id']}@1")}
    assert route["reason"] == "抢修值班须即时响应"


async def test_no_shipped_route_lets_anything_pass(office: Office):
    routes = (await office.client("visitor").get("routes", params={"limit": 200})).json()["items"]
    assert {(route["passes"], route["working_days"]) for route in routes} == {(None, False)}


async def test_what_waits_for_a_working_day_leaves_on_it_but_no_warning_comes_too_late(office: Office):
    await add(office, unit_code=STATION, working_days=True)
    await add(office, unit_code=STATION, event_type="deadline.warned", working_days=True)
    office.clock.set(START.replace(day=10, hour=22))  # a working Saturday; Sunday is off
    appeal = Appeal(START.replace(day=10))
    await office.hear(appeal.breached(), appeal.warned())
    leaves = {its["event_type"]: (its["not_before"][:16], its["why"]) for its in await office.deliveries()}
    assert leaves["deadline.breached"][1] == "day_off"
    assert leaves["deadline.breached"][0].startswith("2026-10-12T00:0")
    assert leaves["deadline.warned"][1] == "quiet_hours"
    assert leaves["deadline.warned"][0].startswith("2026-10-11T00:0")


async def test_quiet_hours_are_data_and_customers_are_never_disturbed_at_night(office: Office, appeal: Appeal):
    admin = office.client("admin", unit=CITY, sub="A1")
    never = {"begin": "00:00", "until": "00:00"}
    made = await admin.put("quiet-hours/staff.mailbox", json=never, headers={"If-Match": "*"})
    assert (made.status_code, made.json()["changed_by"]) == (200, "A1")
    below = office.client("admin")
    assert (await below.put("quiet-hours/staff.mailbox", json=never, headers={"If-Match": "*"})).status_code == 403
    office.clock.set(NIGHT)
    await office.hear(appeal.breached())
    assert await office.told() == {("H1", "sent")}
    refused = await admin.put(
        "quiet-hours/customer.mailbox", json={"begin": "22:00", "until": "08:00"}, headers={"If-Match": "*"}
    )
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/begin")


async def test_what_waits_for_the_end_of_quiet_hours_is_looked_at_anew_when_they_change(office: Office):
    admin = office.client("admin", unit=CITY, sub="A1")
    office.clock.set(NIGHT)
    await office.hear(*(Appeal(START).breached(owner=owner) for owner in ("H1", "H1", "H2")))
    assert await office.told() == {("H1", "deferred"), ("H2", "deferred")}

    async def change(begin: str, until: str) -> None:
        body = {"begin": begin, "until": until}
        made = await admin.put("quiet-hours/staff.mailbox", json=body, headers={"If-Match": "*"})
        assert made.status_code == 200, made.text
        office.clock.advance(timedelta(seconds=SPREAD))
        await office.stack.settle()

    await change("20:00", "09:00")
    assert {(its["state"], its["not_before"][:13]) for its in await office.deliveries()} == {
        ("deferred", "2026-10-10T01")
    }, "it is still night, and longer"
    await change("23:30", "08:00")
    assert await office.told() == {("H1", "sent"), ("H2", "sent")}
    assert len(await office.mailbox(recipient="H1")) == 1, "what waited for one person is one message"


async def test_a_preview_says_who_would_be_told_by_what_when_and_why(office: Office):
    route = await add(office, unit_code=STATION, condition={"appeal_types": ["complaint"]})
    office.clock.set(NIGHT)
    asked = {"event_type": "deadline.breached", "unit_code": STATION, "audience": ["owner", "parent_unit_supervisors"]}
    answer = await office.client("visitor").post(
        "routes/preview", json={**asked, "owner": "H1", "appeal_type": "complaint"}
    )
    assert answer.status_code == 200, answer.text
    owner, parent = answer.json()["told"]
    assert owner == owner | {
        "recipient": "H1",
        "because": "named",
        "channel": "mailbox",
        "route": f"{route['id']}@1",
        "why": "quiet_hours",
        "audience_unit": None,
    }
    morning = START.replace(day=10, hour=8) + spread("H1", "mailbox")
    assert datetime.fromisoformat(owner["not_before"]) == morning
    assert (parent["recipient"], parent["audience_unit"]) == ("P1", COUNTY)
    assert answer.json()["nobody"] == []
    act = {"event_type": "appeal.urged", "unit_code": STATION, "owner": "H1"}
    told = (await office.client("visitor").post("routes/preview", json=act)).json()["told"]
    assert {(its["recipient"], its["audience"]) for its in told} == {("H1", "owner"), ("S1", "unit_supervisors")}
    own = (await office.client("visitor").post("routes/preview", json={**act, "by": "H1"})).json()
    assert [(its["recipient"], its["why"]) for its in own["told"]] == [("S1", "quiet_hours")]
    assert [(its["recipient"], its["why"], its["audiences"]) for its in own["not_told"]] == [
        ("H1", "own_act", ["owner"])
    ]
    foreign = await office.client("visitor").post("routes/preview", json={**act, "unit_code": OTHER})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/unit_code")
    assert await office.deliveries() == [], "nobody was"


async def test_a_preview_knows_whose_a_callback_is_and_of_whom_nobody_asks(office: Office):
    asked = {"event_type": "appeal.callback_asked", "unit_code": STATION}

    async def told(**more: Any) -> tuple[set[str], list[tuple[str | None, str]]]:
        view = (await office.client("visitor").post("routes/preview", json=asked | more)).json()
        assert view["nobody"] == []
        return {its["recipient"] for its in view["told"]}, [(its["recipient"], its["why"]) for its in view["not_told"]]

    group, _ = await told()
    assert "H1" not in group
    assert await told(person="H1") == ({"H1"}, []), "one person's"
    await add(office, event_type="appeal.callback_asked", audience="customer", channels=["sms"], unit_code=STATION)
    customer = str(uuid4())
    assert customer in (await told(person="H1", customer_id=customer))[0]
    for hidden in ("confidential", "anonymous"):
        assert await told(person="H1", customer_id=customer, **{hidden: True}) == (
            {"H1"},
            [(None, "customer_withheld")],
        )


async def test_every_audience_in_which_there_is_nobody_is_named(bare: Office, appeal: Appeal):
    its = ["owner", "unit_supervisors", "parent_unit_supervisors"]
    asked = {"event_type": "deadline.breached", "unit_code": STATION, "audience": its}
    view = (await bare.client("visitor", unit=STATION).post("routes/preview", json=asked)).json()
    assert (view["told"], view["nobody"]) == ([], sorted(its))
    breached = appeal.breached(*its, owner=None, first_contact=None)
    await bare.hear(unit(CITY), unit(COUNTY, CITY), unit(STATION, COUNTY), breached)
    (delivery,) = await bare.deliveries(unit=STATION)
    assert (delivery["recipient"], delivery["why"]) == ("nobody", "nobody_to_tell")
    assert set(delivery["error"].split(", ")) == {*its}


async def test_a_preview_tells_nothing_of_people_whom_the_caller_does_not_see(office: Office):
    await office.hear(staff("X1", OTHER, "handler"), staff("X2", OTHER, "handler"), staff("H2", STATION, "handler"))
    span = {"starts_at": START.isoformat(), "ends_at": (START + timedelta(days=9)).isoformat()}
    for code, away, other in ((OTHER, "X1", "X2"), (STATION, "H1", "H2")):
        its = {"staff_no": away, "substitute": other, **span}
        assert (await office.client("supervisor", unit=code).post("substitutes", json=its)).status_code == 201
    await office.hear(staff("X3", OTHER, "handler", active=False), staff("H3", STATION, "handler", active=False))
    asked = {"event_type": "deadline.warned", "unit_code": STATION, "audience": ["owner"], "first_contact": "F1"}
    for owner, seen in (("H1", "H2"), ("X1", "X1"), ("H3", "F1"), ("X3", "X3"), ("unheard", "unheard")):
        answer = await office.client("visitor").post("routes/preview", json={**asked, "owner": owner})
        assert [its["recipient"] for its in answer.json()["told"]] == [seen]
