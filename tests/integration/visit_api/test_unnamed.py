"""What was recorded before anonymous appeals were hidden, or by older code that still runs, names them no more."""

import json
import runpy
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.integration.visit_api.phone import NEEDS, Phone, outcomes
from tests.integration.visit_api.test_archive import closed
from tests.integration.visit_api.test_measures import new_measure
from tests.integration.visit_api.test_steps import recorded, started
from tests.integration.visit_api.world import World, made, problem
from visit_api.measures import service as measures
from visit_api.steps import service as steps
from visit_api.sync import conflicts
from visit_api.sync.models import Conflict

pytestmark = pytest.mark.clause("8.1.4", "002 6.4.5.5")


async def nothing(*_: Any) -> None:
    """As older code checked of what is anonymous."""


async def migrated(owner: asyncpg.Connection) -> None:
    """Does once more what the migration does."""
    (migration,) = (Path(steps.__file__).parents[1] / "migrations" / "versions").glob("*_unnamed_before.py")
    its = runpy.run_path(str(migration))
    for script in ("STEPS", "MEASURES", "CONFLICTS"):
        await owner.execute(its[script])


async def test_older_code_names_no_hidden_appeal_in_what_it_records(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await started(world)
    appeal, secret = await world.raised(visit), await world.raised(visit, anonymous=True)
    monkeypatch.setattr(steps, "_check_appeals", nothing)
    named = {"kind": "appeals", "appeal_ids": [secret["id"], appeal["id"]]}
    assert (await recorded(world, visit, named))["content"]["appeal_ids"] == [appeal["id"]]

    async def checked(*_: Any) -> str:
        return "E101"

    monkeypatch.setattr(measures, "_checked", checked)
    for its, kept in ((appeal, visit), (secret, None)):
        new = new_measure(visit_id=visit, appeal_id=its["id"])
        measure = await made(world.visitor.post("/measures", json=new))
        assert (measure["appeal_id"], measure["visit_id"]) == (its["id"], kept)


async def test_what_older_code_notes_of_appeals_is_hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def older(**its: Any) -> Conflict:
        del its["weighed"]
        return Conflict(**its | {"confidential": False})

    visit, phone = await started(world), Phone(world, world.visitor)
    brought = phone.item("appeal", visit, type="opinion", summary="好")
    unlike = [{**brought, "body": {**brought["body"], "summary": words}} for words in ("不好", "不坏")]
    step = phone.item("step", visit, content=NEEDS)
    other = {**step, "body": {"content": {"kind": "needs", "needs": []}}}
    assert outcomes(await phone.push(brought, unlike[0], step)) == ["stored", "conflict", "stored"]
    monkeypatch.setattr(conflicts, "Conflict", older)
    assert outcomes(await phone.push(unlike[1], other)) == ["conflict"] * 2
    rows = await world.rows("SELECT kind, confidential FROM sync_conflicts ORDER BY id")
    assert [tuple(row) for row in rows] == [("appeal", False), ("appeal", True), ("step", False)]


async def test_what_was_recorded_before_is_cleaned_once(world: World, owner: asyncpg.Connection) -> None:
    visit, phone = await started(world), Phone(world, world.visitor)
    appeal, secret = await world.raised(visit), await world.raised(visit, anonymous=True)
    step = await recorded(world, visit, {"kind": "appeals", "appeal_ids": [appeal["id"]]})
    other = await recorded(world, visit, {"kind": "appeals", "appeal_ids": [appeal["id"]]})
    new = new_measure(appeal_id=secret["id"])
    measure = await made(world.visitor.post("/measures", json=new))
    brought = phone.item("appeal", visit, type="opinion", summary="好")
    unlike = {**brought, "body": {**brought["body"], "anonymous": True}}
    assert outcomes(await phone.push(brought, unlike)) == ["stored", "conflict"]
    content = {"kind": "appeals", "appeal_ids": [secret["id"], appeal["id"]]}
    await owner.execute("UPDATE steps SET content = $2 WHERE id = $1", UUID(step["id"]), json.dumps(content))
    await owner.execute("UPDATE measures SET visit_id = $1", UUID(visit))
    await owner.execute("UPDATE sync_conflicts SET confidential = false")

    supervisor = world.client("supervisor", unit="37401", sub="E109")
    assert (await supervisor.get("/sync/conflicts")).json()["items"] != []
    since = (await supervisor.get("/measures", params={"updated_since": "2026-01-01T00:00:00Z"})).json()["next"]
    await migrated(owner)
    shown = (await supervisor.get(f"/visits/{visit}/steps")).json()["items"]
    assert {each["id"]: each["content"]["appeal_ids"] for each in shown} == {
        step["id"]: [appeal["id"]],
        other["id"]: [appeal["id"]],
    }
    (told,) = (await supervisor.get("/measures", params={"cursor": since})).json()["items"]
    assert (told["id"], told["visit_id"], told["appeal_id"]) == (measure["id"], None, secret["id"])
    assert told["version"] == measure["version"] + 1
    assert (await supervisor.get("/sync/conflicts")).json()["items"] == []
    tables = "SELECT changed_xid FROM steps UNION ALL SELECT changed_xid FROM measures ORDER BY 1"
    before = await owner.fetch(tables)
    await migrated(owner)
    assert await owner.fetch(tables) == before, "once"
    again = {"id": step["id"], "content": {"kind": "appeals", "appeal_ids": [appeal["id"]]}}
    assert (await made(world.visitor.post(f"/visits/{visit}/steps", json=again)))["id"] == step["id"]


async def test_what_an_archived_step_names_is_kept_and_shown_to_those_who_may_know(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await started(world)
    appeal, secret = await world.raised(visit), await world.raised(visit, anonymous=True)
    await recorded(world, visit, {"kind": "appeals", "appeal_ids": [appeal["id"]]})
    content = {"kind": "appeals", "appeal_ids": [secret["id"], appeal["id"]]}
    await owner.execute("UPDATE steps SET content = $1", json.dumps(content))
    await world.act(visit, "complete")
    await world.hear(closed(world, appeal), closed(world, secret))
    await world.act(visit, "archive")
    await migrated(owner)
    problem(await world.admin.post(f"/visits/{visit}/supplements"), 409, "nothing-to-supplement")
    for unit, named in (("374", [secret["id"], appeal["id"]]), ("37401", [appeal["id"]])):
        client = world.client("supervisor", unit=unit, sub="E109")
        archive = await client.get(f"/archive/{visit}")
        (step,) = archive.json()["record"]["record"]["steps"]
        assert step["content"]["appeal_ids"] == named
        page = await client.get(f"/archive/{visit}", headers={"Accept": "text/html"})
        assert (secret["id"] in archive.text, secret["appeal_no"] in page.text) == (unit == "374",) * 2
