"""The committed schemas and the AsyncAPI document say what the classes say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from contracts import EVENTS, generate
from contracts.envelope import Event, headers
from contracts.examples import EXAMPLES
from contracts.topics import TOPICS

DOCUMENT = yaml.load(generate.ASYNCAPI.read_text("utf-8"), yaml.CSafeLoader)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolve(reference: str) -> Any:
    file, _, pointer = reference.partition("#")
    node = json.loads((generate.HERE / file).read_text("utf-8")) if file else DOCUMENT
    for name in pointer.strip("/").split("/") if pointer else ():
        node = node[name]
    return node


@pytest.mark.parametrize(("seed", "zone"), [("1", "UTC"), ("2", "Asia/Shanghai"), ("3", "America/New_York")])
def test_the_committed_files_are_fresh_in_every_process(seed: str, zone: str) -> None:
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone}
    done = subprocess.run(
        [sys.executable, "-m", "contracts.generate", "--check"],
        cwd=generate.HERE.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_stale_file_is_named_with_its_mending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "contracts"
    here.mkdir()
    monkeypatch.setattr(generate, "HERE", here)
    monkeypatch.setattr(generate, "SCHEMAS", here / "schemas")
    monkeypatch.setattr(generate, "ASYNCAPI", here / "asyncapi.yaml")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0

    (here / "schemas" / "visit.planned.v1.json").unlink()
    (here / "schemas" / "visit.dreamt.v1.json").write_text("{}")
    (here / "asyncapi.yaml").write_text("")
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().err
    for name in ("schemas/visit.planned.v1.json", "schemas/visit.dreamt.v1.json", "asyncapi.yaml"):
        assert f"contracts/{name}" in said
    assert "visit.started" not in said
    assert "python -m contracts.generate" in said

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("name", [event.type for event in EVENTS])
def test_a_schema_is_valid_and_its_examples_fit_it(name: str) -> None:
    schema = json.loads((generate.SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)
        for missing in schema.get("required", ()):
            with pytest.raises(ValidationError):
                validator.validate({key: value for key, value in example.items() if key != missing})


def test_every_reference_of_the_document_resolves() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > len(EVENTS)
    for reference in found:
        assert resolve(reference), reference


def test_every_event_stands_once_in_the_channel_of_its_topic() -> None:
    places = [(name, channel["address"]) for channel in DOCUMENT["channels"].values() for name in channel["messages"]]
    assert sorted(places) == sorted((event.type, event.topic) for event in EVENTS)


def test_every_topic_says_who_sends_and_who_receives() -> None:
    said = {
        (operation["channel"]["$ref"].rpartition("/")[2], operation["action"], name.partition(".")[0])
        for name, operation in DOCUMENT["operations"].items()
    }
    sends = {(topic.name, "send", topic.writer) for topic in TOPICS.values()}
    assert said == sends | {(t.name, "receive", service) for t in TOPICS.values() for service in t.hearers}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_the_headers_we_send_fit_the_documented_ones(event: Event) -> None:
    message = DOCUMENT["components"]["messages"][event.type]
    schema = {**message["headers"], "components": DOCUMENT["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    sent = headers(uuid4(), event.type, "/visit_api", event.subject, datetime(2026, 10, 9, tzinfo=UTC))
    said = {name: value.decode() for name, value in sent}
    validator.validate(said)
    for wrong in ({"ce_type": "another.type.v1"}, {"ce_id": "1"}, {"ce_specversion": "0.3"}):
        with pytest.raises(ValidationError):
            validator.validate(said | wrong)
