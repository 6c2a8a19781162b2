"""Who sees an appeal, lists of them, and the directory by which that is judged, whatever order it arrives in."""

from typing import Any

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff, unit

READS = ["", "/timeline", "/deadlines", "/contacts", "/answers", "/callbacks"]


async def listed(desk: Desk, client: Any = None, **params: Any) -> list[str]:
    page = await got((client or desk.supervisor).get("/appeals", params=params))
    return [item["id"] for item in page["items"]]


async def test_an_appeal_is_seen_by_its_units_and_those_above_them(desk: Desk) -> None:
    case = await desk.raised()
    body = {"handling_unit_code": "37402"}
    assert (await desk.client("auditor", unit="37402").get(f"/appeals/{case}")).status_code == 404
    await got(desk.supervisor.post(f"/appeals/{case}/dispatch", json=body))
    seeing = {"374": 200, "37401": 200, "37402": 200, "375": 404}
    for unit_code, status in seeing.items():
        client = desk.client("auditor", unit=unit_code)
        assert (await client.get(f"/appeals/{case}")).status_code == status, unit_code
        assert (case in await listed(desk, client)) is (status == 200)


async def test_an_appeal_is_handed_within_sight_up_or_beside_and_back(desk: Desk) -> None:
    await desk.hear(unit("3740201", "37402"), unit("37501", "375"), staff("E301", "375"))
    case = await desk.raised()
    path, seen = f"/appeals/{case}/dispatch", desk.client("supervisor", unit="37401")
    reach = {"37401": 200, "37402": 200, "374": 200, "3740201": 422, "375": 422, "37501": 422, "99999": 422}
    for code, status in reach.items():
        answer = await seen.post(path, json={"handling_unit_code": code})
        assert answer.status_code == status, code
    assert problem(answer, 422, "unknown-handling-unit")["errors"][0]["pointer"] == "/handling_unit_code"
    # Whoever was handed it hands it on, or back to where it was raised, which need not be near them.
    await got(desk.supervisor.post(path, json={"handling_unit_code": "3740201"}))
    below = desk.client("supervisor", unit="3740201")
    problem(await below.post(path, json={"handling_unit_code": "375"}), 422, "unknown-handling-unit")
    assert (await got(below.post(path, json={"handling_unit_code": "37401"})))["handling_unit_code"] == "37401"
    # Naming somebody who is out of reach hands it to no other unit.
    named = await got(seen.post(path, json={"handler": "E301"}))
    assert (named["handler"], named["handling_unit_code"]) == ("E301", "37401")
    assert (await desk.client("handler", unit="375", sub="E301").get(f"/appeals/{case}")).status_code == 404


@pytest.mark.clause("002 6.4.5.5")
@pytest.mark.parametrize("how", ["confidential", "anonymous"])
async def test_the_words_of_a_hidden_appeal_are_kept_from_the_unit_it_may_be_about(desk: Desk, how: str) -> None:
    await desk.hear(unit("3740101", "37401"))
    secret = await desk.raised(visit_id=None, customer_id=None, **{how: True})
    plain = await desk.raised()
    investigator = desk.client("handler", unit="37402", sub="E201")
    for case in (secret, plain):
        await got(desk.supervisor.post(f"/appeals/{case}/dispatch", json={"handling_unit_code": "37402"}))
        given = {"at": instant("10-09T09:45").isoformat(), "content": "已约谈当事人。"}
        await made(investigator.post(f"/appeals/{case}/answers", json=given))
        if case == plain or how == "confidential":  # nobody calls the anonymous
            called = {"at": instant("10-09T09:50").isoformat(), "result": "completed", "opinion": "仍担心被报复"}
            await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json=called))
    # By whom, in which unit: the content of the answer, and the opinion that the customer gave at the callback.
    readers = {
        ("handler", "37402", "E201"): (True, False),  # gave the answer
        ("supervisor", "37402", "E209"): (True, True),  # supervises who handles it
        ("handler", "37402", "E202"): (False, False),
        ("supervisor", "374", "E001"): (True, True),
        ("auditor", "374", "E002"): (True, True),
        ("visitor", "374", "E003"): (False, False),
        ("visitor", "37401", "E101"): (False, False),  # raised it
        ("supervisor", "37401", "E109"): (False, False),
        ("admin", "37401", "E108"): (False, False),
        ("auditor", "37401", "E107"): (False, False),
    }
    for (role, unit_code, sub), readable in readers.items():
        client = desk.client(role, unit=unit_code, sub=sub)
        for case, expected in ((secret, readable), (plain, (True, True))):
            (answer,) = (await got(client.get(f"/appeals/{case}/answers")))["items"]
            assert (answer["content"] is not None, answer["by"]) == (expected[0], "E201"), (role, unit_code)
            its_callbacks = (await got(client.get(f"/appeals/{case}/callbacks")))["items"]
            assert len(its_callbacks) == (case == plain or how == "confidential"), (role, unit_code)
            for callback in its_callbacks:
                assert (callback["opinion"] is not None, callback["result"]) == (expected[1], "completed")
    noted = await desk.rows("SELECT by, act, thing_id FROM trail ORDER BY id")
    outside = [each for each in readers if readers[each] == (True, True)]
    acts = ("answers.read", "callbacks.read") if how == "confidential" else ("answers.read",)
    others = [(sub, act, secret) for _, _, sub in outside for act in acts if (sub, act) != ("E001", "callbacks.read")]
    assert [tuple(row) for row in noted] == others, "who read what others said, and of no other appeal"
    (near, far), its = [desk.client("auditor", unit=code) for code in ("37401", "375")], {"by": "E209"}
    told = [(await got(client.get("/trail", params=its)))["items"] for client in (near, far)]
    assert [[line["act"] for line in lines] for lines in told] == [[*acts], []], "and who audits reads that"
    # Who is named as its handler from outside reads it wherever they are.
    await got(
        desk.supervisor.post(f"/appeals/{secret}/dispatch", json={"handler": "E110", "handling_unit_code": "37401"})
    )
    (answer,) = (await got(desk.client("handler", unit="37401", sub="E110").get(f"/appeals/{secret}/answers")))["items"]
    assert answer["content"] == "已约谈当事人。"


