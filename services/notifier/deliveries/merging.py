"""What goes to one person, or to one group, goes as one message: who gets what together, and in which words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from notifier.channels.cutting import cut
from notifier.channels.port import Terms
from notifier.channels.providers import MAILBOX
from notifier.deliveries.looking import due_at
from notifier.templates.wording import LISTED, Language, Notice, Text

PLAIN = MAILBOX  # whose words are said where a channel has none of its own


def together(rows: Sequence[Any], terms: Mapping[str, Terms | None]) -> list[tuple[list[Any], Terms]]:
    """Deliveries of one channel, those for one recipient by one account together, or all for one group; of these the
    most pressing first, and the most pressing message first of all."""
    found: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        its = terms[row.handling_unit_code]
        assert its is not None, "without an account it does not get here"
        found[(its.account, None if its.shared else row.recipient)].append(row)
    groups = [sorted(group, key=lambda row: (row.due_at, row.heard)) for group in found.values()]
    its_terms = [(group, terms[group[0].handling_unit_code]) for group in groups]
    by_need = sorted(its_terms, key=lambda each: (each[0][0].due_at, each[0][0].heard))
    return [(group, its) for group, its in by_need if its is not None]


def written(rows: Sequence[Any], channel: str, language: Language, terms: Terms) -> Text:
    """The words of what one recipient, or one group, is told, in as many bytes as the provider takes. Of many, only the
    first are told one by one: as many as there is room for."""
    notices, words = [_notice(row) for row in rows], _worded(channel, language)
    people = f"@{' @'.join(dict.fromkeys(row.recipient for row in rows))}" if terms.shared else ""
    listed = LISTED
    while True:
        text = language.merge(notices, words, listed)
        text = Text(text.subject, f"{people}\n{text.body}") if people else text
        if terms.bytes is None or _size(text) <= terms.bytes:
            return text
        if listed == 1 or len(notices) == 1:
            subject = cut(text.subject, terms.bytes // 2)
            return Text(subject, cut(text.body, terms.bytes - len(subject.encode()) - 1))
        listed //= 2


def _size(text: Text) -> int:
    return len(text.subject.encode()) + 1 + len(text.body.encode())


def _worded(channel: str, language: Language) -> str:
    return channel if any(digest.channel == channel for digest in language.digests) else PLAIN


def _notice(row: Any) -> Notice:
    return Notice(
        event=row.event_type,
        subject_kind=row.subject_kind,
        subject_id=str(row.subject_id),
        number=row.number,
        appeal_type=row.appeal_type,
        milestone=row.milestone,
        due_at=due_at(row),
        step=row.step,
        late=row.late,
        unit=row.handling_unit_code,
        round=row.round,
    )
