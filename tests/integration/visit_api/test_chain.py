"""The chain of hashes over archive and trail: what is done to a sealed row, or to the chain itself, is found."""

import asyncio
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import migrate
from chassis.chain import command, verifying
from chassis.chain.links import Source
from chassis.chain.sealer import Sealer
from chassis.chain.verifying import still_said, verify
from chassis.db import driver
from chassis.vault import Place
from chassis.vault.masters import new_line
from deploy.local.databases import DatabaseUrls
from tests.integration.visit_api.test_archive import ended
from tests.integration.visit_api.test_archive_export import with_file
from tests.integration.visit_api.world import World, made
from tests.support import samples
from tests.support.databases import Databases
from tests.support.eventually import eventually
from visit_api.archive.verifying import files
from visit_api.base import Base
from visit_api.chained import ARCHIVE, CHAINED, GAP_REASONS, HOLDS

SAID = "archive_entries_said"
EXPLAINED = (GAP_REASONS, HOLDS)
# What was chained before anything was sealed.
BEFORE = [source._replace(forms={1: source.forms[1]}, said=None) for source in CHAINED]


async def archived(world: World, count: int = 3) -> list[str]:
    """Visits that were archived, and sealed."""
    visits = []
    for _ in range(count):
        visit = await ended(world)
        await world.act(visit["id"], "archive")
        visits.append(str(visit["id"]))
    await world.stack.settle()
    return visits


async def explained(world: World, chained: Sequence[Source] = CHAINED) -> str:
    """A visit that was archived with a gap, and is held; with a rule beside, and a line in the trail. All is sealed."""
    visit, why = await ended(world), {"reason": "设备故障，事后补记"}
    await made(world.admin.post(f"/visits/{visit['id']}/gaps", json={"clause": "7.2.1", "what": "kit", **why}))
    await world.act(visit["id"], "archive")
    await made(world.admin.post("/units/374/archive-rules", json={"strict": True, **why}))
    assert (await world.admin.post(f"/archive/{visit['id']}/hold", json=why)).status_code == 200
    assert (await world.admin.get(f"/archive/{visit['id']}")).status_code == 200
    await Sealer("visit_api", world.runtime.db, chained).run_once()
    await world.stack.settle()
    return str(visit["id"])


