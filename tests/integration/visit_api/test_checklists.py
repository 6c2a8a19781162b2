"""Checklists: what is asked by the visit's channel, and how it is answered over a line that breaks."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.integration.visit_api.world import World, pointers, problem
from visit_api.checklists import service
from visit_api.visits.models import Visit

YES = {"item": "on_site.kit", "answer": "yes"}


async def unmet(world: World, visit_id: str) -> list[tuple[str, str]]:
    """What a visit's checklist still asks for."""
    async with world.runtime.db.transaction() as tx:
        visit = await tx.get(Visit, UUID(visit_id))
        assert visit is not None
        return [(each.clause, each.what) for each in await service.unmet(tx, world.runtime, visit)]


async def on_record(world: World, visit_id: str) -> list[dict[str, Any]]:
    """What is archived of it."""
    async with world.runtime.db.transaction() as tx:
        visit = await tx.get(Visit, UUID(visit_id))
        assert visit is not None
        return await service.on_record(tx, world.runtime, visit)


@pytest.mark.clause("6.1.3.2", "6.1.3.3", "6.2.2.1", "6.3.2.1", "6.3.2.2", "6.3.2.5", "8.1.3", "8.1.4")
@pytest.mark.parametrize(
    ("channel", "sheets", "clauses"),
    [
        ("on_site", {"on_site": 7, "conduct": 7, "confidentiality": 3}, {"6.1.3.2", "6.1.3.3", "8.2.5", "8.1.4"}),
        ("phone", {"phone": 5, "conduct": 5, "confidentiality": 3}, {"6.2.2.1", "6.2.2.2"}),
        ("online", {"online": 6, "conduct": 5, "confidentiality": 3}, {"6.3.2.1", "6.3.2.2", "6.3.2.5"}),
    ],
)
async def test_a_sheet_follows_the_channel(
    world: World, channel: str, sheets: dict[str, int], clauses: set[str]
) -> None:
    visit = await world.visit(channel=channel)
    shown = (await world.visitor.get(f"/visits/{visit['id']}/checklist")).json()
    items = [line["item"].partition(".")[0] for line in shown["items"]]
    assert {name: items.count(name) for name in items} == sheets
    assert clauses <= {line["clause"] for line in shown["items"]}
    assert shown["unanswered"] == len(items)
    assert await unmet(world, visit["id"]) == [(line["clause"], line["item"]) for line in shown["items"]]
    answers = [{"item": line["item"], "answer": "yes"} for line in shown["items"]]
    answered = await world.visitor.post(f"/visits/{visit['id']}/checklist", json={"answers": answers})
    assert (answered.status_code, answered.json()["unanswered"]) == (200, 0)
    assert await unmet(world, visit["id"]) == []


async def test_an_answer_says_by_whom_and_when_and_the_one_before_is_kept(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/checklist"
    first = {"answers": [YES], "at": "2026-10-09T09:30:00+08:00"}
    await world.visitor.post(path, json=first)
    other = world.client("supervisor", unit="374", sub="E001")
    no = {"item": "on_site.kit", "answer": "no", "note": "未带意见簿"}
    shown = (await other.post(path, json={"answers": [no], "at": "2026-10-09T09:40:00+08:00"})).json()
    # A device that had no line brings what was answered before: it is kept, and does not count.
    late = {"answers": [{"item": "on_site.kit", "answer": "not_applicable"}], "at": "2026-10-09T09:35:00+08:00"}
    assert (await world.visitor.post(path, json=late)).json() == shown
    (line,) = [each for each in shown["items"] if each["item"] == "on_site.kit"]
    assert (line["answer"], line["note"], line["answered_by"]) == ("no", "未带意见簿", "E001")
    assert line["answered_at"] == "2026-10-09T01:40:00Z"
    assert line["words"]["zh"]
    assert line["words"]["en"]
    kept = [(each["answer"], each["answered_by"]) for each in await on_record(world, visit["id"])]
    assert kept == [("yes", "E101"), ("not_applicable", "E101"), ("no", "E001")]
    assert ("6.1.3.3", "on_site.kit") not in await unmet(world, visit["id"]), "a no is an answer"


async def test_the_same_answer_again_changes_nothing(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/checklist"
    for body in ({"answers": [YES]}, {"answers": [YES], "at": "2026-10-09T09:30:00+08:00"}):
        first = await world.visitor.post(path, json=body)
        stored = await world.rows("SELECT * FROM checklist_answers")
        world.later(minutes=3)
        assert (await world.visitor.post(path, json=body)).json() == first.json()
        assert await world.rows("SELECT * FROM checklist_answers") == stored


async def test_what_cannot_be_answered_is_pointed_to(world: World) -> None:
    visit = await world.visit()
    answers = [YES, {"item": "phone.polite", "answer": "yes"}, {"item": "conduct.badge", "answer": "no"}, YES]
    answer = await world.visitor.post(f"/visits/{visit['id']}/checklist", json={"answers": answers})
    assert pointers(answer) == [
        ("/answers/1/item", "item_of_another_channel"),
        ("/answers/3/item", "item_twice"),
        ("/answers/2/note", "reason_required"),
    ]
    unknown = await world.visitor.post(f"/visits/{visit['id']}/checklist", json={"answers": [{**YES, "item": "x"}]})
    assert pointers(unknown) == [("/answers/0/item", "literal_error")]


async def test_nothing_is_answered_after_the_archive_but_what_was(world: World) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/checklist"
    await world.visitor.post(path, json={"answers": [YES]})
    await world.act(visit["id"], "start", "complete", "archive")
    assert (await world.visitor.post(path, json={"answers": [YES]})).status_code == 200
    other = {"answers": [{"item": "on_site.customs", "answer": "yes"}]}
    problem(await world.visitor.post(path, json=other), 409, "visit-act-refused")
    late = await world.visitor.post(path, json={**other, "at": "2026-10-09T09:58:00+08:00"})
    assert late.status_code == 200, "what was answered before the archive is brought late, for a supplement"


async def test_the_service_cannot_change_what_was_answered(world: World) -> None:
    for statement in ("UPDATE checklist_answers SET answer = 'yes'", "DELETE FROM checklist_answers"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)
