"""Two units × every route: what belongs to another unit looks, byte for byte, like what is not there."""

from itertools import product
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.web.auth import SERVICE
from tests.contract import right
from tests.contract.house import House, Json, done
from tests.contract.places import Place, body_schema, places, query_names, sent, takes_body, takes_bytes
from tests.support.stack import Stack

OF_A_UNIT = [place for place in places() if place.thing is not None and place.thing not in right.COMMON]
COMMON = [place for place in places() if place.thing in right.COMMON or place.name in right.COMMON_LISTS]
REPORTS = [place for place in places() if place.name in right.REPORTS]
OWN = [place for place in places() if place.name in right.OWN]
LISTS = [place for place in places() if place.thing is None and place.reads and place not in COMMON + REPORTS + OWN]
NAMING = [place for place in places() if not place.reads and takes_body(place) and not takes_bytes(place)]

# What every list can be asked for.
WINDOW = {"limit", "cursor", "updated_since"}

# Fields that name a thing of a unit, and routes where they may name any there is.
REFERENCES = {
    "unit_code",
    "parent_code",
    "handling_unit_code",
    "asked_unit_code",
    "customer_id",
    "visit_id",
    "appeal_id",
    "visitor_ids",
    "plan_item_id",
    "owner",
    "heard_by",
    "into",
    "replaces",
    "supersedes",
    "account_id",
    "material_id",
    "group_ids",
    "customer_ids",
    "kept",
}
FREE = {
    # Anybody may be named, known or not: naming alone lets nobody outside see it.
    "appeal_tracker POST /v1/appeals/{id}/dispatch handler",
    "appeal_tracker POST /v1/appeals/{id}/transfer handler",
    # Who is a customer the tracker does not know; what it is told of one it tells nobody else.
    "appeal_tracker POST /v1/appeals customer_id",
    # The notifier's own, which names nothing here.
    "appeal_tracker POST /v1/appeals/{id}/callback-links/for-send send_id",
    # These are codes of the system that sends it.
    "appeal_tracker POST /v1/appeals type_code",
    "appeal_tracker POST /v1/appeals category_code",
    # It is imagined: nothing is shown of whoever that is.
    "notifier POST /v1/routes/preview customer_id",
    "notifier POST /v1/routes/preview owner",
    # What the deadlines in a unit would be is everybody's to know: the caller's unit plays no part.
    "appeal_tracker POST /v1/deadline-calculations unit_code",
}

# What is asked for along with something else only.
TOGETHER = {"source_no": ("source",)}


@pytest.fixture(scope="session")
async def other(whole_stack: Stack) -> House:
    """Another company, of which little is asked."""
    its = House(whole_stack, {"unit": 1, "appeal": 1})
    await its.found()
    return its


