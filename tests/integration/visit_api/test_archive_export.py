"""An archived visit as a page and as a ZIP; and a visit as it stands, to be printed and signed."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.integration.visit_api.test_archive import closed, ended
from tests.integration.visit_api.test_attachments import begun, completed, put
from tests.integration.visit_api.world import World, made, problem
from tests.support import samples
from tests.support.missing import not_tested

SIGNATURE = samples.png(text="签名")
HTML = {"Accept": "text/html"}


async def with_file(world: World, visit: dict[str, Any], data: bytes, **fields: Any) -> None:
    attachment = await begun(world, data, visit_id=visit["id"], **fields)
    await put(world, attachment, 1, data)
    assert (await completed(world, attachment)).status_code == 200


async def signed(world: World) -> dict[str, Any]:
    """A visit that ended, with an appeal, a photo and the customer's signature."""
    visit = await ended(world, visitor_ids=["E101"])
    appeal = await world.raised(visit["id"], summary="<b>变压器</b>噪声大")
    await world.hear(closed(world, appeal))
    await with_file(world, visit, samples.png(text="现场"), name="现场照片.png")
    await with_file(world, visit, SIGNATURE, name="签名.png", kind="signature")
    return visit


async def archived(world: World) -> dict[str, Any]:
    visit = await signed(world)
    return await world.act(visit["id"], "archive")


@pytest.mark.clause("7.2.6")
async def test_an_export_is_whole_and_says_the_hash_of_each_of_its_files(world: World, tmp_path: Path) -> None:
    visit = await archived(world)
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    path = f"/archive/{visit['id']}/export"
    answer = await supervisor.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert f"visit-{visit['id']}.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    sums = (tmp_path / "SHA256SUMS").read_text()
    names = {line.split("  ")[1] for line in sums.splitlines()}
    assert names == {
        "record.json",
        "record.zh-CN.html",
        "record.en.html",
        "attachments/01-现场照片.png",
        "attachments/02-签名.png",
    }
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    data = json.loads((tmp_path / "record.json").read_text())
    assert data == (await supervisor.get(f"/archive/{visit['id']}")).json()
    world.later(days=1)
    assert (await supervisor.get(path)).content == answer.content, "the same archive is the same bytes"
    acts = [row["act"] for row in await world.rows("SELECT act FROM trail ORDER BY id")]
    assert acts == ["archive.export", "archive.read", "archive.export"]


def kept(world: World, sha256: str) -> Path:
    """Where the store has the file of that hash."""
    root: Path = world.runtime.settings.attachments_dir  # type: ignore[attr-defined]
    return root / "kept" / sha256[:2] / sha256


async def test_an_export_whose_files_are_away_is_not_begun_and_the_page_says_so(world: World) -> None:
    visit = await archived(world)
    kept(world, hashlib.sha256(SIGNATURE).hexdigest()).unlink()
    problem(await world.admin.get(f"/archive/{visit['id']}/export"), 503, "service-unavailable")
    page = await world.admin.get(f"/archive/{visit['id']}", headers=HTML, params={"lang": "en"})
    assert page.status_code == 200
    assert "signature stored on 2026" in page.text
    assert "is missing" in page.text


