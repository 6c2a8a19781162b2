"""The archive: complete before it is entered, never edited after, supplemented by what comes later."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.web.tokens import Principal
from contracts.appeals import AppealClosed, AppealReopened
from tests.integration.visit_api.world import World, made, problem, waits
from tests.support.eventually import eventually
from visit_api.archive.knowing import as_known
from visit_api.archive.models import Entry


def closed(world: World, appeal: dict[str, Any], round: int = 1) -> AppealClosed:
    """What the tracker tells when it closes an appeal."""
    return AppealClosed(
        appeal_id=UUID(appeal["id"]),
        visit_id=UUID(appeal["visit_id"]),
        unit_code=appeal["unit_code"],
        round=round,
        at=world.clock.now(),
        by="E201",
        outcome="resolved",
    )


def reopened(world: World, appeal: dict[str, Any], round: int = 2) -> AppealReopened:
    """What the tracker tells when it opens an appeal again."""
    return AppealReopened(
        appeal_id=UUID(appeal["id"]),
        visit_id=UUID(appeal["visit_id"]),
        unit_code=appeal["unit_code"],
        round=round,
        at=world.clock.now(),
        by=None,
    )


async def ended(world: World, **fields: Any) -> dict[str, Any]:
    """A completed visit."""
    visit = await world.visit(**fields)
    return await world.act(visit["id"], "start", "complete")


async def checked(world: World, visit: dict[str, Any]) -> None:
    """Answers every item that is asked after a visit."""
    path = f"/visits/{visit['id']}/checklist"
    items = (await world.visitor.get(path)).json()["items"]
    answers = [{"item": each["item"], "answer": "yes"} for each in items]
    answer = await world.visitor.post(path, json={"answers": answers})
    assert answer.is_success, answer.text


async def entries(world: World, visit_id: str) -> dict[str, Any]:
    """What a supervisor from above reads in the archive of a visit: all of it."""
    answer = await world.client("supervisor", unit="374").get(f"/archive/{visit_id}")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


@pytest.mark.clause("7.2.6")
async def test_what_is_missing_is_listed_by_clause(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    path = f"/visits/{visit['id']}/archive"
    open_appeal = {
        "clause": "7.2.6", "what": "appeal_closed", "appeal_id": appeal["id"], "appeal_no": appeal["appeal_no"]
    }  # fmt: skip
    unfinished = {"clause": "7.1", "what": "visit_completed"}
    refused = problem(await world.visitor.post(path, json={}), 409, "archive-incomplete")
    assert refused["missing"] == [unfinished, open_appeal]
    await world.act(visit["id"], "start", "complete")
    refused = problem(await world.visitor.post(path, json={}), 409, "archive-incomplete")
    assert refused["missing"] == [open_appeal]
    await world.hear(closed(world, appeal))
    answer = await world.visitor.post(path, json={})
    assert (answer.status_code, answer.json()["state"]) == (200, "archived")


async def test_what_was_said_in_confidence_is_missing_without_a_name(world: World) -> None:
    visit = await ended(world)
    await world.raised(visit["id"], confidential=True)
    colleague = world.client("visitor", unit="37401", sub="E102")
    refused = problem(await colleague.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    assert refused["missing"] == [{"clause": "7.2.6", "what": "appeal_closed"}]


@pytest.mark.clause("7.2.6")
async def test_a_record_is_complete_and_has_its_contents(world: World) -> None:
    visit = await world.visit(visitor_ids=["E102", "E101"], form="special")
    await world.prepare(visit["id"], plan_document="走访方案")
    await world.appointed(visit["id"])
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "arrive", "start", "complete")
    await checked(world, visit)
    path = f"/visits/{visit['id']}/gaps"
    lacking = [{"clause": gap["clause"], "what": gap["what"]} for gap in (await world.admin.get(path)).json()["gaps"]]
    for gap in lacking:
        await made(world.admin.post(path, json={**gap, "reason": "客户临时有事"}))
    visit = await world.act(visit["id"], "archive")
    archive = await entries(world, visit["id"])
    record = archive["record"]
    assert (record["kind"], record["entered_by"], record["entered_at"]) == ("record", "E001", "2026-10-09T02:00:00Z")
    assert [(line["section"], line["clause"], line["entries"]) for line in record["contents"]] == [
        ("visit", "7.1", 1),
        ("service_record", "004 3.4", 1),
        ("customer", "4", 1),
        ("visitors", "8", 2),
        ("plan", "9.1", 0),
        ("preparation", "7.2.1", 1),
        ("appointments", "7.1", 1),
        ("hand_overs", "7.1", 0),
        ("obligations", "6.2.2", 0),
        ("checklist", "6", len(held_items := record["record"]["checklist"])),
        ("steps", "5", len(record["record"]["steps"])),
        ("online", "6.3", 0),
        ("devices", "7.2.6", 0),
        ("appeals", "7.2.3", 1),
        ("attachments", "7.2.6", 0),
        ("gaps", "7.2.6", len(lacking)),
    ]
    assert {item["answer"] for item in held_items} == {"yes"}
    assert (record["filed_as"], record["keep_until"]) == ("special.on_site", "2031-10-09")
    held = record["record"]
    assert held["visit"] == visit
    assert held["customer"] == (await world.admin.get(f"/customers/{visit['customer_id']}")).json()
    assert held["visitors"] == [{"staff_no": no, "name": f"员工{no}", "post": None} for no in ("E101", "E102")]
    assert held["preparation"]["plan_document"] == "走访方案"
    assert [(one["summary"], one["state"], one["outcome"]) for one in held["appeals"]] == [
        ("三天两头停电", "closed", "resolved")
    ]
    assert archive["supplements"] == []


async def test_a_visit_is_archived_once(world: World, owner: asyncpg.Connection) -> None:
    visit = await ended(world)
    async with owner.transaction():
        await owner.execute("LOCK TABLE archive_entries IN EXCLUSIVE MODE")  # nobody gets through before all have begun
        archiving = [asyncio.create_task(world.visitor.post(f"/visits/{visit['id']}/archive")) for _ in range(4)]
        await eventually(lambda: waits(owner, 4))
    answers = await asyncio.gather(*archiving)
    answers.sort(key=lambda answer: answer.status_code)
    assert answers[0].status_code == 200
    for answer in answers[1:]:
        problem(answer, 409, "visit-act-refused")
    assert [one.type for one in await world.told()].count("visit.archived.v1") == 1


@pytest.mark.parametrize("act", ["cancel", "miss"])
async def test_a_visit_that_did_not_take_place_has_nothing_to_archive(world: World, act: str) -> None:
    visit = await world.visit()
    await world.act(visit["id"], act)
    refused = problem(await world.admin.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    assert refused["missing"] == [{"clause": "7.1", "what": "visit_completed"}]


@pytest.mark.clause("7.2.6")
async def test_what_comes_after_the_archive_is_a_supplement(world: World) -> None:
    visit = await ended(world)
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "archive")
    before = await entries(world, visit["id"])
    world.later(days=3)
    await world.hear(reopened(world, appeal))
    late = await world.raised(visit["id"], received_at="2026-10-12T09:00:00+08:00")
    world.later(days=1)
    await world.hear(closed(world, appeal, round=2), closed(world, late))
    after = await entries(world, visit["id"])
    assert after["record"] == before["record"]
    assert [
        (
            one["record"]["told"]["type"],
            one["record"]["told"]["round"],
            one["record"]["appeals"][0]["id"],
            one["entered_by"],
        )
        for one in after["supplements"]
    ] == [
        ("appeal.reopened.v1", 2, appeal["id"], None),
        ("appeal.closed.v1", 2, appeal["id"], "E201"),
        ("appeal.closed.v1", 1, late["id"], "E201"),
    ]
    assert [line["section"] for line in after["supplements"][0]["contents"]] == ["told", "appeals"]


@pytest.mark.clause("7.2.6", "004 3.4")
async def test_a_supplement_of_an_appeal_is_kept_and_found_as_its_visit_is(world: World) -> None:
    visit = await ended(world, visitor_ids=["E101"])
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "archive")
    world.later(days=3)
    await world.hear(reopened(world, appeal))
    its = {"filed_as": "ordinary.on_site", "customer_id": visit["customer_id"], "visited_at": visit["started_at"]}
    (supplement,) = (await entries(world, visit["id"]))["supplements"]
    assert {**its, "people": ["E101"], "keep_until": "2031-10-12"}.items() <= supplement.items()
    looked_for = {"filed_as": its["filed_as"], "customer_id": its["customer_id"], "staff_no": "E101"}
    found = await world.admin.get("/archive", params={**looked_for, "visited_from": its["visited_at"]})
    assert [each["kind"] for each in found.json()["items"]] == ["record", "supplement"]


async def test_the_record_is_first_whatever_the_clocks_say(world: World) -> None:
    visit = await ended(world)
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "archive")
    world.later(seconds=-1)
    await world.hear(reopened(world, appeal))
    archive = await entries(world, visit["id"])
    assert [archive["record"]["kind"], archive["supplements"][0]["kind"]] == ["record", "supplement"]
    assert archive["supplements"][0]["entered_at"] < archive["record"]["entered_at"]


async def test_an_appeal_that_is_open_again_keeps_its_visit_from_the_archive(world: World) -> None:
    visit = await ended(world)
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal), reopened(world, appeal))
    problem(await world.admin.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    await world.hear(closed(world, appeal, round=1))
    problem(await world.admin.post(f"/visits/{visit['id']}/archive"), 409, "archive-incomplete")
    await world.hear(closed(world, appeal, round=2))
    await world.act(visit["id"], "archive")


async def test_an_event_heard_twice_has_one_effect(world: World) -> None:
    visit = await ended(world)
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "archive")
    the_same = new_id()
    for _ in range(2):
        await world.hear(reopened(world, appeal), id=the_same)
    assert len((await entries(world, visit["id"]))["supplements"]) == 1


async def test_appeals_from_elsewhere_are_not_ours(world: World) -> None:
    elsewhere = {"id": str(uuid4()), "visit_id": str(uuid4()), "unit_code": "374"}
    await world.hear(closed(world, elsewhere), reopened(world, elsewhere))
    assert await world.rows("SELECT 1 FROM dead_letters") == []
    assert len(await world.rows("SELECT 1 FROM inbox")) == 2


async def test_a_reopening_heard_while_the_visit_is_archived_is_not_lost(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await ended(world)
    appeal = await world.raised(visit["id"])
    await world.hear(closed(world, appeal))
    async with owner.transaction():
        await owner.execute("LOCK TABLE archive_entries IN EXCLUSIVE MODE")  # the archiving stops half way
        archiving = asyncio.create_task(world.admin.post(f"/visits/{visit['id']}/archive"))
        await eventually(lambda: waits(owner))
        hearing = asyncio.create_task(world.hear(reopened(world, appeal)))
        await eventually(lambda: waits(owner, 2))
    await hearing
    assert (await archiving).status_code == 200
    assert len((await entries(world, visit["id"]))["supplements"]) == 1


@pytest.mark.clause("8.1.4")
async def test_the_archive_is_read_by_those_who_may_know_all_of_it(world: World) -> None:
    visit = await ended(world)
    await world.act(visit["id"], "archive")
    for roles, status in (
        (("supervisor",), 200),
        (("auditor",), 200),
        (("admin",), 200),
        (("visitor", "handler"), 403),
    ):
        client = world.client(*roles, unit="37401")
        assert (await client.get(f"/archive/{visit['id']}")).status_code == status
        assert (await client.get("/archive")).status_code == status


@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_a_unit_reads_its_archive_without_what_was_said_about_it_in_confidence(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    secret = await world.raised(visit["id"], confidential=True, summary="班长索要好处")
    plain = await world.raised(visit["id"], type="opinion", summary="线路老化")
    await world.act(visit["id"], "start", "complete")
    await world.hear(closed(world, secret), closed(world, plain))
    await world.act(visit["id"], "archive")
    await world.hear(closed(world, secret))  # of another round, told late: a supplement
    path = f"/archive/{visit['id']}"
    all_of_it, rest = [secret["appeal_no"], plain["appeal_no"]], [plain["appeal_no"]]
    for unit, types, supplements, numbers in (
        ("374", ["complaint", "opinion"], 1, all_of_it),
        ("37401", ["opinion"], 0, rest),
    ):
        client = world.client("supervisor", unit=unit, sub="E109")
        archive = (await client.get(path)).json()
        record, knows = archive["record"], unit == "374"
        assert (record["appeal_types"], len(archive["supplements"])) == (types, supplements)
        assert [each["appeal_no"] for each in record["record"]["appeals"]] == numbers
        assert [each["appeal_no"] for each in record["record"]["service_record"]["result"]] == numbers
        assert [each["entries"] for each in record["contents"] if each["section"] == "appeals"] == [len(numbers)]
        page = (await client.get(path, headers={"Accept": "text/html"})).text
        assert [("好处" in each, "线路" in each) for each in (page, str(archive))] == [(knows, True)] * 2
        for query, found in (({"words": "线路"}, 1), ({}, 1 + knows), ({"words": "好处"}, 2 * knows)):
            assert len((await client.get("/archive", params=query)).json()["items"]) == found
        for query, found in (({"appeal_type": "complaint"}, 2 * knows), ({"appeal_type": "opinion"}, 1)):
            assert len((await client.get("/archive", params=query)).json()["items"]) == found
    whole = (await world.client("supervisor", unit="374", sub="E109").get(path)).json()["record"]["record"]
    first = {name: whole[name] for name in ("visit", "customer", "visitors", "preparation", "appeals")}
    async with world.runtime.db.transaction() as tx:
        entry = (await tx.scalars(select(Entry).order_by(Entry.id).limit(1))).one()
        theirs = Principal(sub="E109", unit="37401", roles=frozenset({"supervisor"}))
        shown = await as_known(tx, theirs, entry, first, {secret["id"]})
    assert shown is not None
    assert shown["record"].keys() == first.keys(), "of a record of the first versions, too, and no more than it has"
    assert [each["appeal_no"] for each in shown["record"]["appeals"]] == rest


async def test_the_archive_lists_contents_in_the_order_of_entry(world: World) -> None:
    first, second = await ended(world), await ended(world)
    for visit in (second, first):
        await world.act(visit["id"], "archive")
    items = (await world.admin.get("/archive")).json()["items"]
    assert [item["visit_id"] for item in items] == [second["id"], first["id"]]
    assert "record" not in items[0]
    assert (await world.admin.get("/archive", params={"unit_code": "37402"})).json()["items"] == []


async def test_neither_the_archive_nor_the_words_can_be_rewritten(world: World) -> None:
    for statement in (
        "UPDATE archive_entries SET record = '{}'",
        "DELETE FROM archive_entries",
        "TRUNCATE archive_entries",
        "UPDATE archive_gap_reasons SET reason = ''",
        "UPDATE archive_rules SET strict = false",
        "UPDATE archive_holds SET held = false",
        "DELETE FROM archive_gap_reasons",
        "DELETE FROM archive_rules",
        "DELETE FROM archive_holds",
        "UPDATE appeals SET summary = ''",
        "UPDATE appeals SET received_at = now()",
        "DELETE FROM appeals",
        "DELETE FROM visits",
        "DELETE FROM customers",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)
