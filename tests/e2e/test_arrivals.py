"""An agreed hour, from what the customer said to the clock that is judged by it: what is told over the bus is all that
the tracker knows of it."""

import pytest

from tests.e2e.company import PARENT, UNIT, Company, Json, got, local, made, utc
from tests.support.stack import Stack

PLACE = "厂区办公楼三楼会议室"


@pytest.fixture
async def company(stack: Stack) -> Company:
    """The company, which goes by the standard of service windows: arrival within the agreed hour."""
    its = Company(stack)
    await its.found()
    admin = stack.client("appeal_tracker", "admin", unit=PARENT, sub="A1")
    picked = {"policy": "service-window"}
    await got(admin.put(f"/units/{UNIT}/policy", json=picked, headers={"If-Match": "*"}))
    return its


async def planned(company: Company) -> str:
    """A visit by V1."""
    visitor = company.who("visit_api", "V1")
    customer = {"name": "齐鲁机床", "kind": "other.important", "unit_code": UNIT}
    its = (await made(visitor.post("/customers", json=customer)))["id"]
    plan = {"customer_id": its, "channel": "on_site", "scheduled_at": company.now(), "visitor_ids": ["V1"]}
    return str((await made(visitor.post("/visits", json=plan)))["id"])


async def agree(company: Company, visit: str, begins: str, ends: str, **more: str) -> None:
    """The customer agreed to be visited between two instants."""
    window = {"window_from": local(begins).isoformat(), "window_to": local(ends).isoformat()}
    new = {"purpose": "了解用电需求", "place": PLACE, **window, **more}
    await made(company.who("visit_api", "V1").post(f"/visits/{visit}/appointment", json=new))
    await company.stack.settle()


async def clocks(company: Company, visit: str) -> list[tuple[str, str, str]]:
    """The arrival clocks of a visit: when each is due, its state, and when it was met."""
    items: list[Json] = (await got(company.who("appeal_tracker", "S1").get(f"/visits/{visit}/deadlines")))["items"]
    assert {each["milestone"] for each in items} <= {"arrival"}
    return [(each["due_at"], each["state"], each["met_at"]) for each in items]


@pytest.mark.clause("6.1.3.1", "003 10(2)7")
async def test_the_clock_of_an_arrival_follows_what_was_agreed(company: Company) -> None:
    visit, path = await planned(company), "/visits/{}"
    visitor = company.who("visit_api", "V1")
    await company.until("09 10:00")
    await agree(company, visit, "09 14:00", "09 15:00")
    assert await clocks(company, visit) == [(utc("09 15:00"), "running", None)]
    await company.until("09 13:00")
    await agree(company, visit, "10 09:00", "10 10:00", asked_by="customer", reason="下午停电检修")
    cancelled = (utc("09 15:00"), "cancelled", None)
    assert await clocks(company, visit) == [cancelled, (utc("10 10:00"), "running", None)]
    await company.until("09 17:00")
    refused = {"reason": "明日停产"}
    await made(visitor.post(f"{path.format(visit)}/appointment/refuse", json=refused))
    await company.until("10 12:00")
    gone = (utc("10 10:00"), "cancelled", None)
    assert await clocks(company, visit) == [cancelled, gone], "nobody is waited for by what was refused"
    await agree(company, visit, "10 15:00", "10 15:30")
    await company.until("10 15:59")
    await got(visitor.post(f"{path.format(visit)}/arrive", json={}))
    await company.stack.settle()
    assert await clocks(company, visit) == [cancelled, gone, (utc("10 16:00"), "met", utc("10 15:59"))]
    for message in await company.heard("visit.events"):
        assert PLACE not in repr(message)
        assert "停" not in repr(message)


@pytest.mark.clause("003 10(2)7")
async def test_who_does_not_arrive_in_the_agreed_hour_is_told_of(company: Company) -> None:
    visit = await planned(company)
    await agree(company, visit, "09 14:00", "09 15:00")
    await company.until("09 15:00")
    ((due, state, met),) = await clocks(company, visit)
    assert (due, state, met) == (utc("09 15:00"), "breached", None)
    told = [message for message in await company.heard("appeal.events") if message.type == "deadline.breached.v1"]
    assert [message.subject for message in told] == [visit]
