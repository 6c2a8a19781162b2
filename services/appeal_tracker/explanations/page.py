"""The explanation as one page of HTML that needs nothing else: it can be kept as a file, sent on, and printed.

The template escapes whatever it is given; the page runs no script and loads nothing, by a policy in its head as well as
in the answer's, so that a saved file keeps to it. Deadlines are written as on paper, `24:00` of the day that ends.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from appeal_tracker.calendars.civil import CHINA, closing_day, wall_text
from appeal_tracker.calendars.counting import Day
from appeal_tracker.clocks.models import Clock
from appeal_tracker.explanations.service import Explanation
from appeal_tracker.explanations.words import Speech
from chassis.web.errors import Language

if TYPE_CHECKING:
    from mako.template import Template

_HERE = files("appeal_tracker.explanations")


class Cell(msgspec.Struct, frozen=True):
    """A civil day in the table; one outside the period has a date only."""

    date: date
    look: str = "outside"  # counted, off or outside: how it is drawn
    number: int = 0  # the how manieth counted day; 0 where days are not counted
    words: str = ""
    marks: tuple[str, ...] = ()


def render(explanation: Explanation, language: Language) -> str:
    """The page."""
    say = Speech(language)
    promise = explanation.promise
    return str(
        _template().render(
            say=say,
            css=_css(),
            policy=policy(),
            it=explanation,
            weeks=weeks(explanation.days, explanation.clock, say, ends=promise is None),
            promised=weeks(promise.days, promise.clock, say) if promise else [],
            special=[day for day in explanation.days if day.source],
            standing=next((hold for hold in explanation.holds if hold.until is None), None),
            cancelled=next((hold for hold in explanation.holds if not hold.counted), None),
            instant=instant_text,
            change=_change,
            deadline=wall_text,
        )
    )


@cache
def policy() -> str:
    """The Content-Security-Policy of the page: its own style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def instant_text(instant: datetime) -> str:
    """When something was done: `2026-10-10 00:00:00`, an instant and not the end of a day."""
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def weeks(days: Sequence[Day], clock: Clock, say: Speech, *, ends: bool = True) -> list[list[Cell]]:
    """The civil days of a period, Monday to Sunday, whole weeks; `ends`: the clock is due when they end."""
    known, counted = {}, 0
    for day in days:
        counted += day.counted and day.reason != "hours"
        known[day.date] = _cell(day, counted, clock, say, ends=ends)
    first, last = days[0].date, days[-1].date
    at, table = first - timedelta(days=first.weekday()), []
    while at <= last:
        week = [at + timedelta(days=offset) for offset in range(7)]
        table.append([known.get(date) or Cell(date) for date in week])
        at += timedelta(days=7)
    return table


def _change(old: str | None, new: str | None) -> str:
    return " → ".join(dict.fromkeys(filter(None, (old, new))))


def _cell(day: Day, counted: int, clock: Clock, say: Speech, *, ends: bool) -> Cell:
    starts = clock.started_at.astimezone(CHINA)
    is_last = ends and day.date == closing_day(clock.due_at)
    words = say.code("day", day.reason)
    if day.name:
        words = f"{day.name}（{words}）" if say.language == "zh" else f"{day.name} ({words})"
    marks = [say("not_counted")] * (not day.counted)
    marks += [say("starts_at", time=f"{starts:%H:%M}")] * (day.date == starts.date())
    marks += [say("ends_at", time=wall_text(clock.due_at)[11:])] * is_last
    marks += [say("estimated")] * day.estimated
    number = counted if day.counted and day.reason != "hours" else 0
    return Cell(day.date, "counted" if day.counted else "off", number, words, tuple(marks))


@cache
def _css() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    from mako.template import Template  # a service that nobody asks for a page need not carry it

    text = (_HERE / "page.html").read_text(encoding="utf-8")
    return Template(text, default_filters=["h"], strict_undefined=True)  # noqa: S702 - `h` escapes every expression
