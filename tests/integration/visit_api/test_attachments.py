"""Files of a visit: uploaded in parts over a bad line, kept if they are what was declared, read only with scope."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from chassis.web.tokens import Principal
from chassis.web.work import UnitOfWork
from tests.integration.visit_api.test_archive import ended, entries
from tests.integration.visit_api.world import World, made, pointers, problem
from tests.support import samples
from tests.support.full import fill
from tests.support.turns import waits_its_turn
from visit_api.attachments import service
from visit_api.attachments.store import FileStore, Whole
from visit_api.attachments.worker import Sweeper

PICTURE = samples.png(text="现场" * 40)
LIMIT = 100 << 20


def declared(data: bytes = PICTURE, name: str = "现场.png", kind: str = "photo", **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "kind": kind, "size": len(data), "sha256": digest, **fields}


async def begun(world: World, data: bytes = PICTURE, visit_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """An upload of which nothing has arrived."""
    visit_id = visit_id or (await world.visit())["id"]
    return await made(world.visitor.post(f"/visits/{visit_id}/attachments", json=declared(data, **fields)))


async def put(world: World, attachment: dict[str, Any], number: int, data: bytes) -> httpx.Response:
    return await world.visitor.put(f"/attachments/{attachment['id']}/parts/{number}", content=data)


async def completed(world: World, attachment: dict[str, Any]) -> httpx.Response:
    return await world.visitor.post(f"/attachments/{attachment['id']}/complete")


async def stored(world: World, data: bytes = PICTURE, **fields: Any) -> dict[str, Any]:
    attachment = await begun(world, data, **fields)
    assert (await put(world, attachment, 1, data)).status_code == 200
    answer = await completed(world, attachment)
    assert answer.status_code == 200, answer.text
    its: dict[str, Any] = answer.json()
    return its


async def test_where_no_room_is_left_for_a_part_the_caller_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attachment = await begun(world)
    before = files(world)
    fill(monkeypatch)
    problem(await put(world, attachment, 1, PICTURE), 503, "storage-full")
    monkeypatch.undo()
    assert files(world) == before
    assert (await put(world, attachment, 1, PICTURE)).status_code == 200


def files(world: World) -> set[str]:
    """The names of all files in the store."""
    root: Path = world.runtime.settings.attachments_dir  # type: ignore[attr-defined]
    return {path.name for path in root.rglob("*") if path.is_file()}


async def test_an_upload_is_taken_up_where_it_broke_off(world: World) -> None:
    attachment = await begun(world)
    path = f"/attachments/{attachment['id']}"
    assert (await put(world, attachment, 3, PICTURE[200:])).status_code == 200
    assert (await put(world, attachment, 1, PICTURE[:100])).status_code == 200
    refused = problem(await completed(world, attachment), 409, "upload-incomplete")
    assert (refused["received"], refused["parts"]) == (len(PICTURE) - 100, [1, 3])
    upload = (await world.visitor.get(path)).json()
    assert upload["parts"] == [{"number": 1, "size": 100}, {"number": 3, "size": len(PICTURE) - 200}]
    assert upload["part_limit"] == 4 << 20
    for _ in range(2):
        assert (await put(world, attachment, 2, PICTURE[100:200])).status_code == 200
    ended = [(await completed(world, attachment)).json() for _ in range(2)]
    assert ended[0] == ended[1]
    followed = await world.admin.get("/attachments", params={"updated_since": "2026-01-01T00:00:00Z"})
    assert followed.json()["items"] == ended[:1], "whoever follows the files of all visits hears of it once"
    assert (ended[0]["state"], ended[0]["media_type"], ended[0]["name"]) == ("stored", "image/png", "现场.png")
    problem(await put(world, attachment, 2, PICTURE[100:200]), 409, "upload-over")
    answer = await world.visitor.get(f"{path}/content")
    assert answer.content == PICTURE
    assert attachment["id"] not in str(files(world))


async def test_many_who_complete_at_once_are_answered_alike(world: World) -> None:
    attachment = await begun(world)
    await put(world, attachment, 1, PICTURE)
    answers = await asyncio.gather(*[completed(world, attachment) for _ in range(4)])
    assert {(answer.status_code, answer.json()["version"]) for answer in answers} == {(200, 2)}


async def test_no_transaction_waits_for_bytes_to_be_hashed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attachment, hashed = await begun(world), []
    await put(world, attachment, 1, PICTURE)
    assemble, held = FileStore.assemble, world.runtime.db.engine.pool.checkedout  # type: ignore[attr-defined]

    async def slowly(store: FileStore, upload: UUID) -> Whole:
        hashed.append(held())
        return await assemble(store, upload)

    monkeypatch.setattr(FileStore, "assemble", slowly)
    path, key = f"/attachments/{attachment['id']}/complete", {"Idempotency-Key": uuid4().hex}
    first, again = [await world.visitor.post(path, headers=key) for _ in range(2)]
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert hashed == [0], "once, and without a connection"


async def test_an_upload_leaves_their_connections_to_the_loops(world: World) -> None:
    attachment, caller = await begun(world), Principal("E101", "37401", frozenset({"visitor"}))
    runtime, upload = world.runtime, UUID(attachment["id"])

    async def body() -> AsyncIterator[bytes]:
        assert runtime.db.engine.pool.checkedout() == 0, "bytes may come slowly"  # type: ignore[attr-defined]
        yield PICTURE

    async with UnitOfWork(runtime.db) as work:
        await waits_its_turn(runtime, service.put_part(work, runtime, caller, upload, 1, body()))
    found = await waits_its_turn(runtime, service.examine(runtime, caller, upload))
    assert found.media_type == "image/png"
    path = f"/attachments/{attachment['id']}/parts/1"
    again = await world.visitor.put(path, content=PICTURE, headers={"Idempotency-Key": uuid4().hex})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("data", "fields", "pointer"),
    [
        (PICTURE, {"sha256": "0" * 64}, ("/sha256", "hash_mismatch")),
        (samples.HTML, {"name": "现场.png"}, ("/kind", "type_not_allowed")),
        (PICTURE, {"kind": "audio", "name": "x"}, ("/kind", "type_not_allowed")),
        (samples.AMR, {"kind": "photo", "name": "x"}, ("/kind", "type_not_allowed")),
        (PICTURE, {"name": "现场.jpg"}, ("/name", "mislabelled")),
        (samples.office("word", {"word/b.xml": bytes(9 << 20)}), {"kind": "document", "name": "x"}, ("", "unsound")),
    ],
)
async def test_bytes_that_are_not_what_was_declared_are_not_kept(
    world: World, data: bytes, fields: dict[str, Any], pointer: tuple[str, str]
) -> None:
    before = files(world)
    attachment = await begun(world, data, **fields)
    await put(world, attachment, 1, data)
    refused = await completed(world, attachment)
    problem(refused, 422, "attachment-refused")
    assert pointers(refused) == [pointer]
    assert files(world) == before, "nothing half stays"
    upload = (await world.visitor.get(f"/attachments/{attachment['id']}")).json()
    assert (upload["state"], upload["parts"]) == ("uploading", [])
    problem(await world.visitor.get(f"/attachments/{attachment['id']}/content"), 409, "attachment-not-stored")


async def test_more_than_was_declared_is_not_taken(world: World) -> None:
    attachment = await begun(world)
    problem(await put(world, attachment, 1, PICTURE + b"!"), 409, "more-than-declared")
    assert (await put(world, attachment, 1, PICTURE)).status_code == 200
    problem(await put(world, attachment, 2, b"!"), 409, "more-than-declared")
    assert pointers(await put(world, attachment, 3, b"")) == [("", "empty")]
    problem(await put(world, attachment, 4, bytes((4 << 20) + 1)), 413, "too-large")
    for number in ("0", "10001", "x"):
        answer = await world.visitor.put(f"/attachments/{attachment['id']}/parts/{number}", content=b"x")
        problem(answer, 404, "not-found")


async def test_a_file_has_its_limits(world: World, owner: asyncpg.Connection) -> None:
    visit = await world.visit()
    path = f"/visits/{visit['id']}/attachments"
    assert pointers(await world.visitor.post(path, json=declared(size=LIMIT + 1))) == [("/size", "too_large")]
    first = await begun(world, visit_id=visit["id"])
    await owner.execute(
        "INSERT INTO attachments SELECT gen_random_uuid(), visit_id, unit_code, 'x.png', kind, size, sha256, state,"
        " media_type, declared_by, declared_at, stored_at, opened_at, version, content_digest, updated_at"
        " FROM attachments, generate_series(1, 49) WHERE id = $1",
        first["id"],
    )
    refused = problem(await world.visitor.post(path, json=declared()), 409, "too-many-attachments")
    assert refused["limit"] == 50


async def test_a_declaration_that_comes_again_is_answered_as_the_first_time(world: World) -> None:
    visit = await world.visit()
    new = declared(id=str(uuid4()), name="../../现场.png")
    answers = [await made(world.visitor.post(f"/visits/{visit['id']}/attachments", json=new)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["name"] == "现场.png"
    other = {**new, "size": 1}
    problem(await world.visitor.post(f"/visits/{visit['id']}/attachments", json=other), 409, "attachment-taken")
    elsewhere = await world.visit()
    problem(await world.visitor.post(f"/visits/{elsewhere['id']}/attachments", json=new), 409, "attachment-taken")


async def test_a_file_is_saved_and_never_shown(world: World) -> None:
    attachment = await stored(world)
    path = f"/attachments/{attachment['id']}/content"
    answer = await world.visitor.get(path)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"__.png\"; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.png"
    )
    assert answer.headers["etag"] == f'"{attachment["sha256"]}"'
    for stranger, status in ((world.stranger, 404), (world.client("integration", unit="374"), 403)):
        assert (await stranger.get(path)).status_code == status


async def test_a_download_is_taken_up_where_it_broke_off(world: World) -> None:
    attachment = await stored(world)
    path, size, tag = f"/attachments/{attachment['id']}/content", len(PICTURE), f'"{attachment["sha256"]}"'
    for wanted, start, end in (("0-9", 0, 10), ("10-", 10, size), ("-7", size - 7, size), ("5-99999", 5, size)):
        part = await world.visitor.get(path, headers={"Range": f"bytes={wanted}", "If-Range": tag})
        assert (part.status_code, part.content) == (206, PICTURE[start:end]), wanted
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    for wanted in ("bytes=0-1,3-4", "bytes=9-1", "bytes=-", "lines=1-2"):
        assert (await world.visitor.get(path, headers={"Range": wanted})).content == PICTURE
    other = await world.visitor.get(path, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert other.content == PICTURE
    refused = await world.visitor.get(path, headers={"Range": f"bytes={size}-"})
    assert problem(refused, 416, "range-not-satisfiable")["size"] == size
    assert refused.headers["content-range"] == f"bytes */{size}"


async def test_what_nobody_ends_is_given_up(world: World, owner: asyncpg.Connection) -> None:
    store = service.store_of(world.runtime)
    attachment, other = await begun(world), await begun(world)
    for each in (attachment, other):
        await put(world, each, 1, PICTURE)
    await owner.execute(
        "UPDATE attachments SET opened_at = opened_at - $2::interval WHERE id = $1", attachment["id"], timedelta(days=8)
    )
    await store.put_part(uuid4(), 1, b"left by a crash")
    await world.stack.settle(seldom=True)
    assert await store.uploads() == [UUID(other["id"])]
    assert (await world.visitor.get(f"/attachments/{attachment['id']}")).json()["state"] == "abandoned"
    problem(await put(world, attachment, 1, PICTURE), 409, "upload-over")
    problem(await completed(world, attachment), 409, "upload-over")
    assert (await completed(world, other)).status_code == 200


@pytest.mark.clause("7.2.6")
async def test_a_file_that_was_left_lying_stays_a_gap_until_it_is_said_why(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await ended(world)
    lost, refused = [await begun(world, visit_id=visit["id"]) for _ in range(2)]
    await world.act(visit["id"], "archive")
    await owner.execute("UPDATE attachments SET opened_at = opened_at - interval '8 days'")
    await world.stack.settle(seldom=True)
    assert (await world.visitor.get(f"/attachments/{lost['id']}")).json()["state"] == "abandoned"
    path = f"/visits/{visit['id']}/gaps"

    async def waiting() -> dict[str, tuple[str, str | None]]:
        gaps = (await world.visitor.get(path)).json()["gaps"]
        return {each["attachment_id"]: (each["name"], each["reason"]) for each in gaps if each["attachment_id"]}

    assert await waiting() == {lost["id"]: (lost["name"], None), refused["id"]: (refused["name"], None)}
    gap = {"clause": "7.2.6", "what": f"attachment_uploaded:{lost['id']}", "reason": "手机丢失"}
    await made(world.admin.post(path, json=gap))
    await world.visitor.post(f"/attachments/{refused['id']}/give-up", json={"reason": "选错文件"})
    assert await waiting() == {lost["id"]: (lost["name"], "手机丢失")}
    await world.stack.settle()
    said, given_up = [each["record"] for each in (await entries(world, visit["id"]))["supplements"]]
    assert [said["gaps"][0]["what"], given_up["given_up"][0]["id"]] == [gap["what"], refused["id"]]


async def test_a_folder_that_cannot_be_read_does_not_end_the_process_that_tells_appeals(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uploads").write_text("no folder")
    monkeypatch.setattr(service, "store_of", lambda runtime: FileStore(tmp_path))
    assert await Sweeper(world.runtime).run_once() is False


@pytest.mark.clause("7.2.6")
async def test_a_file_that_is_refused_for_good_is_given_up_and_its_visit_waits_no_more(world: World) -> None:
    visit = await world.visit(form="special")
    page = await begun(world, samples.HTML, visit_id=visit["id"], name="现场.png")
    await put(world, page, 1, samples.HTML)
    problem(await completed(world, page), 422, "attachment-refused")
    kept = await begun(world, visit_id=visit["id"])
    await put(world, kept, 1, PICTURE)
    await completed(world, kept)
    path, why = f"/attachments/{page['id']}", {"reason": "选错文件，是网页"}
    gaps = f"/visits/{visit['id']}/gaps"
    assert page["id"] in (await world.visitor.get(gaps)).text
    colleague = world.client("visitor", unit="37401", sub="E102")
    problem(await colleague.post(f"{path}/give-up", json=why), 403, "attachment-of-another")
    assert pointers(await world.visitor.post(f"{path}/give-up", json={})) == [("/reason", "missing")]
    problem(await world.stranger.post(f"{path}/give-up", json=why), 404, "not-found")
    problem(await world.visitor.post(f"/attachments/{kept['id']}/give-up", json=why), 409, "upload-over")
    ended = [(await world.visitor.post(f"{path}/give-up", json=why)).json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert {"state": "abandoned", "given_up_by": "E101", **why}.items() <= ended[0].items()
    assert page["id"] not in (await world.visitor.get(gaps)).text
    assert ended[0] in (await world.admin.get(f"/visits/{visit['id']}/attachments")).json()["items"]
    problem(await put(world, page, 1, PICTURE), 409, "upload-over")
    (row,) = await world.rows("SELECT * FROM attachments WHERE id = $1", UUID(page["id"]))
    assert why["reason"].encode() not in b"".join(each for each in row.values() if isinstance(each, bytes))
    sheet = (await world.visitor.get(f"/visits/{visit['id']}/sheet", params={"lang": "zh-CN"})).text
    assert "放弃上传的附件" in sheet
    assert why["reason"] in sheet
    other = await begun(world, visit_id=visit["id"])
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    assert (await supervisor.post(f"/attachments/{other['id']}/give-up", json=why)).status_code == 200


async def test_what_is_given_up_after_the_archive_is_a_supplement(world: World) -> None:
    visit = await ended(world)
    early, late = [await begun(world, visit_id=visit["id"]) for _ in range(2)]
    why = {"reason": "手机损坏，照片已丢失"}
    await world.visitor.post(f"/attachments/{early['id']}/give-up", json=why)
    await world.act(visit["id"], "archive")
    await world.visitor.post(f"/attachments/{late['id']}/give-up", json=why)
    await world.stack.settle(seldom=True)
    archive = await entries(world, visit["id"])
    for entry, its in ((archive["record"], early), (archive["supplements"][0], late)):
        (line,) = entry["record"]["given_up"]
        assert (line["id"], line["reason"], line["given_up_by"]) == (its["id"], why["reason"], "E101")
    export = await world.client("supervisor", unit="37401", sub="E110").get(f"/archive/{visit['id']}/export")
    assert export.status_code == 200
