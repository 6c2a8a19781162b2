"""What the decoder finds wrong with a document, said in both languages."""

import re
from collections.abc import Iterable

from chassis.web.errors import Words

# The decoder (msgspec) speaks English only, and these are the forms it knows.
_CHINESE = (
    (r"Object missing required field", r"缺少必填字段"),
    (r"Object contains unknown field", r"未知的字段"),
    (r"Expected `(.+)` of length >= (\d+)", r"应为 \1，长度至少 \2"),
    (r"Expected `(.+)` of length <= (\d+)", r"应为 \1，长度至多 \2"),
    (r"Expected `(.+)` matching regex '(.+)'", r"应为 \1，格式须符合 \2"),
    (r"Expected `(.+)` (>=|<=|>|<) (\S+)", r"应为 \1，且 \2 \3"),
    (r"Expected `(.+)`, got `(.+)`", r"应为 \1，实为 \2"),
    (r"Expected `(.+)`", r"应为 \1"),
    (r"Invalid enum value", r"不是允许的值"),
    (r"Invalid RFC3339 encoded (?:date|datetime)", r"应为日期（YYYY-MM-DD）"),
    (r"no notice is named, neither here nor as the day's own `source`", r"未注明依据的通知（papers 或当日的 source）"),
    (r"without days the year must be named", r"未列出日期时必须写明年份"),
    (r"calendars cover the years from (\d+) to (\d+)", r"日历只涵盖 \1 年至 \2 年"),
)


def bilingual(fault: str, more: Iterable[tuple[str, str]] = ()) -> Words:
    """A fault in both languages, also by `more` forms; one of no known form stays as it is in the other."""
    for english, chinese in (*more, *_CHINESE):
        if match := re.fullmatch(english, fault):
            return Words(_literal(match.expand(chinese)), _literal(fault))
    return Words(_literal(f"不符合要求：{fault}"), _literal(fault))


def _literal(text: str) -> str:
    # Words are templates; what is filled in already must survive being filled again.
    return text.replace("{", "{{").replace("}", "}}")
