"""Imports at the edge."""

from uuid import UUID

from chassis.web.schemas import Instant, View


class ImportView(View):
    """A file of some `thing` and how far it was read: of `size` bytes `position`, of its lines `read`; those are
    `stored` (new, or with other content than before), the `same` as is stored already, or `bad`. Units are counted when
    all were read."""

    id: UUID
    unit_code: str
    thing: str
    source: str
    kind: str
    roles: list[str]
    format: str
    encoding: str
    size: int
    sha256: str
    state: str
    position: int
    read: int
    stored: int
    same: int
    bad: int
    received_at: Instant
    received_by: str
    ended_at: Instant | None
    updated_at: Instant


class FaultView(View):
    """A line that was not taken, by its number (the first after a CSV's head is 1): which column, and why: `missing`,
    `too_long`, `unknown_code`, `bad_number`, `duplicate`, `bad_encoding`, `bad_line`, `control_character`,
    `not_text`, `masked`, `bad_code`, `bad_email`, `taken` (it is another unit's), `removed` (it is out of use here),
    `refused` (by the database), `unknown_parent` or `cycle` (of units). `field` is empty where it is the whole line."""

    line: int
    field: str
    reason: str