@pytest.mark.clause("002 6.4.5.5", "002 6.4.5.6")
async def test_nobody_inside_gives_a_hidden_appeal_to_one_of_them_nor_ends_it(desk: Desk) -> None:
    """Whoever handles it reads it, and whoever ends it is rid of it: they would do so about themselves."""
    await desk.hear(unit("3740101", "37401"), staff("E110", "3740101"), staff("E201", "37402"))
    secret, plain = await desk.raised(visit_id=None, customer_id=None, confidential=True), await desk.raised()
    insider = desk.client("supervisor", "handler", unit="37401", sub="E109")
    taken_back = {"at": instant("10-09T09:45").isoformat(), "channel": "phone"}

    async def tried(case: str, verb: str, **body: Any) -> str:
        answer = await insider.post(f"/appeals/{case}/{verb}", json=body)
        return "" if answer.is_success else answer.json()["type"].removeprefix("/problems/")

    for verb, why in (("dispatch", {}), ("transfer", {"reason": "就近办理"})):
        for inside in ("E109", "E110", "E777"):  # themselves, one below, one whom the directory does not know
            for to in ({}, {"handling_unit_code": "37402"}):
                assert await tried(secret, verb, handler=inside, **to, **why) == "handler-inside"
    assert await tried(secret, "withdraw", **taken_back) == "not-yours-to-withdraw"
    assert await tried(secret, "void", reason="重复登记") == "not-yours-to-void"
    assert await tried(secret, "reclassify", type="suggestion", reason="客户语气缓和") == "complaint-not-hidden"
    assert await tried(plain, "dispatch", handler="E109") == ""
    assert await tried(secret, "dispatch", handler="E201") == "", "somebody elsewhere is"
    for to in ("37401", "37402"):
        assert await tried(secret, "dispatch", handling_unit_code=to) == "handler-inside", "nobody takes it from them"
    assert await tried(secret, "return", reason="就近办理") == "not-yours-to-return"
    assert await tried(plain, "dispatch", handling_unit_code="37402") == ""
    # What goes back to whoever handed it on goes to their unit: they are inside.
    await desk.act(secret, "return", desk.client("handler", unit="37402", sub="E201"), reason="不属本班")
    appeal = await desk.appeal(secret)
    assert (appeal["handler"], appeal["handling_unit_code"]) == (None, "37401")
    # Whom the directory does not know nobody inside can have named: they have it until they hand it on themselves.
    await desk.act(secret, "dispatch", handler="E777")
    for verb, why in (("dispatch", {}), ("transfer", {"reason": "就近办理"})):
        assert await tried(secret, verb, handling_unit_code="37402", **why) == "handler-inside"
    assert await tried(secret, "return", reason="就近办理") == "not-yours-to-return"
    assert (await desk.appeal(secret))["handler"] == "E777"
    unknown = desk.client("handler", unit="37401", sub="E777")
    assert (await desk.act(secret, "dispatch", unknown, handling_unit_code="37402"))["handler"] is None
    # Whoever is outside names whom they think fit; who was named ends it.
    await desk.act(secret, "dispatch", handler="E109")
    assert await tried(secret, "withdraw", **taken_back) == ""
    # Above a unit at the top there is nobody: its supervisors name another, and end it.
    top = await desk.raised(unit_code="375", visit_id=None, customer_id=None, anonymous=True)
    first = desk.client("supervisor", unit="375", sub="E309")
    problem(await first.post(f"/appeals/{top}/dispatch", json={"handler": "E309"}), 422, "handler-inside")
    handler = desk.client("handler", unit="375", sub="E308")
    problem(await handler.post(f"/appeals/{top}/dispatch", json={"handler": "E307"}), 422, "handler-inside")
    for name in ("E777", "E308"):
        await desk.act(top, "dispatch", first, handler=name)
        await desk.act(top, "return", first, reason="另行安排")
    await desk.act(top, "dispatch", first, handler="E308")
    await desk.act(top, "void", first, reason="重复登记")


