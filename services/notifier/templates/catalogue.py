"""The texts shipped with the service, read and checked once."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from notifier.templates.wording import BadTemplate, Language

LANGUAGES = ("zh-CN", "en")
LanguageCode = Literal["zh-CN", "en"]


@cache
def language(code: LanguageCode) -> Language:
    """All texts of a language."""
    document = files("notifier.templates").joinpath("data", f"{code}.yaml").read_text(encoding="utf-8")
    return Language.read(yaml.safe_load(document))


def check(events: Iterable[str], channels: Iterable[str]) -> None:
    """Raises `BadTemplate` unless every language has a text for each of `events` on each of `channels`."""
    wanted = {(event, channel) for event in events for channel in channels}
    for code in LANGUAGES:
        there = {(wording.event, wording.channel) for wording in language(code).templates}
        digests = {digest.channel for digest in language(code).digests}
        if missing := wanted - there:
            raise BadTemplate(f"{code} lacks {sorted(missing)}")
        if silent := {channel for _, channel in wanted} - digests:
            raise BadTemplate(f"{code} lacks digests for {sorted(silent)}")
