"""The record of a visit as one page of HTML that needs nothing else: it can be kept as a file, printed, and signed.

The template escapes whatever it is given; the page runs no script and loads nothing, by a policy in its head as well as
in the answer's. A signature drawn on a device stands on it as a picture.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from chassis.web.errors import Language
from visit_api.archive.sections import TITLES
from visit_api.archive.words import Speech
from visit_api.civil import CHINA

if TYPE_CHECKING:
    from mako.template import Template

_HERE = files("visit_api.archive")

# What is shown of the entries of a section, as a table.
_COLUMNS: Mapping[str, Sequence[str]] = {
    "visitors": ("staff_no", "name", "post"),
    "appointments": ("at", "kind", "purpose", "place", "window_from", "window_to", "reason"),
    "hand_overs": ("at", "from_visitors", "to_visitors", "reason"),
    "obligations": ("called_at", "kind", "state", "discharged_at", "words"),
    "checklist": ("item", "answer", "note", "answered_by"),
    "steps": ("at", "kind", "content", "recorded_by"),
    "online": ("received_at", "question", "answer", "answered_by"),
    "devices": ("at", "kind", "device", "brought_by", "outcome", "keep", "reason", "body"),
    "appeals": ("appeal_no", "type", "summary", "received_at", "state", "outcome", "satisfaction"),
    "attachments": ("name", "kind", "size", "sha256"),
    "gaps": ("clause", "what", "reason", "given_by"),
}
_FACTS = ("channel", "form", "direction", "state", "scheduled_at", "arrived_at", "started_at", "completed_at")
_OF_CUSTOMER = ("name", "kind", "customer_no", "accounts", "importance")
_DOCUMENTS = ("usage_analysis", "solution_proposal", "plan_document")


class Signature(NamedTuple):
    """A picture of what the customer drew, None where its file is missing, and when it was stored."""

    media_type: str
    data: bytes | None
    at: str

    @property
    def source(self) -> str | None:
        """As the page holds it."""
        return None if self.data is None else f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


class Table(NamedTuple):
    """A section as it is shown."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def render(archive: Mapping[str, Any], signatures: Sequence[Signature], language: Language) -> str:
    """The page of what is archived, `record` and `supplements`; or of a visit as it stands, whose record has no
    `entered_at`."""
    say, entry = Speech(language), archive["record"]
    record = entry["record"]
    return str(
        _template().render(
            say=say,
            css=_css(),
            policy=policy(),
            entry=entry,
            visit=record["visit"],
            facts=_facts(say, record["visit"], _FACTS),
            customer=_facts(say, record["customer"], _OF_CUSTOMER),
            documents=[(say(name), text) for name in _DOCUMENTS if (text := record["preparation"].get(name))],
            tables=tables(say, record),
            supplements=[(each, tables(say, each["record"])) for each in archive["supplements"]],
            hold=archive["hold"],
            signatures=signatures,
            instant=_instant,
        )
    )


@cache
def policy() -> str:
    """The Content-Security-Policy of the page: its own style sheet, the signatures in it, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    own = f"style-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def tables(say: Speech, record: Mapping[str, Any]) -> list[Table]:
    """The sections of a record that are lists, in the order of the contents."""
    shown = [section for section in TITLES if section in record.keys() & _COLUMNS]
    found = [(section, _COLUMNS[section], _entries(section, record[section])) for section in shown]
    return [
        Table(
            say.title(section),
            [say(column) for column in columns],
            [[_cell(say, column, each.get(column)) for column in columns] for each in entries],
        )
        for section, columns, entries in found
    ]


def _entries(section: str, its: Any) -> Any:
    """The entries of a section, each of which is a row: of online service what was asked, and of what a device brought
    also what was decided of it, and what it said where that corrected nothing any more."""
    if section == "online":
        return its.get("inquiries", ())
    if section == "devices":
        return [
            {**(each["conflict"] or {}), **(each["conflict"] or {}).get("device_version", {}), **each} for each in its
        ]
    return its


def _facts(say: Speech, of: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, str]]:
    return [(say(name), _cell(say, name, of[name])) for name in names if of.get(name) not in (None, [])]


def _cell(say: Speech, field: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        inner = ((name, its) for name, its in value.items() if its not in (None, [], {}) and name != "kind")
        return say.pairs((name, _cell(say, name, its)) for name, its in inner)
    if isinstance(value, list):
        return say.several(_cell(say, field, each) for each in value)
    if field.endswith(("_at", "_from", "_to")) or field == "at":
        return _instant(value)
    return say.code(field, value)


def _instant(text: str | datetime) -> str:
    instant = datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M}"


@cache
def _css() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    from mako.template import Template  # a service that nobody asks for a page need not carry it

    text = (_HERE / "page.html").read_text(encoding="utf-8")
    return Template(text, default_filters=["h"], strict_undefined=True)  # noqa: S702 - `h` escapes every expression
