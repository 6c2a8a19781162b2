"""Writes what others read: `schemas/<type>.json` (JSON Schema 2020-12) and `asyncapi.yaml` (AsyncAPI 3.0).

`python -m contracts.generate` writes, with `--check` it only compares and exits 1 naming every stale file.
"""

import argparse
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from contracts import EVENTS
from contracts.envelope import CONTENT_TYPE, SPEC_VERSION, Event, encode_payload
from contracts.examples import EXAMPLES
from contracts.topics import TOPICS, Topic, dead_letter

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
ASYNCAPI = HERE / "asyncapi.yaml"

Schema = dict[str, Any]
DAY_MS = 24 * 60 * 60 * 1000


def schema(event: type[Event]) -> Schema:
    """JSON Schema of one payload; `x-topic`, `x-key` and `x-subject` say where it travels (of a tombstone: null)."""
    _, shapes = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    shape = {"type": "null", "title": event.__name__} if event.tombstone else shapes.pop(event.__name__)
    shape["description"] = inspect.getdoc(event)
    place = {"x-topic": event.topic, "x-key": event.key_field, "x-subject": event.subject_field}
    examples = [json.loads(encode_payload(example) or b"null") for example in EXAMPLES if type(example) is event]
    nested = {} if event.tombstone or not shapes else {"$defs": shapes}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **place,
        **shape,
        **nested,
        "examples": examples,
    }


def schemas() -> dict[str, Schema]:
    """The schema of every event, by event type."""
    return {event.type: schema(event) for event in sorted(EVENTS, key=lambda event: event.type)}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document: a channel per topic, an operation per service and topic, a message per event."""
    events = sorted(EVENTS, key=lambda event: event.type)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "customer-visit",
            "version": "1",
            "license": {"name": "Apache-2.0"},
            "description": "CloudEvents 1.0 in binary mode. Delivery is at least once, order holds within a record key."
            " Unknown fields are to be ignored, unknown values of a code to be kept as text.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic, events) for topic in TOPICS.values()},
        "operations": {
            f"{service}.{action}.{topic.name}": {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}}
            for topic in TOPICS.values()
            for action, services in (("send", (topic.writer,)), ("receive", topic.hearers))
            for service in services
        },
        "components": {
            "messages": {event.type: _message(event) for event in events},
            "schemas": {"headers": _headers()},
        },
    }


def _channel(topic: Topic, events: list[type[Event]]) -> dict[str, Any]:
    age = "delete.retention.ms" if topic.compacted else "retention.ms"
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer}; what a hearer cannot apply goes to {dead_letter(topic.name)}.",
        "messages": {
            event.type: {"$ref": f"#/components/messages/{event.type}"} for event in events if event.topic == topic.name
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    age: topic.retention_days * DAY_MS,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(event: type[Event]) -> dict[str, Any]:
    fallback = "" if event.key_field == event.subject_field else f", or {event.subject_field} where it is null"
    key = {"type": "string", "format": "uuid", "description": event.key_field + fallback}
    return {
        "name": event.type,
        "title": event.__name__,
        "description": inspect.getdoc(event),
        "contentType": CONTENT_TYPE,
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/headers"},
                {"type": "object", "properties": {"ce_type": {"const": event.type}}},
            ]
        },
        "payload": {"$ref": f"./{SCHEMAS.name}/{event.type}.json"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _headers() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": {"type": "string", "format": "uuid", "description": "the same each time the event is delivered"},
            "ce_type": text | {"description": "noun.verb.vN"},
            "ce_source": text | {"description": "the writing service", "examples": ["/visit_api"]},
            "ce_subject": text | {"description": "id of what the event is about"},
            "ce_time": {"type": "string", "format": "date-time", "description": "when the fact was stored"},
            "content-type": {"const": CONTENT_TYPE},
            "traceparent": text | {"description": "W3C Trace Context"},
        },
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"],
    }


def files() -> dict[Path, str]:
    """Every generated file and its text, the same bytes on every run."""
    texts = {
        SCHEMAS / f"{name}.json": json.dumps(shape, indent=2, ensure_ascii=False) + "\n"
        for name, shape in schemas().items()
    }
    header = "# Generated by python -m contracts.generate; change the classes in contracts/ instead.\n"
    return texts | {ASYNCAPI: header + yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)}


def stale(texts: dict[Path, str]) -> list[Path]:
    """The generated files that are missing, differ from `texts`, or no longer belong to an event."""
    changed = [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
    return changed + sorted(path for path in SCHEMAS.glob("*.json") if path not in texts)


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which are stale; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    check = parser.parse_args(arguments).check
    texts = files()
    outdated = stale(texts)
    if check:
        if outdated:
            names = ", ".join(str(path.relative_to(HERE.parent)) for path in outdated)
            sys.stderr.write(f"stale: {names}\nTo mend it, run: python -m contracts.generate\n")
        return 1 if outdated else 0
    for path in outdated:
        if path in texts:
            path.parent.mkdir(exist_ok=True)
            path.write_text(texts[path], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
