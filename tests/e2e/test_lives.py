"""The life of an appeal of each type from each source, over HTTP: a visit on site, by phone, online; a hotline, and a
marketing system with codes of its own; also without a name, and in confidence. All of them at once, on either bus."""

import asyncio
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from deploy.local.state import State
from deploy.local.tokens import Issuer
from tests.support.eventually import eventually
from tests.support.local_stack import LocalStack

UNIT, START = "37401", "2026-10-09T10:00:00+08:00"
TYPES = {"complaint": "01", "report": "02", "opinion": "03", "suggestion": "04", "consultation": "05"}
CHANNELS, HOTLINE, MARKETING = ("on_site", "phone", "online"), "95598", "marketing"
# State Grid's: 24 hours to contact, 5 or 10 working days to answer; Saturday the 10th is worked.
CONTACT, FIVE, TEN = "2026-10-10T01:30:00Z", "2026-10-15T16:00:00Z", "2026-10-22T16:00:00Z"
DUE = {
    "complaint": {"contact": CONTACT, "answer": FIVE},
    "consultation": {"answer": FIVE},
    **{name: {"answer": TEN} for name in ("report", "opinion", "suggestion")},
}


class Life(NamedTuple):
    """What is raised, and where."""

    type: str
    source: str
    anonymous: bool = False
    confidential: bool = False

    @property
    def on_a_visit(self) -> bool:
        return self.source in CHANNELS

    @property
    def due(self) -> dict[str, str]:
        return {name: at for name, at in DUE[self.type].items() if not (self.anonymous and name == "contact")}

    @property
    def is_called_back(self) -> bool:
        return self.type in ("complaint", "report", "opinion") and not self.anonymous

    @property
    def is_hidden(self) -> bool:
        return self.anonymous or self.confidential

    @property
    def said(self) -> str:
        return f"{self.type} {self.source} 停电"


LIVES = [
    *(Life(*each) for each in product(TYPES, (*CHANNELS, HOTLINE, MARKETING))),
    *(Life("complaint", source, anonymous=True) for source in ("on_site", HOTLINE)),
    *(Life("report", source, confidential=True) for source in ("phone", MARKETING)),
]


class Patient(httpx.AsyncHTTPTransport):
    """What a service was too busy to take it is asked again, when it said."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        while (answer := await super().handle_async_request(request)).status_code == 503:
            await answer.aclose()
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        return answer


class People:
    """Those who act, at the services of a stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack, self.issuer = stack, Issuer(State(stack.state_dir).auth)
        self.clients: list[httpx.AsyncClient] = []
        self.admin, self.tracker = self.who("visit_api", "admin", "A1"), self.who("appeal_tracker", "admin", "A1")
        self.visitor, self.handler = self.who("visit_api", "visitor", "V1"), self.who("appeal_tracker", "handler", "H1")
        self.acceptor = self.who("appeal_tracker", "visitor", "V1")
        self.system = self.who("appeal_tracker", "integration", "SYS")
        self.told = self.who("notifier", "admin", "A1")

    def who(self, service: str, role: str, staff: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.issuer.token([role], UNIT, staff)}"}
        url = self.stack.url(service, "/v1")
        client = httpx.AsyncClient(base_url=url, headers=headers, timeout=60, transport=Patient())
        self.clients.append(client)
        return client


async def asked(request: Any, status: int = 200) -> dict[str, Any]:
    answer: httpx.Response = await request
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.timeout(240)
@pytest.mark.clause("7.2.3", "7.2.5", "7.2.6", "002 6.4.5.1", "002 6.4.5.2", "002 6.4.5.4")
@pytest.mark.parametrize("bus", ["embedded", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.long])])
async def test_each_type_from_each_source_is_handled_to_its_end(tmp_path: Path, bus: str) -> None:
    with LocalStack(tmp_path / "state", BUS=bus, CLOCK_START=START) as stack:
        stack.up()
        people = People(stack)
        visits = await _found(people)
        await asyncio.gather(*(_lived(people, life, visits) for life in LIVES))
        for visit in visits.values():  # nothing is left to wait for
            await eventually(lambda visit=visit: _archived(people, visit), within=30)
        for client in people.clients:
            await client.aclose()
        stack.stop()
        assert stack.run("reset").returncode == 0