@pytest.fixture(scope="session")
async def filters(house: House) -> dict[str, str]:
    """Something of ours in every list, and by what it can be asked for; each service has states of its own."""
    suggestion = await house.risk_suggestion()
    suggested = await done(house.admin("visit_api").get(f"/risk-suggestions/{suggestion}"))
    marked = {"marks": ["service_risk"], "reason": house.secret}
    path = f"/customers/{await house.customer()}"
    await done(house.admin("visit_api").patch(path, json=marked, headers={"If-Match": "*"}))
    contact = await house.opened_contact()
    spoken_to = await done(house.admin("visit_api").get(f"/contacts/{contact}"))
    await house.step()
    await house.stored()
    confided = await house.read_in_confidence()
    await house.imported()
    archived = await done(house.admin("visit_api").get(f"/visits/{await house.archived_with_its_appeal()}"))
    item = await done(house.admin("visit_api").get(f"/plan-items/{await house.wanted()}"))
    visit = {"customer_id": item["customer_id"], "channel": item["channel"], "scheduled_at": house.ago()}
    await done(house.admin("visit_api").post("/visits", json={**visit, "plan_item_id": item["id"]}))
    owed = await done(house.admin("visit_api").get(f"/obligations/{await house.owed()}"))
    measure = await done(house.admin("visit_api").get(f"/measures/{await house.measure()}"))
    await house.conflict()
    suspicion = await done(house.admin("visit_api").get(f"/sync/suspicions/{await house.suspicion()}"))
    brought = (await done(house.admin("visit_api").get("/sync/items", params={"device": f"P-{house.ours}"})))["items"]
    await house.simulation()
    for kept in (house.route, house.group, house.duty, house.substitute):
        await kept()
    await house.recalculation()
    await house.published()
    await house.account()
    message = await house.webhook_message()
    messages = await done(house.client("notifier", "integration", unit=house.ours).get(f"/webhook-messages/{message}"))
    await house.posted()
    appeals = (await done(house.admin("appeal_tracker").get("/appeals", params={"unit": house.ours})))["items"]
    sent_in = next(each for each in appeals if each["source_no"])
    call_back = {"at": house.ago(hours=-2), "agreed": True, "person": house.staff_no}
    task = await house.callback_task()
    await done(house.admin("appeal_tracker").post(f"/callback-tasks/{task}/schedule", json=call_back))
    await house.published_post()
    away = await house.absence()
    absences = (await done(house.admin("appeal_tracker").get("/absences", params={})))["items"]
    (absence,) = (absence for absence in absences if absence["id"] == away)
    await house.inquiry()
    inquiry = await done(house.admin("visit_api").get("/online/inquiries", params={"unit_code": house.ours}))
    delivery = await done(house.admin("notifier").get(f"/deliveries/{await house.delivery()}"))
    visits = await done(house.admin("visit_api").get("/visits", params={"unit_code": house.ours}))
    await house.service_group(customer_ids=[visits["items"][0]["customer_id"]])
    return {
        "unit": house.ours,
        "unit_code": house.ours,
        "parent_code": house.ours,
        "customer_id": visits["items"][0]["customer_id"],
        "customer_no": house.secret,
        "mark": "service_risk",
        "visit_api GET /v1/risk-suggestions state": "open",
        "visit_api GET /v1/risk-suggestions customer_id": suggested["customer_id"],
        "visit_api GET /v1/contacts customer_id": spoken_to["customer_id"],
        "visit_api GET /v1/steps kind": "needs",
        "current": "true",
        "thing": "contact",
        "thing_id": contact,
        "by": f"visitor@{house.ours}",
        "appeal_no": sent_in["appeal_no"],
        "source_no": sent_in["source_no"],
        "appeal_tracker GET /v1/appeals customer_id": next(filter(None, (each["customer_id"] for each in appeals))),
        "appeal_tracker GET /v1/trail thing": "appeal",
        "appeal_tracker GET /v1/trail thing_id": confided,
        "appeal_tracker GET /v1/trail by": f"auditor@{house.top}",
        "topic": "prices",
        "group_id": inquiry["items"][0]["group_id"],
        "answered": "false",
        "published": "true",
        "for_customer": visits["items"][0]["customer_id"],
        "kind": "government",
        "person": house.staff_no,
        "appeal_tracker GET /v1/callback-tasks kind": "callback",
        "active": "true",
        "owner": owed["owner"],
        "visit_id": owed["visit_id"],
        "plan_item_id": item["id"],
        "plan_id": item["plan_id"],
        "visit_api GET /v1/plan-items unit_code": item["unit_code"],
        "visit_api GET /v1/plan-items customer_id": item["customer_id"],
        "visit_api GET /v1/plan-items channel": item["channel"],
        "due_since": "2026-10-01",
        "due_until": "2026-10-31",
        "visit_api GET /v1/plans unit_code": item["unit_code"],
        "visit_api GET /v1/plans state": "draft",
        "period": "2026-10",
        "visit_api GET /v1/obligations state": "open",
        "visit_api GET /v1/obligations kind": "missed_call",
        "visit_api GET /v1/measures visit_id": measure["visit_id"],
        "visit_api GET /v1/measures appeal_id": measure["appeal_id"],
        "visit_api GET /v1/measures state": "open",
        "visit_api GET /v1/sync/items visit_id": brought[0]["visit_id"],
        "visit_api GET /v1/sync/conflicts visit_id": brought[0]["visit_id"],
        "visit_api GET /v1/sync/conflicts state": "open",
        "visit_api GET /v1/sync/suspicions visit_id": suspicion["first_id"],
        "visit_api GET /v1/sync/suspicions state": "open",
        "device": f"P-{house.ours}",
        "clock": "corrected",
        "wrong": "true",
        "overdue": "false",
        "figure": "visits_by_form",
        "of": "on_site",
        "from": "2026-10-01",
        "to": "2026-10-31",
        "appeal_id": delivery["appeal_id"],
        "event_id": delivery["event_id"],
        "recipient": house.staff_no,
        "staff_no": absence["staff_no"],
        "channel": delivery["channel"],
        "type": "complaint",
        "open": "true",
        "category": "attitude",
        "source": "95598",
        "appeal_tracker owner": house.staff_no,
        "supervised": "true",
        "words": house.secret,
        "due_from": "2026-10-01T00:00:00Z",
        "due_before": "2026-11-01T00:00:00Z",
        "filed_as": "ordinary.on_site",
        "customer_kind": "government",
        "appeal_type": "complaint",
        "visit_api GET /v1/archive staff_no": house.staff_no,
        "visit_api GET /v1/archive customer_id": archived["customer_id"],
        "visited_from": "2026-01-01T00:00:00Z",
        "visited_before": "2027-01-01T00:00:00Z",
        "visit_api state": "archived",
        "appeal_tracker state": "open",
        "notifier state": "dead",
        "notifier GET /v1/webhook-messages state": "queued",
        "notifier GET /v1/accounts provider": "webhook",
        "endpoint_id": messages["endpoint_id"],
        "event_type": messages["event_type"],
    }


