"""The file store: parts in any order, kept whole under their hash, and nothing left that was given up."""

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.full import fill
from visit_api.attachments.store import FileStore

WORDS = b"power to the people"
DIGEST = hashlib.sha256(WORDS).hexdigest()


async def test_parts_come_in_any_order_and_again(tmp_path: Path) -> None:
    store, upload = FileStore(tmp_path / "files"), uuid4()
    assert await store.parts(upload) == {}
    for number, data in ((10, WORDS[12:]), (2, b"nonsense"), (1, WORDS[:6]), (2, WORDS[6:12]), (1, WORDS[:6])):
        await store.put_part(upload, number, data)
    assert await store.parts(upload) == {1: 6, 2: 6, 10: 7}
    assert await store.uploads() == [upload]
    whole = await store.assemble(upload)
    assert (whole.size, whole.sha256) == (len(WORDS), DIGEST)
    assert not await store.exists(DIGEST)
    await store.keep(whole)
    store.discard(upload)
    store.discard(upload)
    assert (await store.uploads(), await store.parts(upload), await store.exists(DIGEST)) == ([], {}, True)
    assert b"".join([chunk async for chunk in store.open(DIGEST)]) == WORDS
    assert b"".join([chunk async for chunk in store.open(DIGEST, 6, 8)]) == WORDS[6:8]


@pytest.mark.parametrize("quota", [False, True])
async def test_nothing_half_stays_where_no_room_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: bool
) -> None:
    store, upload = FileStore(tmp_path), uuid4()
    await store.put_part(upload, 1, WORDS)
    fill(monkeypatch, quota)
    for write in (store.put_part(upload, 2, WORDS), store.assemble(upload)):
        with pytest.raises(OSError, match=r"No space|quota"):
            await write
    monkeypatch.undo()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["1"]
    await store.put_part(upload, 2, WORDS)
    assert (await store.assemble(upload)).size == 2 * len(WORDS)


async def test_what_is_kept_twice_is_there_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for upload in (uuid4(), uuid4()):
        await store.put_part(upload, 1, WORDS)
        await store.keep(await store.assemble(upload))
        store.discard(upload)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [DIGEST]
