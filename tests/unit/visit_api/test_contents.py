"""What of a step can be counted, and tells nothing that anybody said."""

from collections.abc import Iterator
from typing import Any

import pytest

from visit_api.steps.contents import KINDS, WORDS, coded

CODED = {"owner"}  # who of the staff, by number


def texts(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """The names of the fields in which somebody can write what they like."""
    for name, field in schema.get("properties", {}).items():
        for its in (field, field.get("items", {}), *field.get("anyOf", ())):
            if "$ref" in its:
                yield from texts(definitions[its["$ref"].rpartition("/")[2]], definitions)
            if its.get("type") == "string" and not its.keys() & {"enum", "const", "format"}:
                yield name


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_in_which_people_write_is_taken_out(kind: str) -> None:
    schema = KINDS[kind].model_json_schema()
    assert set(texts(schema, schema.get("$defs", {}))) <= WORDS | CODED


def test_codes_stay() -> None:
    content = {
        "kind": "needs",
        "needs": [{"category": "connection", "description": "张家"}, {"category": "other", "description": "李家"}],
    }
    assert coded(content) == {"kind": "needs", "needs": [{"category": "connection"}, {"category": "other"}]}
    outcome = {"result": "done", "on": "2026-11-20", "note": "已办"}
    strategy = {"kind": "strategy", "proposal": "增容", "owner": "E1", "due_on": None, "outcome": outcome}
    left = {"kind": "strategy", "owner": "E1", "due_on": None, "outcome": {"result": "done", "on": "2026-11-20"}}
    assert coded(strategy) == left
