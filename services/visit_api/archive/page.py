"""The record of a visit as one page of HTML that needs nothing else: it can be kept as a file, printed, and signed.

The template escapes whatever it is given; the page runs no script and loads nothing, by a policy in its head as well as
in the answer's. A signature drawn on a device stands on it as a picture.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from chassis.web.errors import Language
from visit_api.archive.contents import contents
from visit_api.archive.words import Speech
from visit_api.civil import CHINA

if TYPE_CHECKING:
    from mako.template import Template

_HERE = files("visit_api.archive")

# What is shown of a section: as facts, each with its name; in whole paragraphs; and of its entries, as tables. Of a
# section that is a list itself the entries are the section's own, or a part of each; else they lie in the part of it
# that is named.
_FACTS: Mapping[str, Sequence[str]] = {
    "visit": ("channel", "form", "direction", "state", "scheduled_at", "arrived_at", "started_at", "completed_at"),
    "service_record": ("started_at", "ended_at", "staff", "content", "flow", "feedback", "result"),
    "customer": ("name", "kind", "customer_no", "accounts", "importance"),
    "preparation": ("prepared_at", "prepared_by"),
}
_DOCUMENTS = ("usage_analysis", "solution_proposal", "plan_document")
# Of what stands in a cell: said beside it, or nothing to a reader.
_UNSAID = frozenset({"kind", "id", "series_id", "supersedes", "customer_id", "plan_item_id"})
_TABLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "service_record": {"anomalies": ("kind", "what", "note")},
    "visitors": {"": ("staff_no", "name", "post")},
    "plan": {"": ("rule", "channel", "form", "due_from", "due_by", "adjusted")},
    "preparation": {"kit": ("thing", "clause", "ready", "works", "note")},
    "appointments": {"": ("at", "kind", "purpose", "place", "window_from", "window_to", "reason")},
    "hand_overs": {"": ("at", "from_visitors", "to_visitors", "reason")},
    "obligations": {"": ("called_at", "kind", "state", "discharged_at", "words")},
    "checklist": {"": ("item", "answer", "note", "answered_by")},
    "steps": {"": ("at", "kind", "content", "recorded_by")},
    "online": {
        "accounts": ("name", "platform", "handle", "staff_no"),
        "inquiries": ("received_at", "question", "answer", "answered_by"),
    },
    "devices": {"": ("at", "kind", "device", "brought_by", "outcome", "keep", "reason", "body")},
    "doubles": {"": ("other_id", "state", "counts", "reason", "decided_at", "decided_by")},
    "appeals": {
        "": ("appeal_no", "type", "summary", "received_at", "state", "outcome", "satisfaction"),
        "handling": ("appeal_no", "round", "contacted_at", "answered_at", "closed_at", "deadlines"),
    },
    "attachments": {"": ("name", "kind", "size", "sha256")},
    "given_up": {"": ("name", "kind", "declared_by", "given_up_at", "given_up_by", "reason")},
    "gaps": {"": ("clause", "what", "reason", "given_by")},
}


class Signature(NamedTuple):
    """A picture of what the customer drew, None where its file is missing or was altered, and when it was stored."""

    media_type: str
    data: bytes | None
    at: str

    @property
    def source(self) -> str | None:
        """As the page holds it."""
        return None if self.data is None else f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


Pairs = Sequence[tuple[str, str]]


class Table(NamedTuple):
    """Entries as they are shown; those of a part of a section have a title of their own."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """A section as it is shown: its facts, its documents in whole paragraphs, its entries."""

    name: str
    title: str
    clause: str
    entries: int
    facts: Pairs
    documents: Pairs
    tables: Sequence[Table]


def render(archive: Mapping[str, Any], signatures: Sequence[Signature], language: Language) -> str:
    """The page of what is archived, `record` and `supplements`; or of a visit as it stands, whose record has no
    `entered_at`."""
    say, entry = Speech(language, _called(archive)), archive["record"]
    record = entry["record"]
    return str(
        _template().render(
            say=say,
            css=_css(),
            policy=policy(),
            entry=entry,
            visit=record["visit"],
            sections=sections(say, record),
            supplements=[(each, sections(say, each["record"])) for each in archive["supplements"]],
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


def sections(say: Speech, record: Mapping[str, Any]) -> list[Section]:
    """All that a record has, in the order of its contents; why there is a supplement stands at its head."""
    return [
        Section(
            name=line["section"],
            title=say.title(line["section"]),
            clause=line["clause"],
            entries=line["entries"],
            facts=_facts(say, line["section"], record[line["section"]]),
            documents=_documents(say, line["section"], record[line["section"]]),
            tables=[*_tables(say, line["section"], record[line["section"]])],
        )
        for line in contents(record)
        if line["section"] != "told"
    ]


def _called(archive: Mapping[str, Any]) -> Mapping[str, str]:
    """Appeals by their number, and files that have not come by their name."""
    records = [each["record"] for each in (archive["record"], *archive["supplements"])]
    numbers = {each["id"]: each["appeal_no"] for record in records for each in record.get("appeals", ())}
    waiting = (gap for record in records for gap in record.get("gaps", ()) if gap.get("attachment_id"))
    return numbers | {gap["attachment_id"]: gap["name"] for gap in waiting}


def _facts(say: Speech, section: str, its: Any) -> Pairs:
    names = _FACTS.get(section, ())
    return [(say(name), _cell(say, name, its[name])) for name in names if its.get(name) not in (None, [])]


def _documents(say: Speech, section: str, its: Any) -> Pairs:
    names = _DOCUMENTS if section == "preparation" else ()
    return [(say(name), text) for name in names if (text := its.get(name))]


def _tables(say: Speech, section: str, its: Any) -> Iterator[Table]:
    for part, columns in _TABLES.get(section, {}).items():
        entries = [_as_row(section, each) for each in _entries(its, part, columns)]
        if entries or not part:
            rows = [[_cell(say, column, each.get(column)) for column in columns] for each in entries]
            yield Table(say(f"{section}.{part}") if part else "", [say(column) for column in columns], rows)


def _entries(its: Any, part: str, columns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    if isinstance(its, list):  # a part of each: what an earlier version entered may have none
        return [each for each in its if columns[-1] in each] if part else its
    found: Sequence[Mapping[str, Any]] = its.get(part, ())
    return found


def _as_row(section: str, each: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is shown of an entry: of a device in the kit whether it works; and of what a device brought also what was
    decided of it, and what it said where that corrected nothing any more."""
    if section == "preparation":
        checked = "works" if each.get("device") else "ready"
        return {"thing": each["item"], "clause": each["clause"], checked: each["ready"], "note": each["note"]}
    if section == "devices":
        conflict = each["conflict"] or {}
        return {**conflict, **conflict.get("device_version", {}), **each}
    return each