def named(place: Place) -> str:
    return place.name


async def call(client: httpx.AsyncClient, place: Place, name: str, body: Json | bytes | None) -> httpx.Response:
    """A right call of `place` about `name`."""
    path, query = place.at(name), right.QUERIES.get(place.name)
    return await client.request(place.method, path, **sent(body), headers=place.headers, params=query)


def said(answer: httpx.Response) -> tuple[int, Any, Any]:
    """All that a caller learns by an answer; the trace is their own."""
    trace = answer.json().get("trace_id", "")
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, headers, answer.content.replace(trace.encode(), b"")


@pytest.mark.parametrize("place", OF_A_UNIT, ids=named)
async def test_another_units_thing_looks_like_one_that_is_not_there(place: Place, house: House) -> None:
    name = await right.standing(place, house)
    body = await right.body(place, house) if takes_body(place) else None
    missing = right.nobodys(name)
    before = await house.fingerprint()
    for role in place.roles:
        nothing = said(await call(house.client(place.service, role, unit=house.beside), place, missing, body))
        for unit in house.strangers:
            theirs = await call(house.client(place.service, role, unit=unit), place, name, body)
            assert theirs.status_code == 404, (unit, role, theirs.text)
            assert said(theirs) == nothing, (unit, role)
    assert await house.fingerprint() == before, "and nothing happened to it"


@pytest.mark.parametrize("place", [place for place in OF_A_UNIT if place.reads], ids=named)
async def test_the_same_call_reaches_what_is_ours(place: Place, house: House) -> None:
    """From the unit itself, and from the one above it. Of what writes, `test_repeating` shows it."""
    name = await right.standing(place, house)
    for unit in (house.ours, house.top):
        answer = await call(house.owner(place.service, place.roles, unit), place, name, None)
        assert answer.is_success, (unit, answer.text)


def value_of(place: Place, name: str, filters: dict[str, str]) -> str | None:
    """What of ours a filter finds: there, in that service, or anywhere."""
    return filters.get(f"{place.name} {name}") or filters.get(f"{place.service} {name}") or filters.get(name)


