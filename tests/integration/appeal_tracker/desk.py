"""The tracker's desk: units 374 with 37401 and 37402 below it, 375 beside it, and what visit_api would tell."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.drafting import Prepared
from appeal_tracker.escalation.worker import Escalation
from chassis.clock import ManualClock
from chassis.ids import new_id
from chassis.messaging.bus import Record
from contracts import envelope
from contracts.appeals import AppealRaised
from contracts.directory import StaffChanged, UnitChanged
from contracts.envelope import Event
from tests.support.stack import Stack

RECEIVED = datetime.fromisoformat("2026-10-09T09:30:00+08:00")


class Desk:
    """The service, its callers, and short ways to what tests need of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.runtime = stack["appeal_tracker"].runtime
        self.clock: ManualClock = stack.clock
        self.first = self.client("visitor", unit="37401", sub="E101")
        self.supervisor = self.client("supervisor", unit="374", sub="E001")
        self.admin = self.client("admin", unit="374", sub="E009")
        self.stranger = self.client("admin", unit="375", sub="E301")
        self.escalation = next(w for w in stack["appeal_tracker"].workers if isinstance(w, Escalation))

    def client(self, *roles: str, unit: str | None = None, sub: str = "E999") -> httpx.AsyncClient:
        """Someone with `roles` in `unit`."""
        return self.stack.client("appeal_tracker", *roles, unit=unit, sub=sub)

    async def found(self) -> None:
        """Lets the service hear of the units and the staff."""
        await self.hear(unit("374"), unit("37401", "374"), unit("37402", "374"), unit("375"), staff("E101", "37401"))

    async def hear(self, *events: Event, ids: list[UUID] | None = None) -> None:
        """Lets the service hear `events` and do all there is to do; `ids` says that they are the same as others."""
        records = []
        for event_id, event in zip(ids or [new_id() for _ in events], events, strict=True):
            its = envelope.headers(event_id, event.type, "/elsewhere", event.subject, self.clock.now())
            body = envelope.encode_payload(event)
            records.append(Record(event.topic, event.key, body, tuple(its)))
        await self.runtime.bus.publish(records)
        await self.stack.settle()

    async def raised(self, **fields: Any) -> str:
        """The id of an appeal that was raised and heard of."""
        event = raised(**fields)
        await self.hear(event)
        return str(event.appeal_id)

    async def appeal(self, id: str) -> dict[str, Any]:
        """The appeal as its supervisor sees it."""
        return await got(self.supervisor.get(f"/appeals/{id}"))

    async def clocks(self, id: str) -> dict[str, dict[str, Any]]:
        """The appeal's clocks by milestone."""
        return {clock["milestone"]: clock for clock in (await self.appeal(id))["clocks"]}

    async def timeline(self, id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await got(self.supervisor.get(f"/appeals/{id}/timeline")))["items"]
        return items

    async def told(self, *kinds: str) -> list[dict[str, Any]]:
        """The payloads told so far, of these types, in their order; a hearer can decode all of it."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        for row in rows:
            its = envelope.headers(row["id"], row["type"], row["source"], row["subject"], row["time"])
            envelope.decode(its, row["payload"])
        wanted = [row for row in rows if not kinds or row["type"] in kinds]
        return [{"type": row["type"], **json.loads(row["payload"])} for row in wanted]

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Rows as the service's role sees them."""
        async with self.runtime.db.connection() as connection:
            return list(await connection.fetch(sql, *values))

    async def at(self, local: str) -> None:
        """Turns the clock to a civil time of 2026 and lets everything happen that is due: `at("10-09T21:30")`."""
        self.clock.set(instant(local))
        await self.stack.settle()

    def later(self, **by: float) -> None:
        """Moves the clock on."""
        self.clock.advance(timedelta(**by))

    async def assign(
        self, unit: str, policy: str, effective_from: str | None = None, calendar: str | None = None
    ) -> dict[str, Any]:
        """Has a unit go by a pack, counted on a calendar."""
        path = f"/units/{unit}/policy"
        etag = (await self.admin.get(path)).headers["etag"]
        body = {"policy": policy, "effective_from": effective_from, "calendar": calendar}
        return await got(self.admin.put(path, json=body, headers={"If-Match": etag}))

    async def publish(self, **pack: Any) -> dict[str, Any]:
        """Publishes a pack of one's own over the floor."""
        answer = await made(self.admin.post("/policies", json={"extends": "t-sdpea", **pack}))
        published: dict[str, Any] = answer["policy"]
        return published

    async def publish_days(self, calendar: str, document: dict[str, Any]) -> Prepared:
        """Publishes a version of a calendar; what follows from it for open appeals is not done."""
        async with self.runtime.db.transaction() as tx:
            prepared = await calendars.prepare(tx, calendar, document, lock=True)
            await calendars.publish(tx, prepared, "E009", self.clock.now())
        return prepared

    async def act(self, id: str, verb: str, by: httpx.AsyncClient | None = None, **body: Any) -> dict[str, Any]:
        """What an appeal is after an act that takes a body: `act(case, "hold", reason="…")`; times are civil ones."""
        return await got(self.acting(id, verb, by, **body))

    async def acting(self, id: str, verb: str, by: httpx.AsyncClient | None = None, **body: Any) -> httpx.Response:
        """How such an act is answered."""
        times = {"at": instant(body["at"]).isoformat()} if "at" in body else {}
        return await (by or self.supervisor).post(f"/appeals/{id}/{verb}", json={**body, **times})

    async def contact(self, id: str, at: str, result: str = "reached", by: httpx.AsyncClient | None = None) -> Any:
        """Records a contact at a civil time of 2026."""
        body = {"at": instant(at).isoformat(), "channel": "phone", "result": result}
        return await made((by or self.first).post(f"/appeals/{id}/contacts", json=body))

    async def answer(self, id: str, at: str) -> Any:
        """Records an answer at a civil time of 2026."""
        body = {"at": instant(at).isoformat(), "content": "已检修线路，今日送电。"}
        return await made(self.first.post(f"/appeals/{id}/answers", json=body))


