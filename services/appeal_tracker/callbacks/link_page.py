"""The customer's page as HTML: one question, five buttons, and room for an opinion; nothing on it says whose it is.

It runs no script and loads nothing; each button sends the form, so that one tap is enough.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from chassis.web.errors import Language, Words

if TYPE_CHECKING:
    from mako.template import Template

_HERE = files("appeal_tracker.callbacks")

WORDS = {
    "title": Words("服务评价", "How did we do?"),
    "ask": Words("您对本次诉求的处理结果满意吗？", "Are you satisfied with how your request was handled?"),
    "how": Words("点一下即可提交。", "One tap sends your answer."),
    "opinion": Words("您的意见（选填，请先填写）", "Your opinion (optional; write it first)"),
    "5": Words("非常满意", "Very satisfied"),
    "4": Words("满意", "Satisfied"),
    "3": Words("一般", "Neither"),
    "2": Words("不满意", "Dissatisfied"),
    "1": Words("非常不满意", "Very dissatisfied"),
    "again": Words(
        "请选择一项评价，意见不超过 4000 字。", "Please choose one answer; opinions take 4,000 characters at most."
    ),
    "used": Words("感谢您的评价", "Thank you"),
    "used_why": Words("我们已经收到。", "We have received your answer."),
    "expired": Words("链接已过期", "This link has expired"),
    "expired_why": Words(
        "如需反映意见，请联系您的供电服务人员。", "To tell us more, please contact your service representative."
    ),
    "unknown": Words("链接无效", "This link is not valid"),
    "unknown_why": Words("请检查链接是否完整。", "Please check that it is complete."),
    "limited": Words("请求过多", "Too many requests"),
    "limited_why": Words("请稍后再试。", "Please try again later."),
    "note": Words(
        "本页不含您的个人信息，请勿在意见中填写身份证号等信息。", "This page holds no personal data; please write none."
    ),
    "other": Words("English", "中文"),
}
RATINGS = ("5", "4", "3", "2", "1")


def render(state: str, language: Language, *, opinion: str = "", again: bool = False) -> str:
    """The page in one state: `open` asks, every other one says how it is."""
    return str(
        _template().render(
            say=lambda key: WORDS[key].say(language),
            css=_css(),
            state=state,
            ratings=RATINGS,
            opinion=opinion,
            again=again,
            tag="en" if language == "en" else "zh-CN",
            other="zh-CN" if language == "en" else "en",
        )
    )


@cache
def policy() -> str:
    """The Content-Security-Policy of the page: its own style sheet and its own form, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'"


@cache
def _css() -> str:
    return (_HERE / "link.css").read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    from mako.template import Template  # a service that nobody asks for a page need not carry it

    text = (_HERE / "link.html").read_text(encoding="utf-8")
    return Template(text, default_filters=["h"], strict_undefined=True)  # noqa: S702 - `h` escapes every expression
