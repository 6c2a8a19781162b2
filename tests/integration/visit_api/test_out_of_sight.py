"""Every route that reads, asked by whoever may not know of what was said in confidence: answered as if it had not been
said. What is told all the same is in `TOLD`, with how much (decision 36)."""

import io
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.places import Place, places, query_names
from tests.contract.right import QUERIES
from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.test_archive import closed
from tests.integration.visit_api.test_measures import new_measure
from tests.integration.visit_api.world import World

pytestmark = pytest.mark.clause("8.1.4", "002 6.4.5.5")

NOBODY = str(uuid4())
GET = "visit_api GET /v1/"
TOLD = {
    f"{GET}visits/{{id}}/gaps": "that the visit waits, not for what",
    f"{GET}visits/{{id}}/sheet": "the same",
    f"{GET}analysis": "how many appeals were raised in the unit",
    f"{GET}analysis/records": "which, as the tracker shows them, and not on which visit",
    f"{GET}trail": "who read one, and not on which visit",
    f"{GET}sync/devices": "that a device pushed",
    f"{GET}sync/pull": "nothing: the cursor goes by the transactions of the database",
}
OF_VISITS = "/v1/visits", "/v1/sync"
NAMED = {f"{GET}analysis/records", f"{GET}trail"}

Answers = dict[tuple[str, str, str], tuple[int, Any, str]]


def said(answer: httpx.Response) -> tuple[int, Any, str]:
    """All that a caller learns by an answer; the trace is their own, and a ZIP is opened."""
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    if answer.headers.get("content-type") == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return answer.status_code, headers, "".join(archive.read(name).decode() for name in archive.namelist())
    trace = answer.json().get("trace_id", "") if "json" in answer.headers.get("content-type", "") else ""
    return answer.status_code, headers, answer.text.replace(trace, "") if trace else answer.text


async def asked(
    world: World, its: dict[str, str], sought: dict[str, str], below: tuple[str, ...] = ("/v1/",)
) -> Answers:
    """What the unit itself is answered by every route: those who supervise or audit it, and where visits are shown also
    its visitors."""
    answers: Answers = {}
    found = [each for each in places() if each.service == "visit_api" and each.reads and each.path.startswith(below)]
    for place in found:
        both = {"visitor", "supervisor"} if place.path.startswith(OF_VISITS) else {"supervisor"}
        for role in place.roles & both or place.roles & {"auditor"}:
            client, path = stranger(world, role), place.at(its.get(str(place.thing), NOBODY))
            for query in queries(place, sought):
                answers[place.name, role, str([*query])] = said(await client.get(path, params=query))
    return answers


def stranger(world: World, role: str) -> httpx.AsyncClient:
    """Somebody of the unit who heard nothing of it."""
    return world.client(role, unit="37401", sub=f"S-{role}")


def queries(place: Place, sought: dict[str, str]) -> list[dict[str, str]]:
    """As it is, as a feed, and by all that may find what was said."""
    needed, names = QUERIES.get(place.name, {}), query_names(place)
    one = {"limit": "1"} if "limit" in names else {}
    found = [{name: value, **one} for name, value in sought.items() if name in names]
    return [{**needed, **query} for query in ({}, *found)]


class Confided:
    """What is said in confidence on a visit, and by what it could be known."""

    def __init__(self, appeals: list[dict[str, Any]], conflict: str) -> None:
        self.appeals, self.conflict = appeals, conflict
        self.marks = {"好处", conflict} | {each[name] for each in appeals for name in ("id", "appeal_no")}

    def in_it(self, text: str) -> list[str]:
        """What of it is told."""
        return [mark for mark in self.marks if mark in text]


async def confided(world: World, visit: str) -> Confided:
    """Three appeals, of which a device brings one, and says it otherwise once more."""
    phone = Phone(world, world.visitor)
    await world.raised(visit, type="report", summary="班长索要好处", confidential=True)
    await world.raised(visit, type="report", summary="班长索要好处", anonymous=True)
    quiet = phone.item("appeal", visit, type="report", summary="索要好处", anonymous=True)
    _, other = await phone.push(quiet, {**quiet, "body": {**quiet["body"], "summary": "又索要好处"}})
    raised = (await world.visitor.get(f"/visits/{visit}/appeals")).json()["items"]
    assert len(raised) == 3
    return Confided(raised, other["conflict_id"])


async def test_what_was_said_in_confidence_is_told_by_no_route(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    its = {
        "visit_api /v1/visits/{id}": visit["id"],
        "visit_api /v1/archive/{visit_id}": visit["id"],
        "visit_api /v1/customers/{id}": visit["customer_id"],
        "visit_api /v1/units/{code}": "37401",
        "visit_api /v1/staff/{staff_no}": "E101",
    }
    sought = {
        "updated_since": "2026-01-01T00:00:00Z",
        "visit_id": visit["id"],
        "appeal_id": NOBODY,
        "appeal_type": "report",
        "words": "好处",
    }
    await world.act(visit["id"], "start")
    before, quiet = await asked(world, its, sought), await confided(world, visit["id"])
    its["visit_api /v1/sync/conflicts/{id}"] = quiet.conflict
    sought["appeal_id"] = quiet.appeals[0]["id"]
    after = await asked(world, its, sought)
    assert {name for name, *query in before if before[name, *query] != after[name, *query]} <= TOLD.keys()

    above = world.client("supervisor", unit="374", sub="E209")
    decided = {"keep": "server", "reason": "索要好处属实"}
    assert (await above.post(f"/sync/conflicts/{quiet.conflict}/resolve", json=decided)).status_code == 200
    await world.hear(*[closed(world, each) for each in quiet.appeals])
    await world.act(visit["id"], "complete", "archive")
    archive = f"/archive/{visit['id']}"
    assert len(quiet.in_it((await above.get(archive)).text)) == len(quiet.marks), "it is there"
    archived = await asked(world, its, sought, (*OF_VISITS, "/v1/archive"))
    for answers in (after, archived):
        told = {key: quiet.in_it(text) for key, (_, _, text) in answers.items() if key[0] not in NAMED}
        assert {key: marks for key, marks in told.items() if marks} == {}
    for query in ({"words": "好处"}, {"appeal_type": "report"}):
        assert (await stranger(world, "supervisor").get("/archive", params=query)).json() == {"items": [], "next": None}


async def test_what_was_said_in_confidence_cannot_be_named(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    await world.act(visit["id"], "start")
    quiet = await confided(world, visit["id"])

    async def answered(role: str, appeal: str, conflict: str) -> list[tuple[int, Any, str]]:
        client = stranger(world, role)
        named = {"content": {"kind": "appeals", "appeal_ids": [appeal]}}
        return [
            said(await client.post("/measures", json=new_measure(appeal_id=appeal))),
            said(await client.post(f"/visits/{visit['id']}/steps", json=named)),
            said(await client.post(f"/sync/conflicts/{conflict}/resolve", json={"keep": "server"})),
        ]

    for role in ("visitor", "supervisor"):
        nothing = await answered(role, NOBODY, NOBODY)
        assert await answered(role, quiet.appeals[-1]["id"], quiet.conflict) == nothing, role
