"""From what is to be told to its text. Pure; a template that could fail is refused when read, not when used."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from string import Template
from typing import Any, Self

import msgspec

from notifier.civil import wall_text

VARIABLES = frozenset({"matter", "milestone", "due", "step", "late", "unit", "round"})
LISTED = 20  # messages that a digest says in full
DIGEST_VARIABLES = frozenset({"count", "first"})


class BadTemplate(ValueError):
    """A template that names what it is not given, or is missing where one is needed."""


class Text(msgspec.Struct, frozen=True):
    """What a channel is given to send."""

    subject: str
    body: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a template can tell of: codes, numbers and times."""

    event: str  # without its version
    subject_kind: str
    subject_id: str
    number: str | None
    appeal_type: str | None
    milestone: str
    due_at: datetime
    step: str
    late: bool
    unit: str
    round: int


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one event type on one channel."""

    event: str
    channel: str
    subject: str
    body: str


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The text around several messages that go out as one."""

    channel: str
    subject: str
    body: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Words for codes; a code without one is shown as it is."""

    matter: dict[str, str]
    milestone: dict[str, str]
    event: dict[str, str]
    late: str
    more: str  # how a digest that does not say all goes on


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """All texts of one language; `Language.read` gives a checked one."""

    words: Words
    templates: tuple[Wording, ...]
    digests: tuple[Digest, ...]

    @classmethod
    def read(cls, document: Any) -> Self:
        """The texts in a parsed document. Raises `BadTemplate`."""
        try:
            language = msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise BadTemplate(str(error)) from error
        for wording in language.templates:
            _check(wording, VARIABLES)
        for digest in language.digests:
            _check(digest, DIGEST_VARIABLES)
        return language

    def write(self, notice: Notice, channel: str) -> Text:
        """The text of one message. Raises `BadTemplate` where the event has none on that channel."""
        for wording in self.templates:
            if (wording.event, wording.channel) == (notice.event, channel):
                values = self._values(notice)
                return Text(_fill(wording.subject, values), _fill(wording.body, values).strip())
        raise BadTemplate(f"no template for {notice.event} on {channel}")

    def merge(self, notices: Sequence[Notice], channel: str, listed: int = LISTED) -> Text:
        """One text that says what all of `notices` say: the first `listed` of them in full, of the rest how many there
        are of each kind. A single one is left as it is."""
        texts = [self.write(notice, channel) for notice in notices[:listed]]
        if len(notices) == 1:
            return texts[0]
        for digest in self.digests:
            if digest.channel == channel:
                values = {"count": len(notices), "first": texts[0].subject}
                parts = [f"{place}. {text.subject}\n{text.body}" for place, text in enumerate(texts, 1)]
                parts += self._counted(notices[listed:])
                return Text(_fill(digest.subject, values), "\n\n".join([_fill(digest.body, values).strip(), *parts]))
        raise BadTemplate(f"no digest on {channel}")

    def _counted(self, notices: Sequence[Notice]) -> list[str]:
        kinds = Counter((its.event, its.appeal_type or its.subject_kind, its.milestone) for its in notices)
        words = (self.words.event, self.words.matter, self.words.milestone)
        lines = [
            " · ".join(named.get(code, code) for named, code in zip(words, kind, strict=True)) + f": {count}"
            for kind, count in kinds.most_common()
        ]
        return ["\n".join([_fill(self.words.more, {"count": len(notices)}), *lines])] if notices else []

    def _values(self, notice: Notice) -> Mapping[str, object]:
        kind = notice.appeal_type or notice.subject_kind
        return {
            "matter": f"{self.words.matter.get(kind, kind)} {notice.number or notice.subject_id}",
            "milestone": self.words.milestone.get(notice.milestone, notice.milestone),
            "due": wall_text(notice.due_at),
            "step": notice.step,
            "late": self.words.late if notice.late else "",
            "unit": notice.unit,
            "round": notice.round,
        }


def _fill(template: str, values: Mapping[str, object]) -> str:
    return Template(template).substitute(values)


def _check(text: Wording | Digest, variables: frozenset[str]) -> None:
    for part in (text.subject, text.body):
        template = Template(part)
        if not template.is_valid():
            raise BadTemplate(f"{part!r}: a $ that names nothing")
        if unknown := set(template.get_identifiers()) - variables:
            raise BadTemplate(f"{part!r} names {', '.join(sorted(unknown))}, which is not given")
