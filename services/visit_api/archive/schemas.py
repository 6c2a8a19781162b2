"""The archive at the edge."""

from typing import Any
from uuid import UUID

from chassis.web.schemas import Instant, View


class Section(View):
    """A line of a table of contents."""

    section: str
    title: str
    clause: str
    entries: int


class EntryView(View):
    """What was entered on a visit: its record, or a supplement; `entered_by` is null where no member of staff acted."""

    id: UUID
    visit_id: UUID
    unit_code: str
    kind: str
    contents: list[Section]
    entered_at: Instant
    entered_by: str | None


class FullEntryView(EntryView):
    """An entry with what it holds."""

    record: dict[str, Any]


class ArchiveView(View):
    """All that is archived of a visit."""

    record: FullEntryView
    supplements: list[FullEntryView]
