"""The page of an explanation: what it says, how it says it, and that nothing given to it becomes markup."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appeal_tracker.appeals.confidence import Shown
from appeal_tracker.calendars.counting import Hold, due, explain
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period
from appeal_tracker.clocks.models import Clock, RecordedHold, Timer
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.explanations import page
from appeal_tracker.explanations.service import Explanation, Promise, Recalculation, Subject
from appeal_tracker.explanations.words import CODES
from appeal_tracker.policies.loader import packaged_policies
from chassis.ids import new_id
from chassis.web.errors import Language

CHINESE = re.compile("[\u4e00-\u9fff]")
HOSTILE = "<script>alert(1)</script>\"'&"
LIMIT = packaged_policies()["t-sdpea"].limits("complaint")[1]  # 7 working days


def civil(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00")


def explanation(start: str = "10-09T09:30", within: str = "7 working days", **changes: Any) -> Explanation:
    """A complaint received on Friday 2026-10-09, whose answer is due at 24:00 of 10-19; or another."""
    period, calendar = Period.parse(within), cn_statutory()
    holds = [Hold(hold.since, hold.until) for hold in changes.get("holds", ()) if hold.until]
    deadline = due(civil(start), period, calendar, holds)
    clock = Clock(
        id=new_id(),
        subject_kind="appeal",
        subject_id=new_id(),
        round=1,
        milestone="answer",
        appeal_type="complaint",
        started_at=civil(start),
        due_at=deadline.due_at,
        policy="t-sdpea@1",
        calendar="cn-statutory@1",
        provisional=deadline.provisional,
        state="running",
        late_arrival=False,
    )
    subject = Subject("appeal", clock.subject_id, "37401", "37402", "V00000001", "complaint")
    values: dict[str, Any] = {
        "clock": clock,
        "subject": subject,
        "policy": packaged_policies()["t-sdpea"],
        "limit": type(LIMIT)("answer", period, LIMIT.clause, LIMIT.stated_by, "received", ()),
        "standard": "电力用户走访服务规范 T/SDPEA",
        "days": explain(civil(start), period, calendar, holds),
        "timers": [],
        "holds": [],
        "promise": None,
        "recalculations": [],
        "facts": [],
        "as_of": civil("10-12T08:00"),
    }
    return Explanation(**{**values, **changes})


def text(html: str) -> str:
    """What a reader sees: every mark of the page taken away, one blank between words."""
    body = html[html.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


@pytest.mark.clause("7.2.3")
def test_the_last_day_ends_at_2400_and_not_at_0000_of_the_next() -> None:
    seen = text(page.render(explanation(), "zh"))
    assert "截止时间 2026-10-19 24:00" in seen
    assert "2026-10-20 00:00" not in seen
    assert "2026-10-09 起算日 不计 09:30 起算 2026-10-10 第 1 日 国庆节（调休上班） 2026-10-11 周末 不计" in seen
    assert "10-19 第 7 日 工作日 24:00 截止" in seen


def test_every_day_from_start_to_due_is_in_a_table_of_whole_weeks() -> None:
    its = explanation()
    html = page.render(its, "en")
    cells = re.findall(r'<td class="(\w+)">\s*<time>([\d-]+)</time>', html)
    assert [date for look, date in cells if look != "outside"] == [day.date.isoformat() for day in its.days]
    assert (cells[0][1], cells[-1][1], len(cells)) == ("2026-10-05", "2026-10-25", 21)
    counted = [day.date.isoformat() for day in its.days if day.counted]
    assert [date for look, date in cells if look == "counted"] == counted


def test_hours_run_through_and_are_not_numbered() -> None:
    seen = text(page.render(explanation(within="24 hours"), "en"))
    assert "2026-10-09 runs through starts 09:30 2026-10-10 runs through ends 09:30" in seen
    assert "through nights and days off" in seen
    assert "day 1" not in seen


def test_a_festival_is_named_with_its_notice() -> None:
    seen = text(page.render(explanation("09-30T09:00"), "en"))
    assert "10-01 国庆节 (day off) not counted" in seen
    assert re.search(r"2026-10-01 day off 国庆节 https://www\.gov\.cn/\S+", seen)


def test_an_estimated_year_is_said_to_be_provisional() -> None:
    seen = text(page.render(explanation("12-30T09:00"), "en"))
    assert "Provisional: it touches a year without a published notice" in seen
    assert "estimated" in seen
    assert "Provisional" not in text(page.render(explanation(), "en"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_speaks_one_language(language: Language) -> None:
    hold = held(reason="report")
    its = explanation(within="7 working days", holds=[hold], recalculations=[moved()], facts=[fact()], timers=[timer()])
    named = {day.name for day in its.days} | {its.policy.title, its.standard}
    seen = text(page.render(its, language))
    for name in filter(None, named):
        seen = seen.replace(name, "")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page.render(its, language)
    assert bool(CHINESE.search(seen)) is (language == "zh"), seen
    if language == "zh":
        assert not re.search(r"\b(not counted|working day|held|by|since)\b", seen)


def test_holds_and_what_they_did_to_the_days_are_shown() -> None:
    hold = held(since="10-12T08:00", until="10-14T18:00")
    its = explanation(holds=[hold])
    seen = text(page.render(its, "zh"))
    assert "截止时间 2026-10-20 24:00" in seen  # one day lies wholly inside it, the 13th
    assert "10-13 暂停 不计" in seen
    assert "2026-10-12 08:00:00 2026-10-14 18:00:00" in seen
    assert "自 2026-10-12 08:00:00 起暂停；" in text(page.render(explanation(holds=[held(since="10-12T08:00")]), "zh"))
    cancelled = explanation(holds=[held(until="10-12T18:00", counted=False)])
    assert "自 2026-10-12 08:00:00 起暂停，取消时仍未恢复" in text(page.render(cancelled, "zh"))


def test_a_recalculation_says_cause_old_new_and_who() -> None:
    seen = text(page.render(explanation(recalculations=[moved()]), "zh"))
    assert "2026-10-11 09:00:00 日历新版本 2026-10-20 24:00 (暂定) 2026-10-19 24:00" in seen
    assert "cn-statutory@1 → cn-statutory@2 E009" in seen


def test_a_correction_shows_both_times() -> None:
    seen = text(page.render(explanation(facts=[fact()]), "zh"))
    assert "更正：实为按时完成 2026-10-19 17:00:00 2026-10-21 10:00:00 E101" in seen


def test_the_ladder_shows_what_fired_and_what_fired_late() -> None:
    seen = text(page.render(explanation(timers=[timer()]), "zh"))
    assert "截止时 2026-10-19 24:00 责任人、本单位主管 已触发 2026-10-20 00:05:00 迟于应触发时间" in seen


@pytest.mark.parametrize(
    ("step", "chinese", "english"),
    [
        ("0.5", "规定时限过去 50%", "50% of the period gone"),
        ("0.0625", "规定时限过去 6.25%", "6.25% of the period gone"),
        ("-4h", "截止前 4 小时", "4 hours before the deadline"),
        ("-1wd", "截止前 1 个工作日", "1 working day before the deadline"),
        ("due", "截止时", "at the deadline"),
        ("+2h", "截止后 2 小时", "2 hours after the deadline"),
        ("+1wd", "截止后 1 个工作日", "1 working day after the deadline"),
        ("every 1wd#1", "截止后每隔 1 个工作日，第 1 次", "every 1 working day after the deadline, number 1"),
        ("every 12h#3", "截止后每隔 12 小时，第 3 次", "every 12 hours after the deadline, number 3"),
    ],
)
def test_a_step_of_the_ladder_is_said_in_words(step: str, chinese: str, english: str) -> None:
    its = explanation(timers=[timer(step)])
    assert f"<td>{chinese}</td>" in page.render(its, "zh")
    assert f"<td>{english}</td>" in page.render(its, "en")


def test_a_promise_is_shown_with_its_own_days() -> None:
    its, other = explanation(), explanation("10-08T10:00")
    promise = Promise(other.clock, "V00000002", other.limit, other.days)
    seen = text(page.render(explanation(promise=promise), "zh"))
    assert "与诉求 V00000002 合并办理，保留其中最早的截止时间：2026-10-16 24:00" in seen
    assert "10-16 第 7 日 工作日 24:00 截止" in seen
    assert seen.count("24:00 截止") == 1, "the own period is not what it is due by"
    assert "其他单位" in text(page.render(explanation(promise=Promise(its.clock, None, its.limit, its.days)), "zh"))


def test_nothing_given_becomes_markup() -> None:
    subject = Subject("appeal", new_id(), HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    note = held(reason=HOSTILE, note=HOSTILE)
    html = page.render(explanation(subject=subject, holds=[note], recalculations=[moved(cause=HOSTILE)]), "en")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 7
    assert not re.search(r'[a-z]="[^"]*<', html)


def test_the_page_loads_nothing_and_may_run_nothing_but_its_style() -> None:
    html = page.render(explanation(), "zh")
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert page.policy() == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"<(script|link|img|iframe|object|form)|\b(src|href|style|on\w+)=|url\(|@import", html)


def test_every_word_is_there_in_both_languages() -> None:
    for kind, words in CODES.items():
        for code, (zh, en) in words.items():
            assert CHINESE.search(zh), (kind, code)
            assert en, (kind, code)
            assert not CHINESE.search(en), (kind, code)


def held(
    since: str = "10-12T08:00",
    until: str | None = None,
    reason: str = "report",
    note: str | None = None,
    *,
    counted: bool = True,
) -> Any:
    its = RecordedHold(
        since=civil(since),
        until=civil(until) if until else None,
        reason=reason,
        note=note,
        held_by="E110",
        resumed_by="E110" if until else None,
        recorded_at=civil(since),
    )
    return Shown(its, counted=counted)


def moved(cause: str = "calendar_version") -> Recalculation:
    old, new = civil("10-21T00:00"), civil("10-20T00:00")
    policy, calendars = "t-sdpea@1", ("cn-statutory@1", "cn-statutory@2")
    return Recalculation(civil("10-11T09:00"), "E009", cause, old, new, True, False, policy, policy, *calendars)


def fact() -> TimelineEntry:
    at, recorded_at = civil("10-19T17:00"), civil("10-21T10:00").astimezone(UTC)
    return TimelineEntry(kind="deadline_corrected", at=at, recorded_at=recorded_at, actor="E101", data={})


def timer(step: str = "due") -> Timer:
    due, told = civil("10-20T00:00"), ["owner", "unit_supervisors"]
    fired = due + timedelta(minutes=5)
    return Timer(step=step, phase="due", tell=told, fire_at=due, state="fired", fired_at=fired, late=True)