@pytest.mark.parametrize("place", LISTS, ids=named)
async def test_a_list_shows_nothing_of_another_unit(place: Place, house: House, filters: dict[str, str]) -> None:
    names = query_names(place) - WINDOW
    asked = {name: value_of(place, name, filters) for name in names}
    assert all(asked.values()), f"what of ours is found by {asked}?"
    mine = house.owner(place.service, place.roles, house.ours)
    everyone = [house.client(place.service, role, unit=unit) for unit, role in product(house.strangers, place.roles)]
    admins = [house.client(place.service, "admin", unit=unit) for unit in house.strangers]
    queries: list[dict[str, str]] = [{}, {"updated_since": "2000-01-01T00:00:00Z"}]
    queries += [{each: str(asked[each]) for each in (name, *TOGETHER.get(name, ()))} for name in asked]
    for query in queries:
        assert (await mine.get(place.at(""), params=query)).json()["items"], f"nothing of ours is found by {query}"
        for stranger in admins if query else everyone:
            answer = await stranger.get(place.at(""), params=query)
            assert answer.status_code == 200, answer.text
            assert not [mark for mark in house.marks if mark in answer.text], (query, answer.text)


@pytest.mark.parametrize("place", REPORTS, ids=named)
@pytest.mark.usefixtures("filters")
async def test_a_report_counts_nothing_of_another_unit(place: Place, house: House) -> None:
    everyone = [house.client(place.service, role, unit=unit) for unit, role in product(house.strangers, place.roles)]
    for query in ({}, {"unit_code": house.ours}):
        mine = house.owner(place.service, place.roles, house.ours)
        assert (await mine.get(place.at(""), params=query)).json()["items"][0][right.REPORTS[place.name]] > 0
        for stranger in everyone:
            answer = await stranger.get(place.at(""), params=query)
            assert (answer.status_code, answer.json()["items"]) == (200, []), answer.text


@pytest.mark.parametrize("place", OWN, ids=named)
@pytest.mark.usefixtures("filters")
async def test_what_is_the_callers_own_shows_nothing_of_another(place: Place, house: House) -> None:
    mine = house.stack.client(place.service, "visitor", unit=house.ours, sub=house.staff_no)
    shown = (await mine.get(place.at(""))).text
    assert [mark for mark in house.marks if mark in shown]
    for unit, role in product(house.strangers, place.roles):
        answer = await house.client(place.service, role, unit=unit).get(place.at(""))
        assert answer.status_code == 200, answer.text
        shown = answer.text
        if place.name in right.PUBLISHED and unit == house.below:  # it is for those below too
            shown = str([item for item in answer.json()["items"] if item["kind"] != right.PUBLISHED[place.name]])
        assert not [mark for mark in house.marks if mark in shown], (unit, role)


@pytest.fixture(scope="session")
async def theirs(other: House) -> dict[str, str]:
    """Something of theirs for each field that may name one; a call that names it changes nothing."""
    customer, visit, appeal, material = [
        await make() for make in (other.customer, other.visit, other.appeal, other.material)
    ]
    return {
        **dict.fromkeys(("unit_code", "parent_code", "handling_unit_code", "asked_unit_code"), other.ours),
        **dict.fromkeys(("visitor_ids", "owner", "heard_by"), other.staff_no),
        **dict.fromkeys(("customer_id", "customer_ids"), customer),
        **dict.fromkeys(("visit_id", "kept"), visit),
        **dict.fromkeys(("appeal_id", "into"), appeal),
        **dict.fromkeys(("material_id", "replaces"), material),
        "plan_item_id": await other.wanted(),
        "account_id": await other.service_account(),
        "group_ids": await other.service_group(),
        "supersedes": await other.step(),
    }


