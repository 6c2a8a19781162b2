"""Imports at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from chassis.web.schemas import Body, Instant, OneOf, View
from visit_api.imports.mapping import SOURCES, SourceName
from visit_api.imports.ownership import FIELDS


class ImportView(View):
    """A file of some `thing` and how far it was read: of `size` bytes `position`, of its lines `read`; those are
    `stored` (new, or with other content than before), the `same` as is stored already, or `bad`. Units are counted when
    all were read. `ignored` are columns that its source does not have, 50 at most: nothing is taken of them."""

    id: UUID
    unit_code: str
    thing: str
    source: str
    kind: str
    roles: list[str]
    format: str
    encoding: str
    ignored: list[str]
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
    `too_long`, `unknown_code`, `bad_number`, `duplicate`, `bad_encoding`, `bad_line`, `odd_quote` (a
    quotation mark without another on its line; in a quoted cell a mark of inches is doubled), `control_character`,
    `not_text`, `masked`, `bad_code`, `bad_email`, `taken` (it is another unit's, or another company's), `removed` (it
    is out of use here), `ambiguous` (several customers have the number), `unknown_parent` or `cycle` (of units),
    `merged_unit` or `merged_parent` (that unit merged into another, and takes nothing new), `refused` (by the
    database). `field` is empty where it is the whole line. Of an import that failed the line 0 says why: `file_lost`
    (send it again), or `broken` (a fault of the service, of which its log says more)."""

    line: int
    field: str
    reason: str


class FieldRule(Body):
    """Which systems are believed first of a field, best first."""

    field: Annotated[str, OneOf(FIELDS)]
    sources: Annotated[list[SourceName], Field(min_length=1, max_length=len(SOURCES))]


def _each_once(rules: list[FieldRule]) -> list[FieldRule]:
    if len({rule.field for rule in rules}) < len(rules):
        raise PydanticCustomError("twice", "A field is named twice", {"zh": "同一字段出现多次"})
    return rules


class SourceRules(Body):
    """Which system's word counts, field by field; of a field that is not named, that of the system that owns the
    customer number: the one that sent it first."""

    fields: Annotated[list[FieldRule], Field(max_length=len(FIELDS)), AfterValidator(_each_once)]


class FieldRuleView(View):
    """Which systems are believed first of a field."""

    field: str
    sources: list[str]


class SourceRulesView(View):
    """What counts in a unit; `decided_by` is null for what is shipped."""

    unit_code: str
    decided_by: str | None
    edition: int
    fields: list[FieldRuleView]


class SaidView(View):
    """What a system says of a customer of whom several speak, what is personal masked unless it was asked for with a
    reason; `counts` are the fields of which its word counts."""

    source: str
    source_no: str
    owns: bool
    said: dict[str, str]
    counts: list[str]
    updated_at: Instant


class SaidByAll(View):
    """What each system says; none where but one speaks of the customer."""

    sources: list[SaidView]