@pytest.fixture
def keeps_plain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has reasons stand open, as every version before wrote them."""
    monkeypatch.setattr(world.runtime, "settings", world.runtime.settings.model_copy(update={"keep_plain": True}))


async def found(owner: asyncpg.Connection) -> list[tuple[str, int | None]]:
    """What a verification finds, and at which link."""
    return [(finding.what, finding.seq) for finding in (await verify(owner, CHAINED)).findings]


async def altered(owner: asyncpg.Connection, *statements: str) -> None:
    """Does to the tables what only their owner could."""
    async with owner.transaction():
        for statement in statements:
            await owner.execute(statement)


def dsn(world: World) -> str:
    return world.runtime.db.engine.url.render_as_string(hide_password=False).replace("+asyncpg", "")


async def verified(world: World, **options: Any) -> int:
    """The exit code of `verify`."""
    settings = world.runtime.settings
    keys = options.pop("keys", settings.vault_keys)
    return await command.run(dsn(world), CHAINED, keys, partial(files, settings), **options)


@pytest.mark.clause("7.2.6", "004 4.2")
async def test_what_was_sealed_and_stays_is_whole(world: World, owner: asyncpg.Connection) -> None:
    await archived(world)
    stranger = await world.stranger.post("/units/375/archive-rules", json={"strict": False, "reason": "另一家"})
    assert stranger.status_code == 201
    assert await found(owner) == [("unsealed", None)]
    await world.stack.settle()
    report = await verify(owner, CHAINED)
    assert (report.links, {top: head.seq for top, head in report.heads.items()}) == (4, {"374": 3, "375": 1})
    assert report.findings == []


@pytest.mark.clause("7.2.6")
async def test_what_is_archived_is_sealed_within_five_seconds(world: World) -> None:
    """By the loop as a process runs it: it has come to rest when the second one comes."""
    sealer = Sealer("visit_api", world.runtime.db, CHAINED)
    sealer.start()
    try:
        for _ in range(2):
            visit = await ended(world)
            await world.act(visit["id"], "archive")

            async def all_sealed() -> bool:
                return await world.rows("SELECT FROM chain_waiting") == []

            await eventually(all_sealed, within=5.0)
    finally:
        await sealer.stop()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE archive_entries SET people = '{E666}' WHERE id = (SELECT row_id FROM chain WHERE seq = 2)"],
         ("edited", 2)),
        (["UPDATE archive_entries SET words = '{}' WHERE id = (SELECT row_id FROM chain WHERE seq = 2)"],
         ("edited", 2)),
        (["UPDATE archive_entries SET keep_until = keep_until - 1 WHERE id = (SELECT row_id FROM chain WHERE seq = 1)"],
         ("edited", 1)),
        (["DELETE FROM archive_entries WHERE id = (SELECT row_id FROM chain WHERE seq = 3)"], ("removed", 3)),
        (["DELETE FROM chain WHERE seq = 2"], ("broken", 3)),
        (["UPDATE chain SET seq = 9 WHERE seq = 1", "UPDATE chain SET seq = 1 WHERE seq = 2",
          "UPDATE chain SET seq = 2 WHERE seq = 9"], ("broken", 1)),
        (["UPDATE chain SET digest = '\\x00' WHERE seq = 3"], ("broken", 3)),
    ],
)  # fmt: skip
async def test_whatever_is_done_to_it_is_found(
    world: World, owner: asyncpg.Connection, statements: list[str], expected: tuple[str, int]
) -> None:
    await archived(world)
    await altered(owner, *statements)
    assert expected in await found(owner)


@pytest.mark.parametrize("table", [source.table for source in CHAINED if source is not ARCHIVE])
async def test_a_reason_that_was_altered_is_found(world: World, owner: asyncpg.Connection, table: str) -> None:
    await explained(world)
    assert await found(owner) == []
    await altered(owner, f"UPDATE {table} SET reason = '另有原因'")
    (finding,) = (await verify(owner, CHAINED)).findings
    assert (finding.what, finding.source) == ("edited", table)


@pytest.mark.parametrize("source", CHAINED, ids=[source.table for source in CHAINED])
def test_all_that_a_chained_row_says_is_hashed(source: Source) -> None:
    columns = {column.name for column in Base.metadata.tables[source.table].columns}
    left = {"changed_xid", *(source.said or ())[:1]}  # for the feeds; and what is hashed as it was said
    assert columns - {*source.forms[source.form]} == left


@pytest.mark.parametrize(
    "instead",
    ["set_byte({its}, 40, 255 - get_byte({its}, 40))", "overlay({its} PLACING uuid_send(gen_random_uuid()) FROM 2)"],
    ids=["other bytes", "a key that never was"],
)
@pytest.mark.parametrize("source", [source for source in CHAINED if source.said], ids=lambda source: source.table)
async def test_what_is_sealed_is_opened_and_compared(
    world: World, owner: asyncpg.Connection, capsys: pytest.CaptureFixture[str], source: Source, instead: str
) -> None:
    await explained(world)
    assert await verified(world) == 0
    sealed, _ = source.said or ()
    await altered(owner, f"UPDATE {source.table} SET {sealed} = {instead.format(its=sealed)}")
    assert await verified(world) == 1
    assert f"resealed {source.table}" in capsys.readouterr().err


@pytest.mark.clause("7.2.6")
@pytest.mark.usefixtures("keeps_plain")
@pytest.mark.parametrize(("chained", "form"), [(BEFORE, 1), (CHAINED, 2)], ids=["before", "while both run"])
async def test_a_reason_that_stands_open_is_shown_as_it_was_chained(
    world: World, owner: asyncpg.Connection, chained: Sequence[Source], form: int
) -> None:
    visit = await explained(world, chained)

    async def shown() -> set[str]:
        gaps = (await world.admin.get(f"/visits/{visit}/gaps")).json()["gaps"]
        hold = (await world.admin.get(f"/archive/{visit}")).json()["hold"]
        return {hold["reason"], *(gap["reason"] for gap in gaps if gap["reason"])}

    for source in EXPLAINED:
        assert await owner.fetch("SELECT form FROM chain WHERE source = $1", source.table) == [(form,)]
    assert await shown() == {"设备故障，事后补记"}
    await world.stack.settle()
    assert await verified(world) == 0
    for source in EXPLAINED:
        its: UUID = await owner.fetchval(f"SELECT id FROM {source.table}")
        async with world.runtime.db.transaction() as tx:
            place = Place(source.table, "reason_sealed", its)
            another = await world.runtime.vault.seal(tx, "374", place, json.dumps(["", "另有原因"]))
        await owner.execute(f"UPDATE {source.table} SET reason_sealed = $1", another)
    assert await shown() == {"设备故障，事后补记"}, "the chain does not know what was put beside"


async def test_what_was_sealed_is_not_taken_away_unseen(world: World, owner: asyncpg.Connection) -> None:
    await archived(world, 1)
    rule = await owner.fetchval("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", SAID)
    await altered(
        owner, f"ALTER TABLE archive_entries DROP CONSTRAINT {SAID}", "UPDATE archive_entries SET sealed = NULL"
    )
    try:
        assert [each.what for each in await still_said(world.runtime.db, world.runtime.vault, ARCHIVE)] == ["resealed"]
    finally:
        await altered(owner, "DELETE FROM archive_entries", f"ALTER TABLE archive_entries ADD CONSTRAINT {SAID} {rule}")


async def test_an_end_that_was_cut_off_is_shown_by_an_older_head(
    world: World, owner: asyncpg.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = tmp_path / "heads.json"

    async def seen(**options: Any) -> tuple[int, str]:
        return await verified(world, **options), capsys.readouterr().err

    await archived(world, 2)
    assert await seen(save=heads) == (0, "")
    await archived(world, 1)
    assert await seen(against=str(heads)) == (0, "")
    assert await seen(against=dsn(world)) == (0, "")
    await altered(
        owner,
        "DELETE FROM chain WHERE seq > 1",
        "DELETE FROM archive_entries WHERE id NOT IN (SELECT row_id FROM chain)",
    )
    assert await seen() == (0, ""), "it is whole, as far as it goes"
    assert await seen(against=str(heads)) == (1, "cut chain 374 link 2\n")
    assert (await seen(against=str(tmp_path / "lost.json")))[0] == 2


async def test_what_cannot_be_looked_at_is_said_and_is_not_whole(
    world: World, owner: asyncpg.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await archived(world, 1)
    assert await verified(world, keys=tmp_path / "lost") == 4
    assert "NOT VERIFIED: what is sealed" in capsys.readouterr().err
    (other := tmp_path / "other").write_text(new_line("another"))
    assert await verified(world, keys=other) == 4
    assert "unopened archive_entries" in capsys.readouterr().err
    await altered(owner, "UPDATE archive_entries SET people = '{E666}'")
    assert await verified(world, keys=tmp_path / "lost") == 1, "what is wrong weighs more than what is not known"


async def test_a_database_that_is_lost_on_the_way_is_no_fault_of_what_it_holds(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lost(tx: AsyncSession, *_: object) -> None:
        await (await driver(tx)).execute("SELECT pg_terminate_backend(pg_backend_pid())")

    await archived(world, 1)
    monkeypatch.setattr(verifying, "_said", lost)
    assert await verified(world) == 4
    assert "NOT VERIFIED: what is sealed" in capsys.readouterr().err
    await altered(owner, "UPDATE archive_entries SET people = '{E666}'")
    assert await verified(world) == 1, "what was found before weighs more"


async def test_the_files_that_were_archived_are_hashed_again(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = world.runtime.settings.attachments_dir  # type: ignore[attr-defined]
    visit = await ended(world)
    for name in ("一", "二", "三"):
        await with_file(world, visit, samples.png(text=name), name=f"{name}.png")
    await world.act(visit["id"], "archive")
    waiting = await ended(world)
    await with_file(world, waiting, samples.png(text="四"), name="四.png")
    await world.stack.settle()
    assert await verified(world) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("4 files, ")
    shutil.copytree(folder, backup := tmp_path / "backup")
    one, two, _, four = [hashlib.sha256(samples.png(text=name)).hexdigest() for name in ("一", "二", "三", "四")]
    places = [folder / "kept" / sha256[:2] / sha256 for sha256 in (one, two, four)]
    places[0].write_bytes(b"another picture")
    for place in places[1:]:
        place.unlink()
    assert await verified(world) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[:3] for line in sorted(said)] == [
        ["file", "changed", "archive_entries"],
        ["file", "missing", "archive_entries"],
        ["file", "missing", "attachments"],
    ]
    assert {line.split()[-1] for line in said} == {one, two, four}
    assert await verified(world, folder=command.NO_FILES) == 0
    assert "files were left out" in capsys.readouterr().out
    assert await verified(world, folder=str(backup)) == 0, "where the files were copied to"
    assert await verified(world, against=dsn(world), folder=str(backup)) == 1, "the copy is whole, we are not"
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    (backup / "kept" / four[:2] / four).unlink()
    await verified(world, against=dsn(world), folder=str(backup))
    assert "in the other copy: file missing attachments" in capsys.readouterr().err


async def test_a_late_commit_is_sealed_late_and_waits_for_nobody(world: World, owner: asyncpg.Connection) -> None:
    await archived(world, 1)
    copy = "INSERT INTO archive_rules SELECT gen_random_uuid(), '374', true, current_date, '', '', now()"
    other = await world.runtime.db.dedicated()
    try:
        async with other.transaction():
            await other.execute(copy)
            await archived(world, 1)
            assert await found(owner) == []
        assert await found(owner) == [("unsealed", None)]
        await world.stack.settle()
        assert await found(owner) == []
    finally:
        await other.close()


async def test_two_sealers_at_once_seal_each_row_once(world: World, owner: asyncpg.Connection) -> None:
    visit = await ended(world)
    await world.act(visit["id"], "archive")
    (sealer,) = [each for each in world.stack["visit_api"].workers if each.name == "visit_api.sealer"]
    await asyncio.gather(*[sealer.run_once() for _ in range(4)])
    assert await owner.fetchval("SELECT count(*) FROM chain") == 1
    assert await owner.fetchval("SELECT count(*) FROM chain_waiting") == 0


async def test_what_a_later_version_chains_waits_for_its_sealer(world: World, owner: asyncpg.Connection) -> None:
    await owner.execute("INSERT INTO chain_waiting VALUES ('of_a_later_version', gen_random_uuid())")
    await archived(world, 1)
    assert await owner.fetchval("SELECT count(*) FROM chain") == 1
    assert await owner.fetchval("SELECT source FROM chain_waiting") == "of_a_later_version"


async def test_the_service_can_neither_change_nor_remove_a_link(world: World) -> None:
    for statement in ("UPDATE chain SET seq = 0", "DELETE FROM chain", "TRUNCATE chain"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.rows("ALTER TABLE archive_entries DISABLE TRIGGER ALL")


async def test_a_backup_is_verified_as_well_and_we_go_on_from_it(
    world: World, owner: asyncpg.Connection, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    await archived(world, 2)
    backup = await restored(owner, databases)
    other = await asyncpg.connect(databases.server.dsn(database=backup.service.rpartition("/")[2]))

    async def seen() -> tuple[int, set[str]]:
        code = await verified(world, against=backup.migration, folder=command.NO_FILES)
        return code, {line.rpartition(" ")[0] for line in capsys.readouterr().err.splitlines()}

    try:
        await archived(world, 1)
        assert await seen() == (0, set()), "it is whole, and what we have follows it"
        await other.execute("INSERT INTO archive_rules SELECT gen_random_uuid(), '374', true, now(), '', '', now()")
        assert await seen() == (3, {"in the other copy: unsealed archive_rules"})
        await other.execute("DELETE FROM archive_rules")
        its = "WHERE id = (SELECT row_id FROM chain WHERE seq = 2)"
        await other.execute(f"UPDATE archive_entries SET people = '{{E666}}' {its}")
        assert await seen() == (1, {"in the other copy: edited chain 374 link 2 archive_entries"})
        await other.execute(f"UPDATE archive_entries SET people = '{{}}' {its}")
        # Somebody chains all of it anew, in another order: whole as it stands, but for the backup.
        await altered(owner, "DELETE FROM chain")
        await altered(owner, "INSERT INTO chain_waiting SELECT 'archive_entries', id FROM archive_entries LIMIT 1")
        await world.stack.settle()
        await altered(owner, "DELETE FROM archive_entries WHERE id NOT IN (SELECT row_id FROM chain)")
        assert await verified(world, folder=command.NO_FILES) == 0
        capsys.readouterr()
        assert await seen() == (1, {"cut chain 374 link"})
    finally:
        await other.close()
        await databases.drop(backup)


@pytest.mark.usefixtures("keeps_plain")
@pytest.mark.parametrize("revision", ["0013", "0064"])
async def test_a_backup_of_before_what_is_chained_was_sealed_is_verified_with_its_files(
    world: World, owner: asyncpg.Connection, databases: Databases, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    visit = await ended(world)
    await with_file(world, visit, samples.png(text="一"), name="一.png")
    await world.act(visit["id"], "archive")
    if revision == "0013":
        await altered(owner, _OPENED)
        await Sealer("visit_api", world.runtime.db, BEFORE).run_once()
    else:
        await explained(world, BEFORE)
    backup = await restored(owner, databases, revision)
    try:
        assert await verified(world, against=backup.migration) == 0, capsys.readouterr().err
        assert [line for line in capsys.readouterr().out.splitlines() if " files, " in line] == ["1 files, 0.0 MB"] * 2
    finally:
        await databases.drop(backup)


# As records stood before they were sealed, as far as it matters here.
_OPENED = """
UPDATE archive_entries SET sealed = NULL, said_digest = NULL, record = jsonb_build_object(
    'attachments', (SELECT jsonb_agg(jsonb_build_object('id', id, 'sha256', sha256)) FROM attachments))
"""
_COLUMNS = """
SELECT table_name::text, array_agg(column_name::text) FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version' AND is_generated = 'NEVER' GROUP BY table_name
"""


async def restored(owner: asyncpg.Connection, databases: Databases, revision: str | None = None) -> DatabaseUrls:
    """A database as it is when a backup of ours, from an older revision, was restored."""
    if revision is None:
        urls = await databases.clone("visit_api")
    else:
        urls = databases.server.ensure_database(f"older_{uuid4().hex}")
        await migrate.upgrade("visit_api", urls.migration, revision)
    copy = await asyncpg.connect(databases.server.dsn(database=urls.service.rpartition("/")[2]))
    try:
        await copy.execute("SET session_replication_role = replica")
        for table, columns in await copy.fetch(_COLUMNS):
            lines = io.BytesIO()
            await owner.copy_from_table(table, columns=columns, output=lines)
            await copy.execute(f"DELETE FROM {table}")
            lines.seek(0)
            await copy.copy_to_table(table, columns=columns, source=lines)
    finally:
        await copy.close()
    return urls
