"""A power company at work, as its people see it: through the APIs, their mailboxes, and what lies on the topics."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from contracts.envelope import Message, decode
from tests.support.stack import Stack

Json = dict[str, Any]

PARENT, UNIT = "374", "37401"
# Staff number: unit and role.
PEOPLE = {
    "V1": (UNIT, "visitor"),
    "H1": (UNIT, "handler"),
    "C1": (UNIT, "callback"),
    "S1": (UNIT, "supervisor"),
    "P1": (PARENT, "supervisor"),
}


def local(text: str) -> datetime:
    """An instant of October 2026 in China: `09 22:00`."""
    return datetime.fromisoformat(f"2026-10-{text.replace(' ', 'T')}:00+08:00")


def utc(text: str) -> str:
    """The same, as the services show it."""
    return local(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Company:
    """The units, the people and the three services they use."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def who(self, service: str, staff_no: str) -> httpx.AsyncClient:
        """A member of staff at a service."""
        unit, role = PEOPLE[staff_no]
        return self.stack.client(service, role, unit=unit, sub=staff_no)

    async def found(self) -> None:
        """Makes the units and the staff."""
        admin = self.stack.client("visit_api", "admin", unit=PARENT, sub="A1")
        await made(admin.post("/units", json={"code": PARENT, "name": "济南供电公司"}))
        await made(admin.post("/units", json={"code": UNIT, "name": "历下供电中心", "parent_code": PARENT}))
        for staff_no, (unit, role) in PEOPLE.items():
            member = {"staff_no": staff_no, "name": staff_no, "unit_code": unit, "roles": [role]}
            await made(admin.post("/staff", json=member))
        await self.stack.settle()

    async def visit(self) -> Json:
        """A visit that goes on, by V1."""
        visitor = self.who("visit_api", "V1")
        customer = {"name": "齐鲁机床", "kind": "other.important", "unit_code": UNIT, "accounts": ["0001234567"]}
        its = (await made(visitor.post("/customers", json=customer)))["id"]
        plan = {"customer_id": its, "channel": "on_site", "scheduled_at": self.now(), "visitor_ids": ["V1"]}
        visit = await made(visitor.post("/visits", json=plan))
        return await got(visitor.post(f"/visits/{visit['id']}/start", json={}))

    async def until(self, at: str) -> None:
        """Moves the clock, and lets everything happen that is due by then."""
        self.stack.clock.set(local(at))
        await self.stack.settle()

    def now(self) -> str:
        return self.stack.clock.now().isoformat()

    async def told(self, appeal: str, staff_no: str = "P1") -> list[Json]:
        """The messages about the deadlines of an appeal that somebody may see."""
        return [each for each in await self.messages(appeal, staff_no) if each["step"]]

    async def messages(self, appeal: str, staff_no: str = "P1") -> list[Json]:
        """All messages about an appeal that somebody may see: also about what is done."""
        query = {"appeal_id": appeal, "limit": "200"}
        items: list[Json] = (await got(self.who("notifier", staff_no).get("/deliveries", params=query)))["items"]
        return items

    async def letters(self, staff_no: str) -> list[Json]:
        """What lies in somebody's mailbox of deadlines, as they see it."""
        query = {"recipient": staff_no}
        items: list[Json] = (await got(self.who("notifier", staff_no).get("/mailbox", params=query)))["items"]
        return [each for each in items if "派发" not in each["subject"]]

    async def heard(self, topic: str) -> list[Message]:
        """All that lies on a topic, in its order."""
        bus = self.stack["notifier"].runtime.bus
        subscription = await bus.subscribe(f"witness-{uuid4()}", topic)
        messages: list[Message] = []
        while records := await subscription.fetch(500, 0.0):
            messages += [decode(record.headers, record.value) for record in records]
        await subscription.close()
        return messages


async def made(request: Any) -> Json:
    """What `request` made."""
    return _body(await request, 201)


async def got(request: Any) -> Json:
    """What `request` was answered with."""
    return _body(await request, 200)


def _body(answer: httpx.Response, status: int) -> Json:
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    body: Json = answer.json()
    return body
