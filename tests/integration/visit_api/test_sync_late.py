"""What a device brings late neither undoes what was said since, nor is turned away for what happened since."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.integration.visit_api.phone import Phone, outcomes
from tests.integration.visit_api.test_attachments import PICTURE, declared
from tests.integration.visit_api.test_sync_deciding import conflict, resolve
from tests.integration.visit_api.world import World, made, problem

PLACE = {"latitude": 36.6, "longitude": 117.1}


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


@pytest.fixture
def supervisor(world: World) -> httpx.AsyncClient:
    return world.client("supervisor", unit="37401", sub="E109")


def agreed(phone: Phone, visit_id: str, day: int, ago: float) -> dict[str, Any]:
    window = {"window_from": f"2026-10-{day}T09:00:00+08:00", "window_to": f"2026-10-{day}T10:00:00+08:00"}
    return phone.item("appointment", visit_id, ago=ago, purpose="增容", place="厂区", **window)


async def window(world: World, visit_id: str) -> str | None:
    its: str | None = (await world.admin.get(f"/visits/{visit_id}/appointment")).json()["window_from"]
    return its


async def test_the_last_word_with_a_customer_holds_whenever_it_is_brought(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit_id = (await world.visit(visitor_ids=["E101"]))["id"]
    off = phone.item("appointment_cancellation", visit_id, ago=800, reason="抢修")
    answers = await phone.push(agreed(phone, visit_id, 14, 700), off, agreed(phone, visit_id, 12, 900))
    assert outcomes(answers) == ["stored"] * 3, "they are applied as they were said"
    assert await window(world, visit_id) == "2026-10-14T01:00:00Z"
    thursday = {"window_from": "2026-10-15T10:00:00+08:00", "window_to": "2026-10-15T11:00:00+08:00"}
    desk = await world.appointed(visit_id, **thursday)

    late = [
        agreed(phone, visit_id, 14, 60),
        phone.item("appointment_refusal", visit_id, ago=50, reason="不便"),
        phone.item("appointment_cancellation", visit_id, ago=40, reason="抢修"),
    ]
    found = [await conflict(phone, each) for each in late]
    assert await window(world, visit_id) == "2026-10-15T02:00:00Z"
    shown = (await supervisor.get(f"/sync/conflicts/{found[0]}")).json()
    assert (shown["problem"], shown["server_version"]["id"]) == ("appointed-since", desk["id"])
    await resolve(supervisor, found[1], "server")
    await resolve(supervisor, found[0], "device")
    assert await window(world, visit_id) == "2026-10-14T01:00:00Z"
    assert outcomes(await phone.push(late[0], agreed(phone, visit_id, 16, 0))) == ["same", "stored"]


async def test_a_complaint_is_taken_whoever_left_and_whatever_was_removed_since(world: World, phone: Phone) -> None:
    customer = await world.customer()
    plan = {"customer_id": customer["id"], "channel": "phone", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    year = await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026-10"}))
    wanted = {"customer_id": customer["id"], "channel": "phone", "due_by": "2026-10-20", "reason": "新增"}
    wish = await made(world.admin.post(f"/plans/{year['id']}/items", json=wanted))
    visit = phone.item("visit", ago=60, visitor_ids=["E102", "E101"], plan_item_id=wish["id"], **plan)
    appeal = phone.item("appeal", visit["id"], ago=50, type="complaint", summary="停电")
    its = {"If-Match": "*"}
    assert (await world.admin.patch("/staff/E102", json={"active": False}, headers=its)).status_code == 200
    off = {"dropped": True, "reason": "停产"}
    assert (await world.admin.patch(f"/plan-items/{wish['id']}", json=off, headers=its)).status_code == 200
    assert (await world.admin.delete(f"/customers/{customer['id']}", headers=its)).status_code == 204
    answers = await phone.push(visit, appeal)
    assert outcomes(answers) == ["stored"] * 2, answers
    assert answers[0]["notes"] == ["customer_removed", "visitor_left", "plan_item_dropped"]
    assert (await world.visitor.get(f"/visits/{visit['id']}")).json()["visitor_ids"] == ["E102", "E101"]
    (refused,) = await phone.push(phone.item("visit", visitor_ids=["E301"], **plan))
    assert [error["pointer"] for error in refused["problem"]["errors"]] == ["/items/0/body/visitor_ids/0"]
    at_a_desk = await world.admin.post("/visits", json=plan)
    assert at_a_desk.status_code == 422, "a new visit is still to a customer that is there"


async def test_an_end_before_its_beginning_is_the_fault_of_a_clock_that_was_put_right(
    world: World, phone: Phone
) -> None:
    visit_id = (await world.visit(visitor_ids=["E101"]))["id"]
    answers = await phone.push(phone.item("start", visit_id, ago=60), phone.item("completion", visit_id, ago=90))
    assert outcomes(answers) == ["stored"] * 2, answers
    assert [each["clock"] for each in answers] == ["as_said", "untrusted"]
    shown = (await world.visitor.get(f"/visits/{visit_id}")).json()
    assert (shown["state"], shown["completed_at"]) == ("completed", shown["started_at"])


async def test_two_devices_that_prepared_the_same_agree(world: World, phone: Phone) -> None:
    visit_id = (await world.visit(visitor_ids=["E101", "E102"]))["id"]
    other = Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2")
    kit = [{"item": "handheld", "ready": "yes"}, {"item": "recorder", "ready": "no", "note": "损坏"}]
    assert outcomes(await phone.push(phone.item("preparation", visit_id, kit=kit))) == ["stored"]
    assert outcomes(await other.push(other.item("preparation", visit_id, kit=kit[::-1]))) == ["same"]
    assert outcomes(await other.push(other.item("preparation", visit_id, kit=kit[:1]))) == ["conflict"]


async def test_what_was_said_in_confidence_is_not_told_by_what_brought_it(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    above = world.client("supervisor", unit="374", sub="E209")
    visit_id = (await world.visit(visitor_ids=["E101"]))["id"]
    start = phone.item("start", visit_id, ago=9)
    opinion = phone.item("appeal", visit_id, type="opinion", summary="好")
    quiet = phone.item("appeal", visit_id, type="complaint", summary="停电", confidential=True)
    heard = phone.item("appeal", visit_id, type="complaint", summary="停电", anonymous=True, heard_by="E102")
    worse = {**quiet, "body": {**quiet["body"], "summary": "天天停电"}}
    beside = {**opinion, "body": {**opinion["body"], "anonymous": True}}
    answers = await phone.push(start, opinion, quiet, heard, worse, beside)
    assert outcomes(answers) == ["stored"] * 4 + ["conflict"] * 2

    async def told(client: httpx.AsyncClient) -> list[str]:
        return [each["item_id"] for each in (await client.get("/sync/items")).json()["items"]]

    of_all = [each["id"] for each in (start, opinion, quiet, heard, worse, beside)]
    assert await told(world.visitor) == await told(above) == of_all
    colleague, third = (world.client("visitor", unit="37401", sub=sub) for sub in ("E102", "E103"))
    assert await told(colleague) == [start["id"], opinion["id"], heard["id"]], "who heard it knows"
    assert await told(third) == await told(supervisor) == [start["id"], opinion["id"]]

    await resolve(above, answers[4]["conflict_id"], "server", reason="已向李某核实")
    read = "SELECT by FROM trail WHERE act = 'appeal.read' AND thing = 'appeal'"
    assert await world.rows(read) == []
    sheet = f"/visits/{visit_id}/sheet"
    lines = [(await client.get(sheet)).text.count("<td>P-1</td>") for client in (above, world.visitor, colleague)]
    assert lines == [6, 6, 3], "of the same the sheet tells"
    page = (await third.get(sheet)).text
    assert (page.count("<td>P-1</td>"), "李某" in page) == (2, False)
    assert [row["by"] for row in await world.rows(read)] == ["E209"] * 2, "who read what they had not heard"


async def test_where_somebody_arrived_is_opened_for_a_reason_only(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit_id = (await world.visit(visitor_ids=["E101"]))["id"]
    here = {"place": {"latitude": 30.0, "longitude": 110.0}, "consented": True}
    assert (await world.admin.post(f"/visits/{visit_id}/arrive", json=here)).status_code == 200
    its = await conflict(phone, phone.item("arrival", visit_id, ago=60, place=PLACE, consented=True))
    shown = (await supervisor.get(f"/sync/conflicts/{its}")).json()
    assert shown["device_version"]["body"] == {"consented": True}
    decided = await resolve(supervisor, its, "device")
    assert "place" not in {**decided["device_version"]["body"], **decided["server_version"]}
    opened = (await supervisor.get(f"/visits/{visit_id}/arrival", params={"reason": "核对"})).json()
    assert (opened["arrived_at"], opened["place"]["latitude"]) == ("2026-10-09T01:59:00Z", PLACE["latitude"])
    bare = await conflict(phone, phone.item("arrival", visit_id, ago=30))
    await resolve(supervisor, bare, "device")
    opened = (await supervisor.get(f"/visits/{visit_id}/arrival", params={"reason": "核对"})).json()
    assert (opened["arrived_at"], opened["place"]) == ("2026-10-09T01:59:30Z", None), "not the place of another arrival"


async def test_a_merge_leaves_the_others_as_they_are(world: World, phone: Phone, supervisor: httpx.AsyncClient) -> None:
    plan = {"customer_id": (await world.customer())["id"], "channel": "on_site"}
    items = [phone.item("visit", scheduled_at=f"2026-10-09T{hour}:00:00+08:00", **plan) for hour in ("08", "09", "10")]
    assert outcomes(await phone.push(*items)) == ["stored"] * 3
    a, b, c = (each["id"] for each in items)
    found = (await supervisor.get("/sync/suspicions")).json()["items"]
    paths = {frozenset((its["first_id"], its["second_id"])): f"/sync/suspicions/{its['id']}" for its in found}
    ab, bc, ac = (paths[frozenset(pair)] for pair in ((a, b), (b, c), (a, c)))

    async def doubles() -> list[str | None]:
        return [(await supervisor.get(f"/visits/{each}")).json()["double_of"] for each in (a, b, c)]

    assert (await supervisor.post(f"{ab}/merge", json={"kept": a})).status_code == 200
    refused = await supervisor.post(f"{bc}/merge", json={"kept": b})
    assert [error["code"] for error in refused.json()["errors"]] == ["double"]
    assert (await supervisor.post(f"{bc}/different", json={})).status_code == 200
    assert await doubles() == [None, a, None], "that two are two says nothing of a third"
    assert (await supervisor.post(f"{ac}/merge", json={"kept": c})).status_code == 200
    assert (await supervisor.post(f"{bc}/merge", json={"kept": c})).status_code == 200
    assert await doubles() == [c, a, None]
    assert (await supervisor.post(f"{ab}/different", json={})).status_code == 200
    assert await doubles() == [c, c, None]


async def test_a_directed_visit_that_was_called_off_and_made_all_the_same(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    plan = await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026-10"}))
    customer = await world.customer()
    wanted = {"customer_id": customer["id"], "channel": "on_site", "due_by": "2026-10-20", "reason": "新增"}
    wish = await made(world.admin.post(f"/plans/{plan['id']}/items", json=wanted))
    body = {"customer_id": customer["id"], "channel": "on_site", "form": "directed", "plan_item_id": wish["id"]}
    times = {"scheduled_at": "2026-10-09T09:00:00+08:00", "visitor_ids": ["E101"]}
    visit = await made(world.admin.post("/visits", json={**body, **times}))
    await world.prepare(visit["id"], usage_analysis="峰谷", solution_proposal="错峰")
    before = await world.appointed(visit["id"])
    await world.act(visit["id"], "cancel")
    its = await conflict(phone, phone.item("start", visit["id"], ago=60))
    again = (await resolve(supervisor, its, "device"))["made_id"]
    shown = (await world.visitor.get(f"/visits/{again}")).json()
    assert (shown["state"], shown["plan_item_id"], shown["form"]) == ("in_progress", wish["id"], "directed")
    assert shown["window_from"] == before["window_from"]
    prepared = (await world.visitor.get(f"/visits/{again}/preparation")).json()
    assert (prepared["usage_analysis"], prepared["prepared_by"]) == ("峰谷", "E001")
    last = (await world.visitor.get(f"/visits/{again}/appointment")).json()["last"]
    assert (last["kind"], last["place"], last["at"]) == ("agreed", before["place"], before["at"])


async def test_a_visit_that_is_kept_is_planned_for_our_time(world: World, supervisor: httpx.AsyncClient) -> None:
    visit = await world.visit()
    fast = Phone(world, world.visitor, name="FAST", off=timedelta(hours=5))
    spot = {"customer_id": visit["customer_id"], "channel": "phone", "scheduled_at": fast.now().isoformat()}
    its = await conflict(fast, {**fast.item("visit", **spot), "id": visit["id"]})
    await resolve(supervisor, its, "device")
    shown = (await supervisor.get(f"/visits/{visit['id']}")).json()
    assert (shown["channel"], shown["scheduled_at"]) == ("phone", "2026-10-09T02:00:00Z")
    problem(
        await supervisor.post(f"/sync/conflicts/{its}/resolve", json={"keep": "server"}), 409, "sync-conflict-resolved"
    )


async def test_a_complaint_is_taken_wherever_the_customer_or_the_visit_is_by_now(world: World, phone: Phone) -> None:
    customer, its = await world.customer(), {"If-Match": "*"}
    plan = {"customer_id": customer["id"], "channel": "phone", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    visit = phone.item("visit", ago=60, visitor_ids=["E101"], **plan)
    appeal = phone.item("appeal", visit["id"], ago=50, type="complaint", summary="停电")
    moved = {"unit_code": "37402"}
    assert (await world.admin.patch(f"/customers/{customer['id']}", json=moved, headers=its)).status_code == 200
    answers = await phone.push(visit, appeal)
    assert (outcomes(answers), answers[0]["notes"]) == (["stored"] * 2, ["customer_moved"]), answers
    assert (await world.admin.get(f"/visits/{visit['id']}")).json()["unit_code"] == "37401", "whose visitor made it"
    others = await made(
        world.stranger.post("/customers", json={"name": "青钢", "kind": "other.important", "unit_code": "375"})
    )
    (refused,) = await phone.push(phone.item("visit", **{**plan, "customer_id": others["id"]}))
    assert [error["code"] for error in refused["problem"]["errors"]] == ["unknown_customer"], (
        "another company's is none"
    )
    assert (await world.visitor.post("/visits", json=plan)).status_code == 422, "a new visit is to one that is seen"

    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    theirs = await world.customer("3740101")
    booked = await made(
        world.admin.post("/visits", json={**plan, "customer_id": theirs["id"], "visitor_ids": ["E101"]})
    )
    assert (await phone.pull())[0]["kind"] == "unit"
    up = {"parent_code": "37402"}
    assert (await world.admin.patch("/units/3740101", json=up, headers=its)).status_code == 200
    words = phone.item("appeal", booked["id"], type="complaint", summary="停电", heard_by="E101")
    end = [phone.item("start", booked["id"], ago=9), phone.item("completion", booked["id"])]
    photo = phone.item("attachment", booked["id"], **declared())
    answers = await phone.push(words, *end, photo)
    assert (outcomes(answers), [each["notes"] for each in answers]) == (["stored"] * 4, [["visit_moved"]] * 4), answers
    assert outcomes(await phone.push(words)) == ["same"]
    assert (await world.visitor.get(f"/visits/{booked['id']}")).status_code == 404, "it is not seen all the same"
    stranger = Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2")
    (refused,) = await stranger.push(stranger.item("appeal", booked["id"], type="opinion", summary="好"))
    assert refused["problem"]["status"] == 404

    file = f"/attachments/{photo['id']}"
    for client, status in ((stranger.client, 404), (world.visitor, 200)):
        bytes_of_it = [await client.put(f"{file}/parts/1", content=PICTURE), await client.get(file)]
        ends = [await client.post(f"{file}/complete") for _ in range(2)]
        assert [answer.status_code for answer in (*bytes_of_it, *ends)] == [status] * 4
    assert ends[0].json() == ends[1].json()
    over = [await world.visitor.get(path) for path in (file, f"{file}/content")]
    assert [answer.status_code for answer in over] == [404, 404], "what is stored is theirs who have the visit"
    assert (await world.admin.get(file)).json()["state"] == "stored"


async def test_a_copy_begins_anew_when_units_moved(world: World, phone: Phone) -> None:
    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    booked = await world.visit("3740101", visitor_ids=["E101"])
    await phone.pull()
    assert phone.ids("visit") == {booked["id"]}
    its = {"If-Match": "*"}
    assert (await world.admin.patch("/units/3740101", json={"name": "一班"}, headers=its)).status_code == 200
    assert [each["kind"] for each in await phone.pull()] == ["unit"], "another name moves nothing"
    for parent, seen in (("37402", set()), ("37401", {booked["id"]})):
        up = {"parent_code": parent}
        assert (await world.admin.patch("/units/3740101", json=up, headers=its)).status_code == 200
        expired = await phone.client.get("/sync/pull", params={"cursor": phone.cursor})
        problem(expired, 410, "sync-cursor-expired")
        phone.copy, phone.cursor = {}, None
        await phone.pull()
        assert phone.ids("visit") == seen
        assert await phone.pull() == []
    new = {"into": "37401", "reason": "班组撤并"}  # below which it stands already
    await made(world.admin.post("/units/3740101/merge", json=new))
    expired = await phone.client.get("/sync/pull", params={"cursor": phone.cursor})
    problem(expired, 410, "sync-cursor-expired")


@pytest.mark.clause("7.2.6")
async def test_a_file_that_is_lost_is_given_up_from_the_device(world: World, phone: Phone) -> None:
    visit, other = [(await world.visit())["id"] for _ in range(2)]
    file = phone.item("attachment", visit, name="门头.png", kind="photo", size=1, sha256="0" * 64)
    why = {"attachment_id": file["id"], "reason": "手机损坏，照片已丢失"}
    lost = phone.item("attachment_withdrawal", visit, ago=600, **why)
    elsewhere = phone.item("attachment_withdrawal", other, **why)
    assert outcomes(await phone.push(lost, elsewhere, file)) == ["stored", "refused", "stored"]
    assert outcomes(await phone.push(lost)) == ["same"]
    shown = (await world.visitor.get(f"/attachments/{file['id']}")).json()
    assert (shown["state"], shown["reason"], shown["given_up_by"]) == ("abandoned", why["reason"], "E101")
    assert shown["given_up_at"] == "2026-10-09T01:50:00Z"
    again = await phone.push(phone.item("attachment_withdrawal", visit, attachment_id=file["id"], reason="又找到了"))
    assert outcomes(again) == ["refused"]
