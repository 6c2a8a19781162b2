"""The vault on its table: who makes keys, who agrees, what a dump tells, how keys change while services run."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.db import driver, is_outage
from chassis.vault import KeysMissing, KeysUnusable, Misplaced, Place, belonging, rotation, vault
from chassis.vault.rotation import AnotherRuns
from tests.integration.vault.conftest import COLUMN, FIRST, SECOND, Notes
from tests.support.databases import refusal


async def test_what_one_process_seals_another_opens(notes: Notes) -> None:
    ours, theirs = notes.vault(), notes.vault()
    note = await notes.write(ours, "13812340000")
    assert await notes.read(theirs, note) == await notes.read(ours, note) == "13812340000"
    async with notes.db.transaction() as tx:
        assert await theirs.owner(tx, await _sealed(notes, note)) == "374"
        for place in (Place("notes", "words", UUID(int=1)), Place("notes", "title", note)):
            with pytest.raises(Misplaced):
                await theirs.open(tx, place, await _sealed(notes, note))


async def test_processes_that_make_a_key_at_once_agree(notes: Notes) -> None:
    vaults = [notes.vault() for _ in range(4)]
    ids = await asyncio.gather(*(notes.write(each, "甲", owner) for each in vaults for owner in ("374", "375", "")))
    async with notes.db.connection() as connection:
        made = await connection.fetch("SELECT owner FROM data_keys ORDER BY owner")
    assert [row["owner"] for row in made] == ["", "374", "375"]
    assert {await notes.read(vaults[0], note) for note in ids} == {"甲"}


async def test_a_file_of_keys_is_told_from_another_before_it_is_used(notes: Notes) -> None:
    other = notes.file.with_name("other")
    async with notes.owner.connection() as connection:
        await belonging.require(connection, other)  # nothing is sealed yet, so no key is needed
        await notes.write(notes.vault(), "13812340000")
        await belonging.require(connection, notes.file)
        with pytest.raises(KeysUnusable, match="cannot be read"):
            await belonging.require(connection, other)
        for text in (SECOND, SECOND.replace("b ", "a ")):  # another name, and the same name of another key
            other.write_text(text)
            with pytest.raises(KeysMissing):
                await belonging.require(connection, other)
        other.write_text(SECOND + FIRST)
        await belonging.require(connection, other)


async def test_a_key_outlives_the_transaction_that_first_needed_it(notes: Notes) -> None:
    its = notes.vault()
    with pytest.raises(ZeroDivisionError):
        async with notes.db.transaction() as tx:
            await its.seal(tx, "374", Place("notes", "words", UUID(int=1)), "甲")
            raise ZeroDivisionError
    note = await notes.write(its, "乙")
    assert await notes.read(notes.vault(), note) == "乙", "it was not kept in memory alone"


async def test_a_dump_holds_neither_words_nor_a_key(notes: Notes) -> None:
    its = notes.vault()
    await notes.write(its, "13812340000")
    async with notes.db.transaction() as tx:
        row = await (await driver(tx)).fetchrow("SELECT words, wrapped FROM notes, data_keys")
        assert row is not None
        assert b"1381234" not in row["words"] + row["wrapped"]
        assert (await its.index(tx)).blind("x", "y") == (await notes.vault().index(tx)).blind("x", "y")


@pytest.mark.parametrize("statement", ["UPDATE data_keys SET owner = ''", "DELETE FROM data_keys", "TRUNCATE trail"])
async def test_the_service_can_change_no_key(notes: Notes, statement: str) -> None:
    assert "permission denied" in await refusal(
        notes.db.engine.url.render_as_string(False).replace("+asyncpg", ""), statement
    )


async def test_memory_is_bounded(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "REMEMBERED", 2)
    its = notes.vault()
    ids = [await notes.write(its, owner, owner) for owner in ("1", "2", "3", "4")]
    assert [await notes.read(its, note) for note in ids] == ["1", "2", "3", "4"]
    assert len(its._keys) == len(its._current) == 2


async def test_a_new_master_key_wraps_what_is_there_and_the_old_one_may_go(notes: Notes) -> None:
    running = notes.vault()
    note = await notes.write(running, "甲")
    notes.file.write_text(SECOND + FIRST)
    done = await notes.rotation().run(wrap_only=True)
    assert (done.wrapped, done.made, done.sealed) == (1, 0, 0)
    assert (await notes.rotation().run(wrap_only=True)).wrapped == 0
    notes.file.write_text(SECOND)
    assert await notes.read(notes.vault(), note) == await notes.read(running, note) == "甲"
    other = await notes.write(running, "乙", "375")
    assert (await notes.keys())[other] == "current 375 b", "a running service makes no key under a master that is gone"


async def test_a_master_key_that_left_too_early_is_said(notes: Notes) -> None:
    note = await notes.write(notes.vault(), "甲")
    notes.file.write_text(SECOND)
    late = notes.vault()
    with pytest.raises(KeysMissing, match="the master key a is not in the file"):
        await notes.read(late, note)
    notes.file.write_text(SECOND + FIRST)
    assert await notes.read(late, note) == "甲", "and its line put back is enough"


async def test_another_key_of_the_same_name_is_waited_out(notes: Notes) -> None:
    note = await notes.write(notes.vault(), "甲")
    notes.file.write_text(SECOND.replace("b ", "a ", 1))
    late = notes.vault()
    with pytest.raises(KeysMissing, match="was not wrapped by the master key a of the file") as wrong:
        await notes.read(late, note)
    assert is_outage(wrong.value), "nothing is given up for it"
    notes.file.write_text(FIRST)
    assert await notes.read(late, note) == "甲"


async def test_everything_is_sealed_anew_while_a_service_runs(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    running = notes.vault()
    texts = {await notes.write(running, f"句{n}", "374" if n % 2 else "375"): f"句{n}" for n in range(7)}
    done = await notes.rotation().run()
    assert (done.made, done.sealed) == (2, 7)
    assert {*(await notes.keys()).values()} == {"current 374 a", "current 375 a"}
    stale = await notes.write(running, "旧", "374")
    assert (await notes.keys())[stale] == "emptied 374 a", "it does not know yet"
    monkeypatch.setattr(vault, "FRESH_FOR", 0.0)
    fresh = await notes.write(running, "新", "374")
    assert (await notes.keys())[fresh] == "current 374 a", "after a while it does"
    for reader in (running, notes.vault()):
        assert {note: await notes.read(reader, note) for note in texts} == texts


async def test_no_statement_of_a_rotation_goes_through_a_whole_table(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    its = notes.vault()
    ids = [await notes.write(its, f"句{n}") for n in range(5)]
    rotating = notes.rotation()
    assert await rotating._reseal_batch(COLUMN, [], None) == (ids[1], 0), "though none of them is to be sealed anew"
    assert await rotating._reseal_batch(COLUMN, [], ids[3]) == (None, 0)


async def test_a_rotation_that_died_goes_on_and_begins_no_other(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    its = notes.vault()
    ids = [await notes.write(its, f"句{n}") for n in range(5)]
    dying = notes.rotation()
    batch, passed = dying._reseal_batch, []

    async def dies(*arguments: object) -> tuple[UUID | None, int]:
        if passed:
            raise ZeroDivisionError
        passed.append(True)
        return await batch(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dying, "_reseal_batch", dies)
    with pytest.raises(ZeroDivisionError):
        await dying.run()
    assert sorted((await notes.keys()).values()) == ["current 374 a"] * 2 + ["retired 374 a"] * 3
    assert [await notes.read(notes.vault(), note) for note in ids] == [f"句{n}" for n in range(5)]
    done = await notes.rotation().run()
    assert (done.made, done.sealed) == (0, 3)
    assert {*(await notes.keys()).values()} == {"current 374 a"}
    assert (await notes.rotation().run()).made == 1, "and then there may be another"


async def test_a_rotation_that_gives_way_to_a_service_goes_on(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    note = await notes.write(notes.vault(), "甲")
    rotating = notes.rotation()
    anew, gave_way = rotating._anew, []

    async def gives_way(*its: Any) -> bytes:
        if not gave_way:
            gave_way.append(True)
            raise asyncpg.DeadlockDetectedError
        return await anew(*its)

    monkeypatch.setattr(rotating, "_anew", gives_way)
    assert ((await rotating.run()).sealed, gave_way) == (1, [True])
    assert (await notes.keys())[note] == "current 374 a"


async def test_a_rotation_waits_for_who_may_still_seal_under_the_old_keys(notes: Notes) -> None:
    its = notes.vault()
    await notes.write(its, "甲")
    slow = notes.rotation()
    slow.lingering = timedelta(seconds=4)
    running = asyncio.create_task(slow.run())
    while not slow.done.sealed:
        await asyncio.sleep(0.01)
    late = await notes.write(its, "迟")
    with pytest.raises(AnotherRuns):
        await notes.rotation().run()
    assert (await running).sealed == 2
    assert (await notes.keys())[late] == "current 374 a"


async def _sealed(notes: Notes, note: UUID) -> bytes:
    async with notes.db.connection() as connection:
        sealed: bytes = await connection.fetchval("SELECT words FROM notes WHERE id = $1", note)
    return sealed


async def test_a_changed_data_key_is_refused(notes: Notes) -> None:
    note = await notes.write(notes.vault(), "甲")
    async with notes.owner.connection() as connection:
        await connection.execute("UPDATE data_keys SET owner = '375'")
    with pytest.raises(KeysMissing, match="data key"):
        await notes.read(notes.vault(), note)
