"""Pages as a real browser shows and prints them: an explanation, and what a customer is asked; needs Chromium."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.appeal_tracker.desk import Desk, got
from tests.integration.appeal_tracker.test_callback_links import customer, link
from tests.support.missing import not_tested

pytestmark = pytest.mark.long
PHONE = "--window-size=390,844"
# What a thumb needs to know of a page: how wide it is, and how high what it touches.
MEASURE = """<script>
const seen = [...document.querySelectorAll("a, button, textarea")].map(it => it.getBoundingClientRect());
document.body.innerHTML = "<pre>" + JSON.stringify({
    screen: innerWidth, page: document.documentElement.scrollWidth, right: Math.max(...seen.map(it => it.right)),
    heights: seen.map(it => it.height),
}) + "</pre>";
</script>"""
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> str:
    """The browser of this machine; a machine without one says so, and with CI=true that is a failure."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        not_tested("in a browser: there is no Chromium here")
    return found


def run(browser: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--enable-logging=stderr"]
    return subprocess.run([browser, *options, *arguments], capture_output=True, timeout=100, check=True)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_saved_page_is_shown_by_its_own_policy_and_printed_on_two_sheets(
    desk: Desk, browser: str, tmp_path: Path, language: str
) -> None:
    case = await desk.raised()
    await desk.at("10-20T10:00")
    await desk.answer(case, "10-19T17:00")
    clock = (await desk.clocks(case))["answer"]
    path = f"/deadlines/{clock['id']}/explanation"
    assert (await got(desk.supervisor.get(path)))["facts"]
    answer = await desk.supervisor.get(path, headers={"Accept": "text/html"}, params={"lang": language})
    page, sheets = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_bytes(answer.content)
    shown = run(browser, "--dump-dom", page.as_uri())
    assert "2026-10-19 24:00" in shown.stdout.decode()
    assert b"Refused to" not in shown.stderr, shown.stderr
    assert b"Content Security Policy" not in shown.stderr, shown.stderr
    run(browser, f"--print-to-pdf={sheets}", "--no-pdf-header-footer", page.as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b", sheets.read_bytes())) in (1, 2)


@pytest.mark.clause("7.2.5.1", "9.4")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_what_a_customer_is_asked_fits_a_phone_and_a_thumb(
    desk: Desk, browser: str, tmp_path: Path, language: str
) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    where = await link(desk, case)
    async with customer(desk) as phone:
        asked = await phone.get(where, params={"lang": language})
        thanks = await phone.post(where, params={"lang": language}, data={"satisfaction": "5", "opinion": "很及时"})
    page = tmp_path / "page.html"
    for answer in (asked, thanks):
        page.write_bytes(answer.content + MEASURE.encode())
        shown = run(browser, PHONE, "--dump-dom", page.as_uri()).stdout.decode()
        its = json.loads(shown.partition("<pre>")[2].partition("</pre>")[0])
        assert its["page"] <= its["screen"], "nothing is to be pushed aside"
        if answer is asked:
            assert its["right"] <= its["screen"]
            assert len(its["heights"]) >= 7, "five ratings, some words, and the other language"
            assert min(its["heights"]) >= 44, "CSS pixels, of what is tapped"
