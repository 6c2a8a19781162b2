"""Ways to spoil a right body, found from the schema that its route publishes."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
Schema = dict[str, Any]

JSON_TYPE = "application/json"
LONGEST = 30_000  # characters; more than any text of ours may have, and less than a body may
DEEPEST = 200

_SAMPLES: dict[str, Any] = {
    "string": "text",
    "integer": 5,
    "number": 5.5,
    "boolean": True,
    "array": ["text"],
    "object": {"text": "text"},
    "null": None,
}


class Spoilt(NamedTuple):
    """A request that must be refused: with which status, and pointing where, if a field is at fault."""

    what: str
    content: bytes
    status: int
    pointer: str | None = None
    content_type: str = JSON_TYPE


def spoilt(body: Json, schema: Schema, required: bool) -> Iterator[Spoilt]:
    """Everything that can be wrong with `body`: as a document, as an object, in each of its fields."""
    yield from _unsound(body)
    yield from _no_object(required)
    yield _field("unknown field", {**body, "surprise": 1}, "/surprise")
    yield _field("unknown field with a hard name", {**body, "a/b~c": 1}, "/a~1b~0c")
    yield _field("NUL in a name", {**body, "sur\0prise": 1}, "")
    for name in schema.get("required", ()):
        yield _field(f"{name} missing", {key: value for key, value in body.items() if key != name}, f"/{name}")
    for name, its in schema["properties"].items():
        for what, value, inside in _wrong(its):
            yield _field(f"{name} {what}", {**body, name: value}, f"/{name}{inside}")


def _unsound(body: Json) -> Iterator[Spoilt]:
    good = json.dumps(body).encode()
    yield Spoilt("truncated", good[:-1], 400)
    yield Spoilt("two documents", good + good, 400)
    yield Spoilt("not UTF-8", b'{"surprise": "\xff"}', 400)
    yield Spoilt("UTF-16", json.dumps(body).encode("utf-16"), 400)
    yield Spoilt("surrogate in UTF-8", b'{"surprise": "\xed\xa0\x80"}', 400)
    yield Spoilt("no number", b'{"surprise": NaN}', 400)
    yield Spoilt("a number without end", b'{"surprise": 1e999}', 400)
    yield Spoilt("a raw NUL", b'{"surprise": "\0"}', 400)
    yield Spoilt("lone surrogate in an unknown field", b'{"surprise": "\\ud800"}', 422, "/surprise")
    yield Spoilt("deep", b'{"surprise":' * DEEPEST + b"1" + b"}" * DEEPEST, 422, "")
    yield Spoilt("bottomless", b"[" * 300_000, 422, "")
    yield Spoilt("too large", good[:-1] + b" " * 10_000_000 + b"}", 413)
    for other in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", ""):
        yield Spoilt(f"sent as {other!r}", good, 415, content_type=other)


def _no_object(required: bool) -> Iterator[Spoilt]:
    others: list[Any] = [[], [{}], "text", 5, True]
    for value in others:
        yield _field(f"{value!r} instead of an object", value, "")
    if required:
        yield _field("null instead of an object", None, "")
        yield Spoilt("no body", b"", 422, "")


def _wrong(schema: Schema) -> Iterator[tuple[str, Any, str]]:
    """What a field may not be: a word for it, the value, and where inside it the fault lies."""
    types = types_of(schema)
    for kind in _SAMPLES.keys() - types - ({"integer"} if "number" in types else set()):
        yield f"as {kind}", _SAMPLES[kind], ""
    if "string" in types:
        yield from ((what, value, "") for what, value in _wrong_texts(schema))
    for form in forms_of(schema):
        if form.get("type") == "array":
            items = form["items"]
            yield from ((f"item {what}", [value], f"/0{inside}") for what, value, inside in _wrong(items))
            yield "with too many items", [sample(items)] * (form["maxItems"] + 1), ""


def _wrong_texts(schema: Schema) -> Iterator[tuple[str, str]]:
    yield "with NUL", "te\0xt"
    yield "with a lone surrogate", "te\ud800xt"
    yield "too long", "长" * LONGEST
    yield "empty", ""
    yield "with a control character", "te\x07xt"
    if choices_of(schema):
        yield "unknown code", "no_such_code"
    if "date-time" in formats_of(schema):
        yield "naive", "2026-10-09T09:30:00"
        yield "a day", "2026-10-09"
        yield "no such day", "2026-02-30T09:30:00+08:00"
        yield "out of range", "0001-01-01T00:00:00+08:00"
    if "date" in formats_of(schema):
        yield "an instant", "2026-10-09T09:30:00Z"
        yield "no such day", "2026-02-30"
    if "uuid" in formats_of(schema):
        yield "no UUID", "0192-no-uuid"


def _field(what: str, body: Any, pointer: str) -> Spoilt:
    # ASCII, so that what UTF-8 cannot say travels as an escape.
    return Spoilt(what, json.dumps(body).encode(), 422, pointer)


def forms_of(schema: Schema) -> list[Schema]:
    """The forms a value may take, one by one."""
    forms = schema.get("anyOf") or schema.get("oneOf")
    return [inner for form in forms for inner in forms_of(form)] if forms else [schema]


def types_of(schema: Schema) -> set[str]:
    """The JSON types a value may have."""
    types: set[str] = set()
    for form in forms_of(schema):
        types |= {form["type"]} if "type" in form else {_type(value) for value in choices_of(form)}
    return types


def formats_of(schema: Schema) -> set[str]:
    """The formats a text may have."""
    return {form["format"] for form in forms_of(schema) if "format" in form}


def choices_of(schema: Schema) -> list[Any]:
    """The values to choose from, where there is such a list."""
    return [
        value for form in forms_of(schema) for value in form.get("enum", [form["const"]] if "const" in form else [])
    ]


def sample(schema: Schema) -> Any:
    """A value that the field's own schema allows."""
    choices = choices_of(schema)
    return choices[0] if choices else _SAMPLES[min(types_of(schema) - {"null"})]


def _type(value: object) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"