@pytest.mark.parametrize("path", READS)
async def test_another_units_appeal_looks_like_a_missing_one(desk: Desk, path: str) -> None:
    theirs, missing = await desk.raised(), new_id()
    answers = [await desk.stranger.get(f"/appeals/{case}{path}") for case in (theirs, missing, "nonsense")]
    assert {answer.status_code for answer in answers} == {404}
    first, second = (answer.json() | {"trace_id": None} for answer in answers[:2])
    assert first == second


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("contacts", {"at": "2026-10-09T09:45:00+08:00", "channel": "phone", "result": "reached"}),
        ("answers", {"at": "2026-10-09T09:45:00+08:00", "content": "答复"}),
        ("callbacks", {"at": "2026-10-09T09:45:00+08:00", "result": "completed"}),
        ("accept", {}),
        ("dispatch", {"handler": "E301"}),
        ("close", {}),
    ],
)
async def test_nobody_acts_on_another_units_appeal(desk: Desk, act: str, body: dict[str, Any]) -> None:
    case = await desk.raised()
    before = await desk.appeal(case)
    problem(await desk.stranger.post(f"/appeals/{case}/{act}", json=body), 404, "appeal-not-found")
    assert (await desk.appeal(case), len(await desk.timeline(case))) == (before, 1)


async def test_the_list_is_filtered(desk: Desk) -> None:
    complaint = await desk.raised()
    question = await desk.raised(appeal_type="consultation", unit_code="37402", received_at=desk.clock.now())
    unknown = await desk.raised(appeal_type="praise")
    await desk.contact(complaint, "10-09T09:45")
    assert set(await listed(desk)) == {complaint, question, unknown}
    assert await listed(desk, state="contacted") == [complaint]
    assert await listed(desk, type="consultation") == [question]
    assert await listed(desk, type="praise") == [unknown]
    assert await listed(desk, unit="37402") == [question]
    assert set(await listed(desk, unit="374")) == {complaint, question, unknown}
    assert await listed(desk, unit="375") == []
    window = {"due_from": instant("10-20T00:00").isoformat(), "due_before": instant("10-20T00:01").isoformat()}
    assert set(await listed(desk, **window)) == {complaint, question}
    assert await listed(desk, due_before=instant("10-11T00:00").isoformat()) == []  # the contact clock has stopped
    answer = await desk.supervisor.get("/appeals", params={"state": "lost"})
    assert problem(answer, 422, "unprocessable")["errors"][0]["pointer"] == "/state"


async def test_the_list_is_paged_without_loss(desk: Desk) -> None:
    ids = [await desk.raised() for _ in range(7)]
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = await got(desk.supervisor.get("/appeals", params=params))
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == sorted(ids)


async def test_directory_news_counts_by_version_in_whatever_order(desk: Desk) -> None:
    case = new_id()
    newer, older = unit("37403", "374", version=3, id=case), unit("37403", "375", version=2, id=case)
    await desk.hear(newer)
    await desk.hear(older, newer)
    await desk.hear(unit("37404", "375", version=1, id=case), older)
    (row,) = await desk.rows("SELECT * FROM units WHERE id = $1", case)
    assert (row["code"], row["parent_code"], row["version"]) == ("37403", "374", 3)
    person = new_id()
    await desk.hear(
        staff("E500", "375", "handler", version=5, id=person), staff("E500", "374", "visitor", version=4, id=person)
    )
    (row,) = await desk.rows("SELECT * FROM staff WHERE id = $1", person)
    assert (row["unit_code"], row["roles"], row["version"]) == ("375", ["handler"], 5)
    await desk.hear(staff("E500", "375", version=6, id=person))
    (row,) = await desk.rows("SELECT roles FROM staff WHERE id = $1", person)
    assert row["roles"] == []


async def test_a_unit_that_moves_takes_its_appeals_along(desk: Desk) -> None:
    case = await desk.raised(unit_code="37405")
    moved = new_id()
    await desk.hear(unit("37405", "374", id=moved))
    assert (await desk.supervisor.get(f"/appeals/{case}")).status_code == 200
    await desk.hear(unit("37405", "375", version=2, id=moved))
    assert (await desk.supervisor.get(f"/appeals/{case}")).status_code == 404
    assert (await desk.stranger.get(f"/appeals/{case}")).status_code == 200


async def test_a_circle_of_units_ends_all_the_same(desk: Desk) -> None:
    await desk.hear(unit("A", "B"), unit("B", "A"))
    case = await desk.raised(unit_code="A")
    assert (await desk.client("visitor", unit="B").get(f"/appeals/{case}")).status_code == 200
