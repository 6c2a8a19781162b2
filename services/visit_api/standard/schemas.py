"""The codes of the standard at the edge."""

from collections.abc import Sequence
from typing import Self

from chassis.web.errors import Words
from chassis.web.schemas import View
from visit_api.standard import checklists, contents


class WordsView(View):
    """What is said, in Chinese and in English."""

    zh: str
    en: str


class CodeView(View):
    """A code, and what it stands for."""

    code: str
    words: WordsView


class StandardItemView(CodeView):
    """An item of a checklist, and the clause that it answers to."""

    clause: str
    channels: list[str]


class StandardView(View):
    """The codes that steps and materials take, by the clause that lists them, and the checklists."""

    needs: list[CodeView]
    policies: list[CodeView]
    services: list[CodeView]
    topics: list[CodeView]
    interest: list[CodeView]
    traits: list[CodeView]
    industries: list[CodeView]
    checklists: dict[str, list[StandardItemView]]

    @classmethod
    def shipped(cls) -> Self:
        """What comes with the service."""
        return cls(
            needs=_codes(contents.NEEDS),
            policies=_codes(contents.POLICIES),
            services=_codes(contents.SERVICES),
            topics=_codes(contents.TOPICS),
            interest=_codes(contents.INTEREST),
            traits=_codes(contents.TRAITS),
            industries=_codes(contents.INDUSTRIES),
            checklists={name: _items(sheet) for name, sheet in checklists.SHEETS.items()},
        )


def words(words: Words) -> WordsView:
    """Both languages at once: a device shows either without asking again."""
    return WordsView(zh=words.zh, en=words.en)


def _codes(codes: contents.Codes) -> list[CodeView]:
    return [CodeView(code=code, words=words(its)) for code, its in codes.items()]


def _items(sheet: Sequence[checklists.Item]) -> list[StandardItemView]:
    return [
        StandardItemView(code=item.code, words=words(item.words), clause=item.clause, channels=sorted(item.channels))
        for item in sheet
    ]
