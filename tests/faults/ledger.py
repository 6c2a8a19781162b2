"""The outside ledger: a client that knows nothing of the inside, does not give up, and notes what it was told."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.support.processes import Processes

PARENT, UNIT = "374", "37401"
VISITOR, HANDLER, SUPERVISOR, PARENT_SUPERVISOR = "S101", "S102", "S110", "S900"
PATIENCE = 180.0  # seconds a write is tried again
AGAIN = 0.05  # seconds between two tries
# After these the same is tried again: the twin of a broken connection still runs; visit_api has not heard that the
# appeal is closed, or the tracker that it was raised.
_NOT_YET = {409: ("idempotency-in-progress", "archive-incomplete"), 404: ("not-found",)}


@dataclass(frozen=True)
class Done:
    """A write that was acknowledged, and when the client began it and had its answer (monotonic seconds)."""

    what: str
    visit: UUID
    appeal: UUID | None
    began: float
    answered: float


@dataclass
class Ledger:
    """What was acknowledged."""

    units: list[UUID] = field(default_factory=list)
    staff: list[UUID] = field(default_factory=list)
    customers: list[UUID] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Done]:
        return [done for done in self.done if done.what in kinds]

    def visits(self, what: str = "plan") -> set[UUID]:
        """The visits that were planned, started, completed or archived."""
        return {done.visit for done in self.of(what)}

    def appeals(self, what: str = "raise") -> set[UUID]:
        """The appeals that were raised, contacted, answered, called back or closed."""
        return {done.appeal for done in self.of(what) if done.appeal}


class Client:
    """Writes until it is acknowledged: through refused connections, broken ones and 503.

    Every write carries either its own id or an Idempotency-Key, so that trying again is no second write.
    """

    def __init__(self, services: Processes) -> None:
        self.services = services
        self.ledger = Ledger()
        self.refusals: list[str | None] = []  # the Retry-After of every 503
        self._http = httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=64))
        self._headers: dict[tuple[str, str, str], dict[str, str]] = {}

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def directory(self) -> None:
        """Two units, one below the other, and their people."""
        for code, name, parent in ((PARENT, "山东省电力公司", None), (UNIT, "济南供电公司", PARENT)):
            words = {"id": str(uuid4()), "code": code, "name": name, **({"parent_code": parent} if parent else {})}
            self.ledger.units.append(UUID((await self._admin("/units", words))["id"]))
        people = [(VISITOR, UNIT, "visitor"), (HANDLER, UNIT, "handler"), (SUPERVISOR, UNIT, "supervisor")]
        for number, unit, role in [*people, (PARENT_SUPERVISOR, PARENT, "supervisor")]:
            body: dict[str, Any] = {
                "id": str(uuid4()),
                "staff_no": number,
                "name": number,
                "unit_code": unit,
                "roles": [role],
            }
            self.ledger.staff.append(UUID((await self._admin("/staff", body))["id"]))

    async def customer(self) -> UUID:
        body = {"id": str(uuid4()), "name": "泉城纺织有限公司", "kind": "other.important", "unit_code": UNIT}
        made = UUID((await self._admin("/customers", body))["id"])
        self.ledger.customers.append(made)
        return made

    async def plan(self, customer: UUID) -> UUID:
        """Plans a visit."""
        began, visit = time.monotonic(), uuid4()
        at = self.services.now().isoformat()
        body = {"id": str(visit), "customer_id": str(customer), "channel": "on_site", "scheduled_at": at}
        await self._visitor("/visits", body)
        self._note("plan", visit, None, began)
        return visit

    async def act(self, visit: UUID, act: str) -> None:
        """Starts, completes, archives or cancels a visit."""
        began = time.monotonic()
        await self._visitor(f"/visits/{visit}/{act}", {})
        self._note(act, visit, None, began)

    async def raise_on(self, visit: UUID, received_at: datetime | None = None) -> UUID:
        """Raises a complaint on a visit, under an id of the client's own."""
        began, appeal = time.monotonic(), uuid4()
        at = (received_at or self.services.now()).isoformat()
        body = {"id": str(appeal), "type": "complaint", "summary": "一周内三次停电，无人解释", "received_at": at}
        raised = await self._visitor(f"/visits/{visit}/appeals", body)
        assert raised["id"] == str(appeal)
        self._note("raise", visit, appeal, began)
        return appeal

    async def handle(self, visit: UUID, appeal: UUID, act: str, **body: Any) -> None:
        """Contacts, answers, calls back about or closes an appeal that the tracker knows."""
        began = time.monotonic()
        await self.write("appeal_tracker", f"/appeals/{appeal}/{act}", body, "supervisor", UNIT, SUPERVISOR)
        self._note(act, visit, appeal, began)

    async def settle(self, visit: UUID, appeal: UUID) -> None:
        """The whole good end of an appeal."""
        at = {"at": self.services.now().isoformat()}
        await self.handle(visit, appeal, "contacts", **at, channel="phone", result="reached")
        await self.handle(visit, appeal, "answers", **at, content="更换老化开关")
        await self.handle(visit, appeal, "callbacks", **at, result="completed", satisfaction=4)
        await self.handle(visit, appeal, "close")

    async def look(self, service: str, path: str) -> httpx.Response:
        """What a supervisor of the parent unit is answered, at once; paths without `/v1` need nobody in particular."""
        headers = self._who("supervisor", PARENT, PARENT_SUPERVISOR)
        return await self._http.get(self.services.url(service) + path, headers=headers)

    async def write(self, service: str, path: str, body: dict[str, Any], role: str, unit: str, staff: str) -> Any:
        """The answer to a write, tried again until it comes."""
        headers = self._who(role, unit, staff)
        if "id" not in body:
            headers = {**headers, "Idempotency-Key": uuid4().hex}
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await self._try(f"{self.services.url(service)}/v1{path}", body, headers)
            if not isinstance(answer, str):
                return answer
            assert not self.services.accidents(), self.services.accidents()
            assert time.monotonic() < deadline, f"POST {path} was never acknowledged; at last: {answer}"
            await asyncio.sleep(AGAIN)

    async def _try(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        """The JSON of an acknowledgement, or as text why there was none."""
        try:
            answer = await self._http.post(url, json=body, headers=headers)
        except httpx.TransportError as error:
            return repr(error)
        if answer.status_code == 503:
            self.refusals.append(answer.headers.get("Retry-After"))
            return answer.text
        if any(slug in answer.text for slug in _NOT_YET.get(answer.status_code, ())):
            return answer.text
        assert answer.is_success, f"POST {url} was answered {answer.status_code}: {answer.text}"
        return answer.json()

    async def _admin(self, path: str, body: dict[str, Any]) -> Any:
        return await self.write("visit_api", path, body, "admin", PARENT, "S001")

    async def _visitor(self, path: str, body: dict[str, Any]) -> Any:
        return await self.write("visit_api", path, body, "visitor", UNIT, VISITOR)

    def _who(self, role: str, unit: str, staff: str) -> dict[str, str]:
        if (role, unit, staff) not in self._headers:
            token = self.services.token(role, unit, staff)
            self._headers[role, unit, staff] = {"Authorization": f"Bearer {token}"}
        return self._headers[role, unit, staff]

    def _note(self, what: str, visit: UUID, appeal: UUID | None, began: float) -> None:
        self.ledger.done.append(Done(what, visit, appeal, began, time.monotonic()))