def instant(local: str) -> datetime:
    """A civil time of 2026 in China."""
    return datetime.fromisoformat(f"2026-{local}+08:00")


def raised(**fields: Any) -> AppealRaised:
    """A complaint raised in 37401 on Friday 2026-10-09 at 09:30, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "appeal_id": new_id(),
        "appeal_no": "V00000001",
        "visit_id": new_id(),
        "customer_id": new_id(),
        "unit_code": "37401",
        "appeal_type": "complaint",
        "received_at": RECEIVED,
        "recorded_at": RECEIVED,
        "raised_by": "E101",
        **fields,
    }
    return AppealRaised(**values)


def unit(code: str, parent: str | None = None, *, version: int = 1, id: UUID | None = None) -> UnitChanged:
    return UnitChanged(id=id or new_id(), unit_code=code, parent_code=parent, version=version)


def staff(staff_no: str, unit_code: str, *roles: str, version: int = 1, id: UUID | None = None) -> StaffChanged:
    return StaffChanged(
        id=id or new_id(), staff_no=staff_no, unit_code=unit_code, roles=list(roles), active=True, version=version
    )


async def made(request: Any) -> dict[str, Any]:
    """What `request` made."""
    return await _answered(request, 201)


async def got(request: Any) -> dict[str, Any]:
    """What `request` was answered."""
    return await _answered(request, 200)


async def _answered(request: Any, status: int) -> dict[str, Any]:
    answer: httpx.Response = await request
    assert answer.status_code == status, answer.text
    result: dict[str, Any] = answer.json()
    return result


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that `answer` is, once it is sure to be that one."""
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text
    result: dict[str, Any] = answer.json()
    return result
