"""The notifier alone in a stack, and what the other services would tell it, put on the bus as they would."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from chassis.ids import new_id
from chassis.messaging.bus import Record
from contracts.appeals import (
    AppealAnswered,
    AppealClosed,
    AppealContacted,
    AppealHeld,
    AppealOpened,
    AppealReopened,
    AppealResumed,
)
from contracts.deadlines import (
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineRecalculated,
    DeadlineWarned,
    LadderEvent,
)
from contracts.directory import StaffChanged, UnitChanged
from contracts.envelope import Event, encode_payload, headers
from notifier.deliveries.planner import Planner
from notifier.deliveries.sender import Sender
from tests.support.stack import Stack

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CITY, COUNTY, STATION, OTHER = "37", "374", "37401", "38"


class Office:
    """A city, a county in it, a station in that, each with a supervisor; a handler at the station; and another city."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.notifier = stack["notifier"]
        self.clock = stack.clock
        self.sender = next(worker for worker in self.notifier.workers if isinstance(worker, Sender))
        self.planner = next(worker for worker in self.notifier.workers if isinstance(worker, Planner))
        self.planner.config.patience = self.planner.config.pause = timedelta()

    async def publish(self, *events: Event, ids: Sequence[UUID] | None = None) -> list[UUID]:
        """Puts `events` on the bus, in order; returns their ids."""
        ids = ids or [new_id() for _ in events]
        records = []
        for event_id, event in zip(ids, events, strict=True):
            body = encode_payload(event)
            its = headers(event_id, event.type, "/test", event.subject, self.clock.now(), TRACE)
            records.append(Record(event.topic, event.key, body, tuple(its)))
        await self.notifier.runtime.bus.publish(records)
        return list(ids)

    async def hear(self, *events: Event, ids: Sequence[UUID] | None = None) -> list[UUID]:
        """Publishes, and lets the notifier do all there is to do."""
        ids = await self.publish(*events, ids=ids)
        await self.stack.settle()
        return ids

    async def staffed(self) -> None:
        """The directory, as most tests want it."""
        await self.hear(
            unit(CITY),
            unit(COUNTY, CITY),
            unit(STATION, COUNTY),
            unit(OTHER),
            staff("T1", CITY, "supervisor"),
            staff("P1", COUNTY, "supervisor"),
            staff("S1", STATION, "supervisor"),
            staff("H1", STATION, "handler"),
        )

    def client(self, *roles: str, unit: str | None = STATION, sub: str = "tester") -> httpx.AsyncClient:
        return self.stack.client("notifier", *roles, unit=unit, sub=sub)

    async def deliveries(self, unit: str = CITY, **query: Any) -> list[dict[str, Any]]:
        """All deliveries as a supervisor of `unit` sees them."""
        client = self.client("supervisor", unit=unit)
        items: list[dict[str, Any]] = []
        query = {"limit": 200, **query}
        while True:
            answer = await client.get("deliveries", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]

    async def told(self, **query: Any) -> set[tuple[str, str]]:
        """Who is told, and what state that is in."""
        return {(delivery["recipient"], delivery["state"]) for delivery in await self.deliveries(**query)}

    async def mailbox(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.client("supervisor", unit=CITY).get("mailbox", params={"limit": 200, **query})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def said(self, type: str) -> list[dict[str, Any]]:
        """What the notifier itself has told of `type`."""
        async with self.notifier.runtime.db.connection() as connection:
            rows = await connection.fetch(
                "SELECT convert_from(payload, 'UTF8')::jsonb::text AS it FROM outbox WHERE type = $1 ORDER BY seq", type
            )
        return [json.loads(row["it"]) for row in rows]

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.notifier.runtime.db.transaction() as tx:
            await tx.execute(text(statement), values)


def unit(code: str, parent: str | None = None, *, id: UUID | None = None, version: int = 1) -> UnitChanged:
    return UnitChanged(id=id or uuid4(), unit_code=code, parent_code=parent, version=version)


def staff(
    staff_no: str, unit: str, *roles: str, id: UUID | None = None, version: int = 1, active: bool = True
) -> StaffChanged:
    return StaffChanged(
        id=id or uuid4(), staff_no=staff_no, unit_code=unit, roles=list(roles), active=active, version=version
    )


class Appeal:
    """A complaint handled at the station, and the events of its life."""

    def __init__(self, received_at: datetime, unit: str = STATION, number: str = "V00000001") -> None:
        self.id, self.visit_id, self.clock_id = uuid4(), uuid4(), uuid4()
        self.unit, self.number, self.received_at = unit, number, received_at
        self.due_at = received_at + timedelta(hours=24)

    def opened(self) -> AppealOpened:
        return AppealOpened(
            appeal_id=self.id,
            appeal_no=self.number,
            visit_id=self.visit_id,
            unit_code=self.unit,
            appeal_type="complaint",
            received_at=self.received_at,
            round=1,
            policy="t-sdpea@1",
            clocks=[],
        )

    def _clock(self, **more: Any) -> dict[str, Any]:
        return {
            "clock_id": self.clock_id,
            "subject_kind": "appeal",
            "subject_id": self.id,
            "visit_id": self.visit_id,
            "unit_code": self.unit,
            "handling_unit_code": self.unit,
            "milestone": "contact",
            "round": 1,
            "due_at": self.due_at,
            "at": self.received_at + timedelta(hours=12),
            "owner": "H1",
            "first_contact": "H1",
        } | more

    def _ladder(self, kind: type[LadderEvent], step: str, audience: tuple[str, ...], **more: Any) -> Any:
        return kind(**self._clock(**({"step": step, "audience": list(audience), "late": False} | more)))

    def warned(self, *audience: str, step: str = "0.5", **more: Any) -> DeadlineWarned:
        warned: DeadlineWarned = self._ladder(DeadlineWarned, step, audience or ("owner",), **more)
        return warned

    def breached(self, *audience: str, **more: Any) -> DeadlineBreached:
        breached: DeadlineBreached = self._ladder(DeadlineBreached, "due", audience or ("owner",), **more)
        return breached

    def escalated(self, *audience: str, **more: Any) -> DeadlineEscalated:
        escalated: DeadlineEscalated = self._ladder(
            DeadlineEscalated, "+4h", audience or ("parent_unit_supervisors",), **more
        )
        return escalated

    def met(self) -> DeadlineMet:
        return DeadlineMet(**self._clock())

    def _act(self, **more: Any) -> dict[str, Any]:
        its = {"appeal_id": self.id, "visit_id": self.visit_id, "unit_code": self.unit, "round": 1}
        return its | {"at": self.received_at, "by": "H1"} | more

    def contacted(self, result: str = "reached", *, late: bool = False, counts: bool = True) -> AppealContacted:
        at = self.due_at + timedelta(hours=1) if late else self.received_at
        return AppealContacted(**self._act(result=result, at=at, counts=counts))

    def answered(self, **more: Any) -> AppealAnswered:
        return AppealAnswered(**self._act(**more))

    def closed(self, outcome: str = "resolved") -> AppealClosed:
        return AppealClosed(**self._act(outcome=outcome))

    def held(self, *milestones: str) -> AppealHeld:
        return AppealHeld(**self._act(milestones=list(milestones)))

    def resumed(self) -> AppealResumed:
        return AppealResumed(**self._act())

    def recalculated(self, cause: str = "calendar_version", **by: float) -> DeadlineRecalculated:
        """The clock is due later, or earlier, by so much than it was; from now on that is when it is due."""
        old, self.due_at = self.due_at, self.due_at + timedelta(**by)
        its = self._clock(due_at=self.due_at, old_due_at=old, provisional=False, cause=cause)
        return DeadlineRecalculated(**its)

    def cancelled(self) -> DeadlineCancelled:
        return DeadlineCancelled(**self._clock())

    def reopened(self, round: int = 2) -> AppealReopened:
        return AppealReopened(**self._act(round=round))
