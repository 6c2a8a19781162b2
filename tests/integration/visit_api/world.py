"""A small power company: 374 with 37401 and 37402 below it, and 375 beside it."""

import json
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx

from chassis.clock import ManualClock
from chassis.ids import new_id
from chassis.messaging.bus import Record
from contracts import envelope
from contracts.envelope import Event
from tests.support.stack import Stack

COMPLAINT = {"type": "complaint", "summary": "三天两头停电", "received_at": "2026-10-09T09:30:00+08:00"}
CONSULTATION = {"type": "consultation", "summary": "分时电价怎么算", "received_at": "2026-10-09T09:30:00+08:00"}
APPOINTMENT = {
    "purpose": "了解扩建后的用电需求",
    "place": "厂区办公楼三楼会议室",
    "window_from": "2026-10-12T09:00:00+08:00",
    "window_to": "2026-10-12T10:00:00+08:00",
}


class Told(NamedTuple):
    """An event as it stands in the outbox; a tombstone has no payload."""

    type: str
    key: str
    payload: dict[str, Any] | None


class World:
    """The service with its units and staff, and short ways to what tests need of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.runtime = stack["visit_api"].runtime
        self.clock: ManualClock = stack.clock
        self.admin = self.client("admin", unit="374", sub="E001")
        self.visitor = self.client("visitor", unit="37401", sub="E101")
        self.stranger = self.client("admin", unit="375", sub="E301")
        self.service = self.client("service", sub="appeal_tracker")

    def client(self, *roles: str, unit: str | None = None, sub: str = "E999") -> httpx.AsyncClient:
        """Someone with `roles` in `unit`."""
        return self.stack.client("visit_api", *roles, unit=unit, sub=sub)

    async def found(self) -> None:
        """Makes the units and the staff."""
        for client, unit in (
            (self.admin, {"code": "374", "name": "济南供电公司"}),
            (self.admin, {"code": "37401", "name": "历下供电中心", "parent_code": "374"}),
            (self.admin, {"code": "37402", "name": "市中供电中心", "parent_code": "374"}),
            (self.stranger, {"code": "375", "name": "青岛供电公司"}),
        ):
            await made(client.post("/units", json=unit))
        for staff_no, unit_code in (("E101", "37401"), ("E102", "37401"), ("E201", "37402")):
            await made(self.admin.post("/staff", json=member(staff_no, unit_code)))

    async def customer(self, unit_code: str = "37401", **fields: Any) -> dict[str, Any]:
        """A new customer."""
        new = {"name": "齐鲁机床", "kind": "other.important", "unit_code": unit_code, **fields}
        return await made(self.admin.post("/customers", json=new))

    async def visit(self, unit_code: str = "37401", **fields: Any) -> dict[str, Any]:
        """A new visit to a new customer."""
        customer = await self.customer(unit_code)
        new = {
            "customer_id": customer["id"],
            "channel": "on_site",
            "scheduled_at": "2026-10-09T09:00:00+08:00",
            **fields,
        }
        return await made(self.admin.post("/visits", json=new))

    async def act(self, visit_id: str, *acts: str) -> dict[str, Any]:
        """The visit after `acts`."""
        visit: dict[str, Any] = {}
        for act in acts:
            answer = await self.admin.post(f"/visits/{visit_id}/{act}")
            assert answer.status_code == 200, answer.text
            visit = answer.json()
        return visit

    async def prepare(self, visit_id: str, **prepared: Any) -> dict[str, Any]:
        """The preparation of a visit, its whole kit ready."""
        path = f"/visits/{visit_id}/preparation"
        asked = (await self.admin.get(path)).json()["kit"]
        kit = [{"item": each["item"], "ready": "yes"} for each in asked]
        put = await self.admin.put(path, json={"kit": kit, **prepared}, headers={"If-Match": "*"})
        assert put.status_code == 200, put.text
        result: dict[str, Any] = put.json()
        return result

    async def appointed(self, visit_id: str, **fields: Any) -> dict[str, Any]:
        """What the customer agreed to."""
        return await made(self.visitor.post(f"/visits/{visit_id}/appointment", json={**APPOINTMENT, **fields}))

    async def raised(self, visit_id: str, **fields: Any) -> dict[str, Any]:
        """A complaint raised on the visit by its visitor."""
        return await made(self.visitor.post(f"/visits/{visit_id}/appeals", json={**COMPLAINT, **fields}))

    async def hear(self, *events: Event, id: UUID | None = None) -> None:
        """Lets the service hear `events` as their writer tells them; `id` says that it is the same event as another."""
        records = []
        for event in events:
            its = envelope.headers(id or new_id(), event.type, "/elsewhere", event.subject, self.clock.now())
            body = envelope.encode_payload(event)
            records.append(Record(event.topic, event.key, body, tuple(its)))
        await self.runtime.bus.publish(records)
        await self.stack.settle()

    async def told(self) -> list[Told]:
        """Everything told so far, in the order of the outbox; a hearer can decode all of it."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        for row in rows:
            its = envelope.headers(row["id"], row["type"], row["source"], row["subject"], row["time"])
            envelope.decode(its, row["payload"])
        return [Told(row["type"], row["aggregateid"], json.loads(row["payload"] or "null")) for row in rows]

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Rows as the service's role sees them."""
        async with self.runtime.db.connection() as connection:
            return list(await connection.fetch(sql, *values))

    def later(self, **by: float) -> None:
        """Moves the clock on."""
        self.clock.advance(timedelta(**by))


async def waits(owner: asyncpg.Connection, count: int = 1) -> bool:
    """Whether so many connections wait for a lock."""
    return int(await owner.fetchval("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")) >= count


async def tag(client: httpx.AsyncClient, path: str) -> dict[str, str]:
    """The If-Match header for what is at `path` now."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return {"If-Match": answer.headers["etag"]}


def member(staff_no: str, unit_code: str, **fields: Any) -> dict[str, Any]:
    """A member of staff."""
    return {"staff_no": staff_no, "name": f"员工{staff_no}", "unit_code": unit_code, "roles": ["visitor"], **fields}


async def made(request: Any) -> dict[str, Any]:
    """What `request` made."""
    answer: httpx.Response = await request
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    return result


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that `answer` is, once it is sure to be that one."""
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text
    result: dict[str, Any] = answer.json()
    return result


def pointers(answer: httpx.Response) -> list[tuple[str, str]]:
    """The fields that an answer of 422 points to, with their codes."""
    assert answer.status_code == 422, answer.text
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
