"""Imports at the edge."""

from uuid import UUID

from chassis.web.schemas import Instant, View


class ImportView(View):
    """A file and how far it was read: of `size` bytes `position`, of its lines `read`; those are `stored` (new, or
    with other content than before), the `same` as is stored already, or `bad`."""

    id: UUID
    unit_code: str
    source: str
    kind: str
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
    `not_text`, `masked`, `taken` (the customer is another unit's) or `removed` (it is out of use here). `field` is
    empty where it is the whole line."""

    line: int
    field: str
    reason: str
