"""Documents that are read by the decoder itself: their JSON schema, and where one is wrong, as a pointer (RFC 6901)."""

import re
from typing import Any

import msgspec

# What a pattern of these documents ends with: in Python $ alone would let a line feed follow.
END = r"$(?!\n)"
# One line of text.
LINE = rf"^[^\x00-\x1f\x7f-\x9f]*{END}"

_PLACED = re.compile(r"(?P<fault>.*?)(?: - at (?:key in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"(Object (?:missing required|contains unknown) field) `(.*)`", re.DOTALL)


def locate(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a decoder's error into a pointer and what is wrong there: ("/days/3/date", "Invalid RFC3339 date").

    A field that is missing or unknown is pointed at as if it were there; a value is not repeated.
    """
    split = _PLACED.fullmatch(str(error))
    assert split is not None, "every text is a fault without a place"
    fault, path = split["fault"], split["path"] or ""
    pointer = re.sub(r"[.\[]", "/", path).replace("]", "")
    if field := _FIELD.fullmatch(fault):
        return f"{pointer}/{field[2][:100].replace('~', '~0').replace('/', '~1')}", field[1]
    return pointer, "Invalid enum value" if fault.startswith("Invalid enum value") else fault


def schema_of(form: type) -> dict[str, Any]:
    """The JSON schema of a form, with what it refers to in its place; the form must not contain itself."""
    document = msgspec.json.schema(form)
    inner = document.pop("$defs")

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(each) for each in node]
        if not isinstance(node, dict):
            return node
        named = inner[node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
        its = {key: inlined(value) for key, value in {**named, **node}.items() if key != "$ref"}
        if isinstance(text := its.get("description"), str):
            its["description"] = " ".join(text.split())
        return its

    schema: dict[str, Any] = inlined(document)
    return schema
