"""What goes to one person, or to one group, goes as one message: who gets what together, and in which words."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from notifier.channels.cutting import cut
from notifier.channels.port import Code, Terms
from notifier.deliveries.looking import due_at
from notifier.directory.contacts import CUSTOMER
from notifier.templates import wording
from notifier.templates.wording import DIGEST, LINKED, LINKS, LISTED, LONGEST_LINK, Book, Notice, Text


def together(rows: Sequence[Any], terms: Mapping[str, Terms | None]) -> list[tuple[list[Any], Terms]]:
    """Deliveries of one channel, those for one recipient by one account together, or all for one group; of these the
    most pressing first, and the most pressing message first of all. By an account that says only what it has a code
    for, and has none for several, each goes alone; and what may bear a link, by the appeal that it is about."""
    found: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        its = terms[row.handling_unit_code]
        assert its is not None, "without an account it does not get here"
        alone = None if _has_words_for_several(row, its) else row.id
        linked = row.subject_id if wording.can_be_linked(row.event_type, customer=_is_customer(row)) else None
        found[(its.account, None if its.calls else row.recipient, alone, linked)].append(row)
    groups = [sorted(group, key=_need) for group in found.values()]
    its_terms = [(group, terms[group[0].handling_unit_code]) for group in groups]
    by_need = sorted(its_terms, key=lambda each: _need(each[0][0]))
    return [(group, its) for group, its in by_need if its is not None]


def may_wait(row: Any, terms: Terms) -> bool:
    """Whether what follows on `row` may be said together with it, to that one person."""
    return not terms.calls and not _is_customer(row) and _has_words_for_several(row, terms)


def written(rows: Sequence[Any], channel: str, book: Book, terms: Terms) -> Text:
    """The words of what one recipient, or one group, is told, in as many bytes as the provider takes. Of many, only the
    first are told one by one: as many as there is room for."""
    notices = [_notice(row) for row in rows]
    people = _called(dict.fromkeys(row.recipient for row in rows), terms) if terms.calls else ""
    listed = LISTED
    while True:
        text = book.merge(notices, channel, listed)
        text = msgspec.structs.replace(text, body=f"{people}\n{text.body}") if people else text
        if terms.bytes is None or _size(text) <= terms.bytes:
            return text
        if listed == 1 or len(notices) == 1:
            return _cut(text, terms.bytes)
        listed //= 2


def _called(names: Iterable[str], terms: Terms) -> str:
    """The first of `names` as they are called on there, in half the bytes at most: a name is never cut."""
    called, room = list[str](), (terms.bytes or sys.maxsize) // 2
    for name in names:
        call = terms.calls.format(name)
        room -= len(call.encode()) + 1
        if room < 0:
            break
        called.append(call)
    return " ".join(called)


def code_of(rows: Sequence[Any], terms: Terms) -> Code | None:
    """Under which code the account's provider has the words for `rows`, where it has one."""
    name = DIGEST if len(rows) > 1 else rows[0].event_type
    names = wording.names(name, customer=_is_customer(rows[0]))
    return next((terms.codes[name] for name in names if name in terms.codes), None)


def coded(rows: Sequence[Any], text: Text, terms: Terms) -> tuple[str | None, Mapping[str, str]]:
    """The code under which the account's provider has the words for `rows`, and what fills it; where it has one."""
    if (its := code_of(rows, terms)) is None:
        return None, {}
    linked = its.event_type in LINKED  # what is for staff, too, knows nothing of links
    return its.code, its.filled({name: value for name, value in text.params.items() if linked or name not in LINKS})


def _has_words_for_several(row: Any, terms: Terms) -> bool:
    return not terms.coded or bool(terms.codes.keys() & {*wording.names(DIGEST, customer=_is_customer(row))})


def _need(row: Any) -> tuple[datetime, int]:
    return row.due_at or row.at, row.heard


def _is_customer(row: Any) -> bool:
    return bool(row.recipient_kind == CUSTOMER)


def _size(text: Text) -> int:
    links = LONGEST_LINK * sum(part.count(place) for part in (text.subject, text.body) for place in LINKS.values())
    return len(text.subject.encode()) + 1 + len(text.body.encode()) + links


def _cut(text: Text, most: int) -> Text:
    """`text` in so many bytes; a link is never cut, and comes at the end."""
    subject = cut(text.subject, most // 2)
    link = LINKS["link"] if LINKS["link"] in text.body else ""
    room = most - len(subject.encode()) - 1 - (LONGEST_LINK + len(link) + 1 if link else 0)
    body = f"{cut(text.body.replace(link, '').rstrip(), room)} {link}" if link else cut(text.body, room)
    return msgspec.structs.replace(text, subject=subject, body=body)


def _notice(row: Any) -> Notice:
    return Notice(
        event=row.event_type,
        subject_kind=row.subject_kind,
        subject_id=str(row.subject_id),
        number=row.number,
        appeal_type=row.appeal_type,
        milestone=row.milestone,
        due_at=due_at(row) or row.scheduled_at,
        step=row.step,
        late=row.late,
        late_arrival=row.late_arrival,
        kind=row.kind,
        unit=row.handling_unit_code,
        round=row.round,
        customer=_is_customer(row),
    )
