"""What goes to one person, or to one group, goes as one message: who gets what together, and in which words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from notifier.channels.cutting import cut
from notifier.channels.port import Terms
from notifier.deliveries.looking import due_at
from notifier.templates.wording import ANY, DIGEST, LISTED, Book, Notice, Text


def together(rows: Sequence[Any], terms: Mapping[str, Terms | None]) -> list[tuple[list[Any], Terms]]:
    """Deliveries of one channel, those for one recipient by one account together, or all for one group; of these the
    most pressing first, and the most pressing message first of all. By an account that says only what it has a code
    for, and has none for several, each goes alone."""
    found: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        its = terms[row.handling_unit_code]
        assert its is not None, "without an account it does not get here"
        alone = row.id if its.coded and DIGEST not in its.codes else None  # there are no words for several
        found[(its.account, None if its.shared else row.recipient, alone)].append(row)
    groups = [sorted(group, key=_need) for group in found.values()]
    its_terms = [(group, terms[group[0].handling_unit_code]) for group in groups]
    by_need = sorted(its_terms, key=lambda each: _need(each[0][0]))
    return [(group, its) for group, its in by_need if its is not None]


def written(rows: Sequence[Any], channel: str, book: Book, terms: Terms) -> Text:
    """The words of what one recipient, or one group, is told, in as many bytes as the provider takes. Of many, only the
    first are told one by one: as many as there is room for."""
    notices = [_notice(row) for row in rows]
    people = f"@{' @'.join(dict.fromkeys(row.recipient for row in rows))}" if terms.shared else ""
    listed = LISTED
    while True:
        text = book.merge(notices, channel, listed)
        text = msgspec.structs.replace(text, body=f"{people}\n{text.body}") if people else text
        if terms.bytes is None or _size(text) <= terms.bytes:
            return text
        if listed == 1 or len(notices) == 1:
            subject = cut(text.subject, terms.bytes // 2)
            body = cut(text.body, terms.bytes - len(subject.encode()) - 1)
            return msgspec.structs.replace(text, subject=subject, body=body)
        listed //= 2


def coded(rows: Sequence[Any], text: Text, terms: Terms) -> tuple[str | None, Mapping[str, str]]:
    """The code under which the account's provider has the words for `rows`, and what fills it; where it has one."""
    code = terms.codes.get(DIGEST if len(rows) > 1 else rows[0].event_type)
    if code is None and len(rows) == 1:
        code = terms.codes.get(ANY)
    return (None, {}) if code is None else (code.code, code.filled(text.params))


def _need(row: Any) -> tuple[datetime, int]:
    return row.due_at or row.at, row.heard


def _size(text: Text) -> int:
    return len(text.subject.encode()) + 1 + len(text.body.encode())


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