@pytest.mark.parametrize("place", NAMING, ids=named)
async def test_another_units_thing_cannot_be_named(place: Place, house: House, theirs: dict[str, str]) -> None:
    """In a body that is right otherwise, about a thing of the caller's own, it looks like one that is not there."""
    body, name = await right.body(place, house), await right.standing(place, house)
    fields = body_schema(place, body)["properties"].keys()
    unclear = [
        field for field in fields if field.endswith(("_id", "_ids", "_code", "handler")) and field not in REFERENCES
    ]
    assert all(f"{place.name} {field}" in FREE for field in unclear), f"may {unclear} name what is another unit's?"
    caller = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint()
    for field in REFERENCES & fields:
        if f"{place.name} {field}" not in FREE:
            values = (theirs[field], right.nobodys(theirs[field]))
            answers = [await call(caller, place, name, {**body, field: _as(field, value)}) for value in values]
            assert answers[0].status_code == 422, answers[0].text
            assert answers[0].json()["errors"][0]["pointer"].startswith(f"/{field}")
            assert said(answers[0]) == said(answers[1])
    assert await house.fingerprint() == before


def _as(field: str, value: str) -> str | list[str]:
    return [value] if field.endswith("s") else value


@pytest.mark.parametrize("place", [place for place in COMMON if place.reads], ids=named)
async def test_what_belongs_to_no_unit_is_the_same_for_everyone(place: Place, house: House) -> None:
    """Of every unit, and in every role."""
    name = await right.thing(place, house)
    units = (house.top, house.ours, *house.strangers)
    callers = [house.owner(place.service, place.roles, unit) for unit in units]
    callers += [house.client(place.service, role, unit=house.ours) for role in place.roles]
    answers = [await call(caller, place, name, None) for caller in callers]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("place", [place for place in COMMON if not place.reads], ids=named)
async def test_what_belongs_to_no_unit_is_changed_from_the_top_alone(place: Place, house: House) -> None:
    name, body = await right.thing(place, house), await right.body(place, house)
    assert place.roles == {"admin"}
    for unit in (house.ours, house.below, house.beside):
        answer = await call(house.client(place.service, "admin", unit=unit), place, name, body)
        assert answer.status_code == 403, (unit, answer.text)
    assert (await call(house.admin(place.service), place, name, body)).is_success


def test_every_route_is_in_the_matrix() -> None:
    making = {place for place in places() if place.thing is None and not place.reads}
    assert {*OF_A_UNIT, *COMMON, *LISTS, *REPORTS, *OWN, *making} == {*places()}
    # A file names units line by line; a fault of a line is no answer (see the tests of imports).
    assert {place for place in making if not takes_bytes(place)} <= {*NAMING}
    kinds = {place.thing for place in places()} - {None}
    assert kinds == {*right.THINGS, *right.COMMON}, "right.py names a thing for each kind, and for nothing else"
    known = {place.name for place in places()}
    assert {*right.STATES, *right.BODIES, *right.QUERIES, *right.COMMON_LISTS, *right.REPORTS, *right.OWN} <= known
    assert {*right.STATES, *right.BODIES, *right.QUERIES, *right.COMMON_LISTS, *right.SHARED, *right.REPORTS} <= known
    assert {name.rpartition(" ")[0] for name in FREE} <= known


async def test_a_service_is_bound_to_no_unit_and_another_may_be(house: House) -> None:
    appeal = await house.appeal()
    for unit, status in ((None, 200), (house.ours, 200), (house.beside, 404)):
        answer = await house.client("visit_api", SERVICE, unit=unit).get(f"/appeals/{appeal}")
        assert answer.status_code == status, unit


@pytest.mark.usefixtures("filters")
async def test_a_unit_that_nobody_has_heard_of_sees_nothing(house: House) -> None:
    for place in LISTS + REPORTS:
        if place.name in right.SHARED:
            continue
        nobody = house.owner(place.service, place.roles, f"unheard-of-{uuid4().hex[:8]}")
        assert (await nobody.get(place.at(""))).json()["items"] == [], place.name