async def _found(people: People) -> dict[str, str]:
    """The unit, the staff, what the codes mean; and a visit of each channel that goes on."""
    await asked(people.admin.post("/units", json={"code": UNIT, "name": "历下供电中心"}), 201)
    for staff, role in (("V1", "visitor"), ("H1", "handler"), ("A1", "admin")):
        member = {"staff_no": staff, "name": staff, "unit_code": UNIT, "roles": [role]}
        await asked(people.admin.post("/staff", json=member), 201)
    any_version = {"If-Match": "*"}

    async def picked() -> bool:
        path = f"/units/{UNIT}/policy"
        return (await people.tracker.put(path, json={"policy": "state-grid"}, headers=any_version)).is_success

    await eventually(picked, within=30)
    codes = {"types": {code: name for name, code in TYPES.items()}}
    await asked(people.tracker.put(f"/code-tables/{MARKETING}", json=codes, headers=any_version))
    visits = {}
    for channel in CHANNELS:
        its = {"name": "齐鲁机床", "kind": "other.important", "unit_code": UNIT}
        customer = await asked(people.visitor.post("/customers", json=its), 201)
        plan = {"customer_id": customer["id"], "channel": channel, "scheduled_at": START, "visitor_ids": ["V1"]}
        visits[channel] = (await asked(people.visitor.post("/visits", json=plan), 201))["id"]
        await asked(people.visitor.post(f"/visits/{visits[channel]}/start", json={}))
    return visits


async def _lived(people: People, life: Life, visits: dict[str, str]) -> None:
    appeal = await _raised(people, life, visits)

    async def heard() -> dict[str, Any] | None:
        answer = await people.handler.get(f"/appeals/{appeal}")
        return answer.json() if answer.is_success else None

    its: dict[str, Any] = await eventually(heard, within=60)
    assert {clock["milestone"]: clock["due_at"] for clock in its["clocks"]} == life.due, life
    assert (its["type"], its["policy"], its["source"]) == (
        life.type,
        "state-grid@1",
        "visit" if life.on_a_visit else life.source,
    )
    assert its["no_contact_reason"] == ("anonymous" if life.anonymous else None)
    visit = None if life.is_hidden else visits.get(life.source)
    assert its["visit_id"] == visit, "what hides who said it names no visit"
    act = f"/appeals/{appeal}"
    category = {"category": "attitude"} if life.type == "complaint" else {}
    await asked(people.handler.post(f"{act}/accept", json=category))
    await asked(people.tracker.post(f"{act}/dispatch", json={"handler": "H1"}))
    now = its["received_at"]
    await asked(people.handler.post(f"{act}/contacts", json={"at": now, "channel": "phone", "result": "reached"}), 201)
    finding = {"finding": "substantiated"} if life.type in ("complaint", "report") else {}
    await asked(people.handler.post(f"{act}/answers", json={"at": now, "content": "已检修", **finding}), 201)
    if life.is_called_back:
        early = await people.handler.post(f"{act}/close", json={})
        assert [each["what"] for each in early.json()["missing"]] == ["callback"], life
        # Who accepted it calls; of what may be about them, somebody who is not of them, or above them.
        caller = people.tracker if life.is_hidden else people.acceptor
        rated = {"at": now, "result": "completed", "satisfaction": 5}
        assert (await people.handler.post(f"{act}/callbacks", json=rated)).status_code == 403, "who accepted it calls"
        await asked(caller.post(f"{act}/callbacks", json=rated), 201)
    closed = await asked(people.handler.post(f"{act}/close", json={}))
    assert (closed["state"], closed["outcome"], closed["lacks"]) == ("closed", "resolved", []), life
    assert {clock["state"] for clock in closed["clocks"]} == {"met"}

    async def worded() -> bool:
        found = await asked(people.handler.get(f"{act}/words"))
        return found["state"] == "kept" and bool(found["summary"] == life.said)

    async def told() -> bool:
        return bool((await asked(people.told.get("/deliveries", params={"appeal_id": appeal})))["items"])

    await eventually(worded, within=60)
    await eventually(told, within=60)


async def _raised(people: People, life: Life, visits: dict[str, str]) -> str:
    reason = {"reason_not_answered": "需查文件"} if life.type == "consultation" else {}
    its = {
        "summary": life.said,
        "received_at": "2026-10-09T09:30:00+08:00",
        "anonymous": life.anonymous,
        "confidential": life.confidential,
        **reason,
    }
    if life.on_a_visit:
        path = f"/visits/{visits[life.source]}/appeals"
        return str((await asked(people.visitor.post(path, json={"type": life.type, **its}), 201))["id"])
    kind = {"type": life.type} if life.source == HOTLINE else {"type_code": TYPES[life.type]}
    number = f"{life.type}-{life.anonymous}-{life.confidential}"
    posted = {"source": life.source, "source_no": number, "taken_by": "V1", **kind, **its}
    first, again = await asyncio.gather(*(asked(people.system.post("/appeals", json=posted), 201) for _ in range(2)))
    assert first["id"] == again["id"]
    return str(first["id"])


async def _archived(people: People, visit: str) -> bool:
    await people.visitor.post(f"/visits/{visit}/complete", json={})
    return (await people.visitor.post(f"/visits/{visit}/archive", json={})).status_code == 200
