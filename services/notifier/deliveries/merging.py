"""What goes to one person goes as one message: who gets what together, and in which words."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from notifier.deliveries.looking import due_at
from notifier.templates.wording import Language, Notice, Text


def by_recipient(rows: Sequence[Any]) -> list[list[Any]]:
    """Deliveries of one channel, those for one recipient together, and of these the most pressing first."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.recipient].append(row)
    return [sorted(its, key=lambda row: (row.due_at, row.heard)) for its in found.values()]


def written(rows: Sequence[Any], channel: str, language: Language) -> Text:
    """The words of what one recipient is told. Of many, only the first are told one by one."""
    return language.merge([_notice(row) for row in rows], channel)


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
