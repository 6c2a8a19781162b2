"""From what is to be told to its text. Pure; a template that could fail is refused when saved, and one that fails all
the same gives way to a plain text, and is told of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec

from notifier.civil import wall_text
from notifier.templates import sandbox
from notifier.templates.sandbox import BadTemplate

VARIABLES = frozenset({"matter", "milestone", "due", "step", "late", "unit", "round", "event"})
DIGEST_VARIABLES = frozenset({"count", "first"})
ANY = "*"  # of an event that has no text of its own
DIGEST = "digest"  # the text around several messages that go out as one
BASE = "mailbox"  # whose texts a channel goes by that has none of its own
LISTED = 20  # messages that a digest says in full
CUSTOMERS = "customer:"  # before the event of a text that is for customers alone

# What a customer is told of can be rated by a link, which is asked for when it is sent: until then, and in all that is
# stored, there is this in its place. The code is the end of the link, for a provider that has the rest in its text.
LINKS: Mapping[str, str] = {"link": "{link}", "link_code": "{link_code}"}
LINKED = frozenset({f"{CUSTOMERS}appeal.answered", f"{CUSTOMERS}appeal.callback_asked"})
LONGEST_LINK = 300  # bytes


def variables(event: str) -> frozenset[str]:
    """What a template of an event is given."""
    if event.removeprefix(CUSTOMERS) == DIGEST:
        return DIGEST_VARIABLES
    return VARIABLES | LINKS.keys() if event in LINKED else VARIABLES


def can_be_linked(event: str, *, customer: bool) -> bool:
    """Whether the text of an event may bear a link."""
    return customer and f"{CUSTOMERS}{event}" in LINKED


def bears_link(*parts: str) -> bool:
    """Whether a link is still to be filled into any of `parts`."""
    return any(place in part for part in parts for place in LINKS.values())


def with_link(part: str, url: str) -> str:
    """`part` with a link in its place."""
    return part.replace(LINKS["link"], url).replace(LINKS["link_code"], url.rpartition("/")[2])


def names(event: str, *, customer: bool) -> list[str]:
    """Under which names the text of an event is looked for, in turn: those for customers first, where it is for one."""
    its = [DIGEST] if event == DIGEST else [event, ANY]
    return [*(f"{CUSTOMERS}{name}" for name in its), *its] if customer else its


class Text(msgspec.Struct, frozen=True):
    """What a channel is given to send; `params` is what filled it, for a provider with texts of its own."""

    subject: str
    body: str
    params: Mapping[str, str] = {}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a template can tell of: codes, numbers and times."""

    event: str  # without its version
    subject_kind: str
    subject_id: str
    number: str | None
    appeal_type: str | None
    milestone: str | None
    due_at: datetime | None
    step: str | None
    late: bool
    unit: str
    round: int
    late_arrival: bool = False
    kind: str | None = None  # of a callback
    customer: bool = False  # whom it is for


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one event type on one channel, in force as `version`."""

    event: str
    channel: str
    subject: str
    body: str
    version: int = 1

    @property
    def label(self) -> str:
        return f"{self.event}.{self.channel}@{self.version}"

    def check(self) -> None:
        """Raises `BadTemplate` where it could fail."""
        for part in (self.subject, self.body):
            sandbox.check(part, variables(self.event), LINKS.keys())

    def fill(self, values: Mapping[str, object]) -> Text:
        """The text. Raises whatever filling it raises."""
        subject, body = (sandbox.fill(part, values).strip() for part in (self.subject, self.body))
        return Text(subject, body, _params(values))


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Words for codes; a code without one is shown as it is."""

    matter: dict[str, str]
    milestone: dict[str, str]
    event: dict[str, str]
    late: str
    late_arrival: str
    more: str  # how a digest that does not say all goes on; `{count}` is how many it does not say

    def values(self, notice: Notice) -> Mapping[str, object]:
        """What a template is filled with."""
        kind, event = notice.appeal_type or notice.subject_kind, self._event(notice)
        links = LINKS if can_be_linked(notice.event, customer=notice.customer) else {}
        return {
            "matter": f"{self.matter.get(kind, kind)} {notice.number or notice.subject_id}",
            "event": self.event.get(event, event),
            "milestone": self.milestone.get(notice.milestone or "", notice.milestone or ""),
            "due": wall_text(notice.due_at) if notice.due_at else "",
            "step": notice.step or "",
            "late": self.late_arrival if notice.late_arrival else self.late if notice.late else "",
            "unit": notice.unit,
            "round": notice.round,
            **links,
        }

    def plain(self, notice: Notice) -> Text:
        """A text that no template is needed for."""
        values = self.values(notice)
        its = [str(values[name]) for name in ("event", "matter", "milestone", "due", "late") if values[name]]
        return Text(" · ".join(its[:2]), " · ".join(its), _params(values))

    def counted(self, notices: Sequence[Notice]) -> str:
        """How many there are of each kind."""
        kinds = Counter((self._event(its), its.appeal_type or its.subject_kind, its.milestone or "") for its in notices)
        words = (self.event, self.matter, self.milestone)
        lines = [
            " · ".join(named.get(code, code) for named, code in zip(words, kind, strict=True) if code) + f": {count}"
            for kind, count in kinds.most_common()
        ]
        return "\n".join([self.more.format(count=len(notices)), *lines])

    def _event(self, notice: Notice) -> str:
        """Under which code the event has its word: some kinds have one of their own, which is not for customers."""
        its = f"{notice.event}:{notice.kind}"
        return its if its in self.event and not notice.customer else notice.event


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shipped of one language."""

    words: Words
    templates: tuple[Wording, ...]

    @classmethod
    def read(cls, document: Any) -> Self:
        """The texts in a parsed document, not checked. Raises `BadTemplate`."""
        try:
            return msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise BadTemplate("document", str(error)) from error


class Book:
    """The texts in force in one language. `failed` keeps which of them failed."""

    def __init__(self, words: Words, wordings: Sequence[Wording]) -> None:
        self._words = words
        self._wordings = {(wording.event, wording.channel): wording for wording in wordings}
        self.failed: list[str] = []

    def write(self, notice: Notice, channel: str) -> Text:
        """The text of one message; a plain one where there is none, or it fails."""
        wording = self._find(notice.event, channel, customer=notice.customer)
        return self._filled(wording, self._words.values(notice)) or self._words.plain(notice)

    def merge(self, notices: Sequence[Notice], channel: str, listed: int = LISTED) -> Text:
        """One text that says what all of `notices` say: the first `listed` of them in full, of the rest how many there
        are of each kind. A single one is left as it is."""
        texts = [self.write(notice, channel) for notice in notices[:listed]]
        if len(notices) == 1:
            return texts[0]
        values: dict[str, object] = {"count": len(notices), "first": texts[0].subject}
        head = self._filled(self._find(DIGEST, channel, customer=notices[0].customer), values) or Text(
            f"{len(notices)}: {texts[0].subject}", "", _params(values)
        )
        parts = [f"{place}. {text.subject}\n{text.body}" for place, text in enumerate(texts, 1)]
        parts += [self._words.counted(notices[listed:])] if len(notices) > listed else []
        return Text(head.subject, "\n\n".join([head.body, *parts]).strip(), head.params)

    def _find(self, event: str, channel: str, *, customer: bool) -> Wording | None:
        keys = [(name, its) for name in names(event, customer=customer) for its in (channel, BASE)]
        return next((self._wordings[key] for key in keys if key in self._wordings), None)

    def _filled(self, wording: Wording | None, values: Mapping[str, object]) -> Text | None:
        if wording is None:
            return None
        try:
            return wording.fill(values)
        except Exception:  # noqa: BLE001 - whatever it is, people are told all the same
            self.failed.append(wording.label)
            return None


def _params(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
