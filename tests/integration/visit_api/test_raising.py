"""Raising: stored and told in one, never lost, never doubled; and who may read the words."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.integration.visit_api.world import COMPLAINT, CONSULTATION, Told, World, made, pointers, problem
from tests.support.databases import everything
from visit_api.appeals.worker import WordsSealer

FIRST_OF_2007 = "2007-01-01T00:00:00+08:00"


async def test_what_is_raised_is_stored_and_told(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    assert appeal == {
        "id": appeal["id"],
        "appeal_no": appeal["appeal_no"],
        "visit_id": visit["id"],
        "unit_code": "37401",
        "type": "complaint",
        "summary": "三天两头停电",
        "reason_not_answered": None,
        "received_at": "2026-10-09T01:30:00Z",
        "recorded_at": "2026-10-09T02:00:00Z",
        "raised_by": "E101",
        "typed_by": None,
        "confidential": False,
        "anonymous": False,
        "state": "open",
        "round": 1,
        "outcome": None,
        **dict.fromkeys(("contacted_at", "answered_at", "closed_at")),
        "deadlines": [],
        **dict.fromkeys(("callback_result", "called_back_at", "satisfaction", "rated_at", "reclassified_to")),
        "updated_at": "2026-10-09T02:00:00Z",
    }
    (item,) = (await world.visitor.get(f"/visits/{visit['id']}/appeals")).json()["items"]
    assert item == appeal
    payload = {
        "appeal_id": appeal["id"],
        "appeal_no": appeal["appeal_no"],
        "visit_id": visit["id"],
        "customer_id": visit["customer_id"],
        "unit_code": "37401",
        "appeal_type": "complaint",
        "received_at": "2026-10-09T01:30:00Z",
        "recorded_at": "2026-10-09T02:00:00Z",
        "raised_by": "E101",
        "confidential": False,
        "anonymous": False,
    }
    assert (await world.told())[-1] == Told("appeal.raised.v1", visit["id"], payload), "and not a word of it"


async def test_an_outbox_row_of_the_hot_path_is_like_every_other(world: World) -> None:
    visit = await world.visit()
    await world.visitor.post(
        f"/visits/{visit['id']}/appeals", json=COMPLAINT, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    raised, planned = await world.rows("SELECT * FROM outbox ORDER BY seq DESC LIMIT 2")
    assert raised["traceparent"].startswith(f"00-{'a' * 32}-")
    assert raised["subject"] == str((await world.rows("SELECT id FROM appeals"))[0]["id"])
    for column in ("aggregatetype", "source", "time", "published_at", "extra_headers", "refused"):
        assert raised[column] == planned[column], column


async def test_numbers_are_unique_and_rise(world: World) -> None:
    visit = await world.visit()
    numbers = [(await world.raised(visit["id"]))["appeal_no"] for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert all(number.startswith("VA") and len(number) == 12 for number in numbers)


async def test_the_relay_is_woken_by_a_raise_that_is_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(world.runtime.outbox, "wake", lambda: woken.append(True))
    visit = await world.visit()
    woken.clear()
    for headers in ({}, {"Idempotency-Key": "k1"}):
        await made(world.visitor.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT, headers=headers))
    assert woken == [True, True]
    await world.visitor.post(f"/visits/{uuid4()}/appeals", json=COMPLAINT)
    assert woken == [True, True]


@pytest.mark.clause("8.2.4")
@pytest.mark.parametrize(
    "acts", [(), ("start",), ("start", "complete"), ("start", "complete", "archive"), ("cancel",), ("miss",)]
)
async def test_a_complaint_is_taken_in_every_state_of_the_visit(world: World, acts: tuple[str, ...]) -> None:
    visit = await world.visit()
    await world.act(visit["id"], *acts)
    appeal = await world.raised(visit["id"])
    told = (await world.told())[-1]
    assert told.payload is not None
    assert (told.type, told.key, told.payload["appeal_id"]) == ("appeal.raised.v1", visit["id"], appeal["id"])


@pytest.mark.clause("8.2.4")
async def test_who_heard_it_first_is_on_it_whoever_types_it_in(world: World) -> None:
    visit = await world.visit()
    desk = world.client("integration", unit="374", sub="desk")
    path = f"/visits/{visit['id']}/appeals"
    new = {**COMPLAINT, "heard_by": "E102", "confidential": True, "id": str(uuid4())}
    appeal = await made(desk.post(path, json=new))
    assert (appeal["raised_by"], appeal["typed_by"]) == ("E102", "desk")
    told = (await world.told())[-1]
    assert told.payload is not None
    assert told.payload["raised_by"] == "E102", "and is its first contact wherever it goes"
    assert await made(desk.post(path, json=new)) == appeal
    for client, knows in (
        (world.client("visitor", unit="37401", sub="E102"), True),
        (world.client("handler", unit="374", sub="desk"), True),
        (world.visitor, False),
    ):
        assert bool((await client.get(path)).json()["items"]) is knows
    own = await made(world.visitor.post(path, json={**COMPLAINT, "heard_by": "E101"}))
    assert (own["raised_by"], own["typed_by"]) == ("E101", None)


@pytest.mark.clause("8.2.4")
async def test_who_heard_it_is_of_the_unit_or_above_or_below_it_also_once_they_left(world: World) -> None:
    visit, theirs = await world.visit(), await world.visit("37402")
    await world.admin.patch("/staff/E102", json={"active": False}, headers={"If-Match": "*"})
    path = f"/visits/{visit['id']}/appeals"
    assert (await made(world.visitor.post(path, json={**COMPLAINT, "heard_by": "E102"})))["raised_by"] == "E102"
    for nobody in ("E201", "nobody"):
        answer = await world.visitor.post(path, json={**COMPLAINT, "heard_by": nobody})
        assert pointers(answer) == [("/heard_by", "unknown_staff")]
        hidden = await world.visitor.post(f"/visits/{theirs['id']}/appeals", json={**COMPLAINT, "heard_by": nobody})
        problem(hidden, 404, "not-found")


@pytest.mark.clause("7.2.3")
async def test_a_consultation_not_answered_at_once_says_why(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/appeals"
    for reason in ({}, {"reason_not_answered": None}):
        answer = await world.visitor.post(path, json={**CONSULTATION, **reason})
        assert pointers(answer) == [("/reason_not_answered", "reason_required")]
        assert answer.json()["clause"] == "7.2.3"
    assert pointers(await world.visitor.post(path, json={**CONSULTATION, "reason_not_answered": " "})) == [
        ("/reason_not_answered", "string_pattern_mismatch")
    ]
    appeal = await made(world.visitor.post(path, json={**CONSULTATION, "reason_not_answered": "需核对计量数据"}))
    assert appeal["reason_not_answered"] == "需核对计量数据"
    assert len(await world.rows("SELECT 1 FROM appeals")) == 1


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        ("2006-12-31T23:59:59.999999+08:00", ("/received_at", "time_too_early")),
        (FIRST_OF_2007, None),
        ("2006-12-31T16:00:00Z", None),
        ("2026-10-09T10:02:00+08:00", None),
        ("2026-10-09T10:02:00.000001+08:00", ("/received_at", "in_the_future")),
        ("2026-10-09T10:00:00", ("/received_at", "instant")),
    ],
)
async def test_when_a_customer_can_have_spoken(world: World, received_at: str, expected: Any) -> None:
    visit = await world.visit()
    answer = await world.visitor.post(f"/visits/{visit['id']}/appeals", json={**COMPLAINT, "received_at": received_at})
    if expected is None:
        assert answer.status_code == 201, answer.text
    else:
        assert pointers(answer) == [expected]
        assert await world.rows("SELECT 1 FROM appeals") == []


async def test_what_is_not_known_here_is_refused(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/appeals"
    assert pointers(await world.visitor.post(path, json={**COMPLAINT, "type": "praise"})) == [
        ("/type", "literal_error")
    ]
    assert pointers(await world.visitor.post(path, json={**COMPLAINT, "colour": 1})) == [("/colour", "extra_forbidden")]
    assert pointers(await world.visitor.post(path, json={**COMPLAINT, "summary": "停" * 4001})) == [
        ("/summary", "string_too_long")
    ]
    problem(await world.visitor.post(f"/visits/{uuid4()}/appeals", json=COMPLAINT), 404, "not-found")


async def test_the_same_appeal_again_is_answered_as_the_first_time(world: World) -> None:
    visit, other = await world.visit(), await world.visit()
    new = {**COMPLAINT, "id": str(uuid4())}
    path = f"/visits/{visit['id']}/appeals"
    first = await made(world.visitor.post(path, json=new))
    assert first["id"] == new["id"]
    told = len(await world.told())
    world.later(days=1)
    assert await made(world.visitor.post(path, json=new)) == first
    assert await made(world.visitor.post(path, json=new, headers={"Idempotency-Key": "k1"})) == first
    problem(await world.visitor.post(path, json={**new, "summary": "别的"}), 409, "appeal-taken")
    problem(await world.visitor.post(f"/visits/{other['id']}/appeals", json=new), 409, "appeal-taken")
    assert len(await world.told()) == told


async def test_an_idempotency_key_makes_one_of_two(world: World) -> None:
    visit = await world.visit()
    path, key = f"/visits/{visit['id']}/appeals", {"Idempotency-Key": "k1"}
    told = len(await world.told())
    first = await made(world.visitor.post(path, json=COMPLAINT, headers=key))
    again = await world.visitor.post(path, json=COMPLAINT, headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first, "true")
    problem(
        await world.visitor.post(path, json={**COMPLAINT, "summary": "别的"}, headers=key), 422, "idempotency-mismatch"
    )
    assert [one.type for one in (await world.told())[told:]] == ["appeal.raised.v1"]


HIDDEN = pytest.mark.parametrize("how", ["confidential", "anonymous"])


@HIDDEN
@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_a_hidden_appeal_tells_neither_visit_nor_customer(world: World, how: str) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"], **{how: True})
    told = (await world.told())[-1]
    assert told.payload is not None
    assert (told.key, told.payload["visit_id"], told.payload["customer_id"]) == (appeal["id"], None, None)
    assert told.payload[how] is True
    assert (visit["id"] in str(told)) is (visit["customer_id"] in str(told)) is False
    words = (await world.service.get(f"/appeals/{appeal['id']}")).json()
    assert (words["summary"], "visit_id" in words) == ("三天两头停电", False)


@HIDDEN
@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_what_is_hidden_is_known_to_its_hearer_and_those_above_who_leave_a_trail(world: World, how: str) -> None:
    visit = await world.visit()
    secret, plain = await world.raised(visit["id"], **{how: True}), await world.raised(visit["id"])
    both, one = [secret["id"], plain["id"]], [plain["id"]]
    for client, expected in (
        (world.visitor, both),
        (world.client("supervisor", unit="374"), both),
        (world.client("auditor", unit="374"), both),
        (world.client("supervisor", unit="37401"), one),
        (world.client("admin", unit="37401"), one),
        (world.client("visitor", unit="37401", sub="E102"), one),
        (world.client("handler", unit="374"), one),
    ):
        items = (await client.get(f"/visits/{visit['id']}/appeals")).json()["items"]
        assert [item["id"] for item in items] == expected
    noted = await world.rows("SELECT by, thing_id FROM trail WHERE act = 'appeal.read' ORDER BY id")
    assert [tuple(row) for row in noted] == [("E999", secret["id"])] * 2, "but not who heard it"


async def test_words_are_for_services(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    words = (await world.service.get(f"/appeals/{appeal['id']}")).json()
    assert (words["summary"], words["appeal_no"], words["raised_by"]) == ("三天两头停电", appeal["appeal_no"], "E101")
    problem(await world.admin.get(f"/appeals/{appeal['id']}"), 403, "forbidden")
    problem(await world.service.get(f"/appeals/{uuid4()}"), 404, "not-found")
    problem(await world.service.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT), 403, "forbidden")


@pytest.mark.clause("004 4.2", "8.1.4")
async def test_what_was_said_is_sealed_a_moment_later_and_shown_as_before(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await world.visit()
    path, appeal = f"/visits/{visit['id']}/appeals", str(uuid4())
    new = {**CONSULTATION, "id": appeal, "summary": "张大爷问电价", "reason_not_answered": "张大爷的表要先查"}
    first = await made(world.visitor.post(path, json=new))
    plain = await owner.fetchval("SELECT content_digest FROM appeals")
    before = await owner.fetchrow("SELECT changed_xid, updated_at FROM appeals")
    await world.stack.settle()
    dump = await everything(owner)
    assert "张大爷" not in dump
    assert plain.hex() not in dump
    assert await owner.fetchrow("SELECT changed_xid, updated_at FROM appeals") == before, "no feed tells it again"
    assert (await world.visitor.get(path)).json()["items"] == [first]
    assert (await world.service.get(f"/appeals/{appeal}")).json()["summary"] == "张大爷问电价"
    assert await made(world.visitor.post(path, json=new)) == first, "sent again it is the same"
    problem(await world.visitor.post(path, json={**new, "summary": "别的"}), 409, "appeal-taken")
    assert "张大爷问电价" in (await world.visitor.get(f"/visits/{visit['id']}/sheet")).text
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.rows("UPDATE appeals SET words_sealed = NULL, summary = '改过'")
    await world.rows("SELECT seal_appeal_words($1, $2, $2)", [UUID(appeal)], [b"other words"])
    assert (await world.service.get(f"/appeals/{appeal}")).json()["summary"] == "张大爷问电价", "once, and never again"
    await owner.execute(
        "UPDATE appeals SET summary = '旧版所写', reason_not_answered = '', words_sealed = NULL"
    )  # by a version before, any time
    assert (await world.service.get(f"/appeals/{appeal}")).json()["summary"] == "旧版所写"


async def test_words_that_cannot_be_sealed_stay_open_until_they_can_and_hold_up_none(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(world.client("admin", unit="399").post("/units", json={"code": "399", "name": "新公司"}))
    visits = [await world.visit(), await world.visit()]
    await world.stack.settle()
    first, second = [await world.raised(visit["id"]) for visit in visits]
    await owner.execute("UPDATE appeals SET unit_code = '399' WHERE id = $1", UUID(first["id"]))  # of which no key is
    keys: Path = world.stack.vault_keys
    there, sealer = keys.read_text(), WordsSealer(world.runtime)
    keys.write_text("damaged")
    try:
        await sealer.run_once()
    finally:
        keys.write_text(there)
    plain = "SELECT id FROM appeals WHERE summary IS NOT NULL"
    assert [row["id"] for row in await owner.fetch(plain)] == [UUID(first["id"])]
    assert (await world.service.get(f"/appeals/{second['id']}")).json()["summary"] == COMPLAINT["summary"]
    await sealer.run_once()
    assert len(await owner.fetch(plain)) == 1, "not at once"
    monkeypatch.setattr("visit_api.appeals.worker.AGAIN", -1.0)
    await sealer.run_once()
    assert await owner.fetch(plain) == []