@pytest.mark.clause("7.2.6")
async def test_an_export_certifies_no_bytes_but_those_that_were_archived(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    visit = await archived(world)
    sha256 = hashlib.sha256(SIGNATURE).hexdigest()
    kept(world, sha256).write_bytes(other := samples.png(text="另一个人"))
    answer = await world.admin.get(f"/archive/{visit['id']}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        file.extractall(tmp_path)
    assert f"{sha256}  attachments/02-签名.png\n" in (tmp_path / "SHA256SUMS").read_text()
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True)
    assert [line for line in checked.stdout.splitlines() if not line.endswith(": OK")] == [
        "attachments/02-签名.png: FAILED"
    ]
    assert {record.sha256 for record in caplog.records if record.levelname == "ERROR"} == {sha256}  # type: ignore[attr-defined]
    page = (await world.admin.get(f"/archive/{visit['id']}", headers=HTML, params={"lang": "en"})).text
    for shown in (page, (tmp_path / "record.en.html").read_text()):
        assert base64.b64encode(other).decode() not in shown
        assert "is not what was stored" in shown


@pytest.mark.clause("7.2.6", "8.1.4")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_page_shows_all_of_it_and_the_signature(world: World, language: str) -> None:
    visit = await signed(world)
    await world.raised(visit["id"], summary="请替我保密", confidential=True)
    colleague = world.client("visitor", unit="37401", sub="E102")
    sheet = await colleague.get(f"/visits/{visit['id']}/sheet", params={"lang": language})
    assert (sheet.status_code, sheet.headers["content-language"]) == (200, language)
    assert "请替我保密" not in sheet.text
    for shown in (
        "齐鲁机床",
        "员工E101",
        "&lt;b&gt;变压器&lt;/b&gt;噪声大",
        "data:image/png;base64,",
        "2026-10-09 10:00",
    ):
        assert shown in sheet.text, shown
    words = {
        "zh-CN": ("走访记录单", "尚未归档", "现场", "投诉"),
        "en": ("Visit record", "Not archived", "on site", "complaint"),
    }
    for shown in words[language]:
        assert shown in sheet.text, shown
    policy = sheet.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-CN", ("一级", "诉求：{number}", "附件上传、现场照片.png")),
        ("en", ("first", "Appeals: {number}", "upload of a file, 现场照片.png")),
    ],
)
async def test_people_read_names_and_numbers_and_no_codes(world: World, language: str, said: tuple[str, ...]) -> None:
    customer = await world.customer(importance="first")
    visit = await world.visit(customer_id=customer["id"])
    appeal = await world.raised(visit["id"])
    await world.act(visit["id"], "start")
    step = {"content": {"kind": "appeals", "appeal_ids": [appeal["id"]]}}
    await made(world.visitor.post(f"/visits/{visit['id']}/steps", json=step))
    waiting = await begun(world, visit_id=visit["id"], name="现场照片.png")
    (gap,) = [
        each
        for each in (await world.visitor.get(f"/visits/{visit['id']}/gaps")).json()["gaps"]
        if each["what"].startswith("attachment")
    ]
    assert (gap["attachment_id"], gap["name"]) == (waiting["id"], "现场照片.png")
    sheet = (await world.visitor.get(f"/visits/{visit['id']}/sheet", params={"lang": language})).text
    for shown in said:
        assert shown.format(number=appeal["appeal_no"]) in sheet
    for code in (appeal["id"], waiting["id"], "attachment_uploaded"):
        assert code not in sheet
    await world.act(visit["id"], "complete")
    await world.hear(closed(world, appeal))
    await world.act(visit["id"], "archive")
    page = (await world.admin.get(f"/archive/{visit['id']}", headers=HTML, params={"lang": language})).text
    for shown in said:
        assert shown.format(number=appeal["appeal_no"]) in page


@pytest.mark.parametrize(("language", "since"), [("zh-CN", "已于 2026-10-09"), ("en", "Archived on 2026-10-09")])
async def test_the_sheet_of_an_archived_visit_says_that_it_is(world: World, language: str, since: str) -> None:
    visit = await archived(world)
    sheet = await world.visitor.get(f"/visits/{visit['id']}/sheet", params={"lang": language})
    assert since in sheet.text
    for draft in ("尚未归档", "Not archived"):
        assert draft not in sheet.text


async def test_the_archive_is_a_page_for_who_likes_one(world: World) -> None:
    visit = await archived(world)
    supervisor = world.client("supervisor", unit="37401", sub="E110")
    await supervisor.post(f"/archive/{visit['id']}/hold", json={"reason": "涉诉保全"})
    path = f"/archive/{visit['id']}"
    page = await supervisor.get(path, headers=HTML)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for shown in (
        "归档类别 普通走访、现场",
        "依法保全：涉诉保全",
        "2031-10-09",
        hashlib.sha256(SIGNATURE).hexdigest(),
    ):
        assert shown in page.text, shown
    assert (await supervisor.get(path)).json()["record"]["visit_id"] == visit["id"]


@pytest.mark.long
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_saved_page_keeps_to_its_policy_in_a_browser(world: World, tmp_path: Path, language: str) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        not_tested("in a browser: there is no Chromium here")
    visit = await archived(world)
    answer = await world.admin.get(f"/archive/{visit['id']}", headers=HTML, params={"lang": language})
    page, sheets = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_bytes(answer.content)
    options = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    shown = subprocess.run([*options, "--dump-dom", page.as_uri()], capture_output=True, timeout=100, check=True)
    assert b"Refused to" not in shown.stderr, shown.stderr
    assert b"Content Security Policy" not in shown.stderr, shown.stderr
    printed = [*options, f"--print-to-pdf={sheets}", "--no-pdf-header-footer", page.as_uri()]
    subprocess.run(printed, capture_output=True, timeout=100, check=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", sheets.read_bytes())) <= 4
