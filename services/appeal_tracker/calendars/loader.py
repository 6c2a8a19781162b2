"""The calendars that come with the package: `data/<calendar>/<year>.json`, one file a year, in the holiday-cn form."""

import json
from functools import cache
from importlib.resources import files

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.editions import Edition, assemble
from appeal_tracker.calendars.notice import Notice, parse_notice

CN_STATUTORY = "cn-statutory"


def packaged_notices(calendar: str = CN_STATUTORY) -> list[Notice]:
    """Read every packaged year of a calendar, in order."""
    folder = files("appeal_tracker.calendars") / "data" / calendar
    years = sorted(folder.iterdir(), key=lambda file: file.name)
    return [parse_notice(json.loads(year.read_text(encoding="utf-8"))) for year in years]


def packaged_edition(calendar: str = CN_STATUTORY) -> Edition:
    """Return the first version of a packaged calendar."""
    return Edition(calendar, 1, tuple(day for notice in packaged_notices(calendar) for day in notice.days))


@cache
def cn_statutory() -> Calendar:
    """Return the statutory calendar of China as packaged, built once."""
    return assemble(CN_STATUTORY, {CN_STATUTORY: packaged_edition()})
