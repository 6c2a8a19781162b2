"""Two units become one while appeals are open: no deadline moves, and whoever is there now has them, and is told."""

import pytest

from tests.e2e.company import PARENT, UNIT, Company, got, made, utc
from tests.support.stack import Stack

OTHER = "37402"


@pytest.mark.clause("7.2.3", "8.2.4", "002 6.4.5.4")
async def test_what_a_merged_unit_has_open_is_done_by_the_people_of_the_other(stack: Stack) -> None:
    company = Company(stack)
    await company.found()
    admin = stack.client("visit_api", "admin", unit=PARENT, sub="A1")
    await made(admin.post("/units", json={"code": OTHER, "name": "泉城供电中心", "parent_code": PARENT}))
    for staff_no, role in (("S2", "supervisor"), ("C2", "callback")):
        member = {"staff_no": staff_no, "name": staff_no, "unit_code": OTHER, "roles": [role]}
        await made(admin.post("/staff", json=member))
    await stack.settle()
    policy = stack.client("appeal_tracker", "admin", unit=PARENT, sub="A1").put(
        f"/units/{PARENT}/policy", json={"policy": "state-grid"}, headers={"If-Match": "*"}
    )
    await got(policy)
    visit, visitor = await company.visit(), company.who("visit_api", "V1")
    new = {"type": "complaint", "summary": "三天两头停电", "received_at": company.now()}
    late, answered = [(await made(visitor.post(f"/visits/{visit['id']}/appeals", json=new)))["id"] for _ in range(2)]
    await company.until("09 11:00")
    content = {"at": company.now(), "content": "已检修"}
    await made(company.who("appeal_tracker", "H1").post(f"/appeals/{answered}/answers", json=content))
    theirs = {
        each: stack.client("appeal_tracker", role, unit=OTHER, sub=each)
        for each, role in (("S2", "supervisor"), ("C2", "callback"))
    }
    assert (await theirs["S2"].get(f"/appeals/{late}")).status_code == 404, "nobody's business but that unit's"
    clocks = (await got(company.who("appeal_tracker", "S1").get(f"/appeals/{late}")))["clocks"]

    await made(admin.post(f"/units/{UNIT}/merge", json={"into": OTHER, "reason": "供电所整合"}))
    await stack.settle()
    assert (await got(visitor.get(f"/visits/{visit['id']}")))["unit_code"] == OTHER
    appeal = await got(theirs["S2"].get(f"/appeals/{late}"))
    assert (appeal["unit_code"], appeal["handling_unit_code"], appeal["clocks"]) == (UNIT, OTHER, clocks)
    (task,) = (await got(theirs["C2"].get("/callback-tasks", params={"state": "open"})))["items"]
    assert task["appeal_id"] == answered
    await company.until("10 10:00")  # a worked Saturday
    contact = (await got(theirs["S2"].get(f"/appeals/{late}/deadlines")))["items"][0]
    assert (contact["milestone"], contact["due_at"], contact["state"]) == ("contact", utc("10 10:00"), "breached")
    told = {each["recipient"] for each in await company.told(late) if each["step"] == "due"}
    assert {"S1", "S2"} <= told, "whoever supervises there now, also those who came along"
    called = {"at": company.now(), "result": "completed", "satisfaction": 5}
    await made(theirs["C2"].post(f"/appeals/{answered}/callbacks", json=called))
    await got(theirs["S2"].post(f"/appeals/{answered}/close", json={}))
    await stack.settle()
    (closed,) = [
        each for each in (await got(visitor.get(f"/visits/{visit['id']}/appeals")))["items"] if each["id"] == answered
    ]
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