def _cell(say: Speech, field: str, value: Any) -> str:
    if value is None:
        return ""
    if field == "flow":
        return say.pairs((say.code("act", each["act"]), _instant(each["at"])) for each in value)
    if isinstance(value, Mapping):
        inner = ((name, its) for name, its in value.items() if its not in (None, [], {}) and name not in _UNSAID)
        return say.pairs((name, _cell(say, name, its)) for name, its in inner)
    if isinstance(value, list):
        return say.several(_cell(say, field, each) for each in value)
    if field == "due_at":
        return _due(value)
    if field.endswith(("_at", "window_from", "window_to")) or field == "at":
        return _instant(value)
    return say.code(field, value)


def _instant(text: str | datetime) -> str:
    instant = datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _due(text: str) -> str:
    """A deadline as it is written on paper: the end of a day is its 24:00."""
    local = datetime.fromisoformat(text).astimezone(CHINA)
    return f"{local.date() - timedelta(days=1)} 24:00" if local.time() == time() else _instant(local)


@cache
def _css() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    from mako.template import Template  # a service that nobody asks for a page need not carry it

    text = (_HERE / "page.html").read_text(encoding="utf-8")
    return Template(text, default_filters=["h"], strict_undefined=True)  # noqa: S702 - `h` escapes every expression
