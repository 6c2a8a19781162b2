"""The gate refuses every breaking change within a version, and lets growth through."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from contracts import compatibility
from contracts.appeals import AppealOpened
from contracts.compatibility import RELEASED, at_revision, breaking_changes, in_folder, main, refusals
from contracts.fields import UnitCode
from contracts.generate import Schema, files, schema, schemas

OPENED = schema(AppealOpened)
TEXT = {"type": "string"}


def nested(shape: Schema) -> Schema:
    clock: Schema = shape["$defs"]["ClockStarted"]
    return clock


def field(shape: Schema, name: str) -> Schema:
    found: Schema = shape["properties"][name]
    return found


BREAKING: list[tuple[str, Callable[[Schema], object], str]] = [
    (
        "removed field",
        lambda s: (s["properties"].pop("round"), s["required"].remove("round")),
        "payload.round was removed",
    ),
    (
        "new required field",
        lambda s: (s["properties"].update(x=TEXT), s["required"].append("x")),
        "payload.x is new and",
    ),
    ("no longer always there", lambda s: s["required"].remove("policy"), "payload.policy may be missing now"),
    ("narrowed to not null", lambda s: s["properties"].update(visit_id={"type": "string"}), "payload.visit_id changed"),
    ("narrowed to an id", lambda s: field(s, "unit_code").update(format="uuid"), "payload.unit_code changed"),
    ("narrowed to known values", lambda s: field(s, "appeal_type").update(enum=["complaint"]), "payload.appeal_type"),
    ("narrowed by a bound", lambda s: field(s, "round").update(minimum=1), "payload.round changed"),
    (
        "widened to null",
        lambda s: s["properties"].update(round={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        "payload.round",
    ),
    ("widened to another type", lambda s: field(s, "round").update(type="number"), "payload.round changed"),
    (
        "nullable of another type",
        lambda s: field(s, "visit_id")["anyOf"].__setitem__(0, TEXT),
        "payload.visit_id changed",
    ),
    ("list of another type", lambda s: field(s, "clocks").update(items=TEXT), "payload.clocks[] changed"),
    ("bounded list", lambda s: field(s, "clocks").update(maxItems=2), "payload.clocks: maxItems changed"),
    ("removed nested field", lambda s: nested(s)["properties"].pop("due_at"), "payload.clocks[].due_at was removed"),
    (
        "nested field required",
        lambda s: (nested(s)["properties"].update(x=TEXT), nested(s)["required"].append("x")),
        "payload.clocks[].x",
    ),
    ("closed to new fields", lambda s: s.update(additionalProperties=False), "payload: additionalProperties changed"),
    ("moved to another topic", lambda s: s.update({"x-topic": "visit.events"}), "topic changed from appeal.events to"),
    ("ordered by another key", lambda s: s.update({"x-key": "visit_id"}), "key changed from appeal_id to visit_id"),
    ("about another subject", lambda s: s.update({"x-subject": "visit_id"}), "subject changed"),
    ("turned into a tombstone", lambda s: (s.pop("properties"), s.update(type="null")), "payload changed"),
]
HARMLESS: list[tuple[str, Callable[[Schema], object]]] = [
    ("optional field", lambda s: s["properties"].update(x={"anyOf": [TEXT, {"type": "null"}], "default": None})),
    ("nested optional field", lambda s: nested(s)["properties"].update(x=TEXT | {"default": ""})),
    ("a field called title", lambda s: s["properties"].update(title=TEXT | {"default": ""})),
    ("another known value", lambda s: field(s, "appeal_type")["examples"].append("praise")),
    ("better words", lambda s: (s.update(title="Opened", description="…"), field(s, "policy").update(description="…"))),
    ("other order", lambda s: s["required"].reverse()),
    ("nothing", lambda s: None),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in BREAKING], ids=[case[0] for case in BREAKING])
def test_a_breaking_change_is_refused_by_name(change: Callable[[Schema], object], said: str) -> None:
    changed = deepcopy(OPENED)
    change(changed)
    found = breaking_changes(OPENED, changed)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("change", [case[1] for case in HARMLESS], ids=[case[0] for case in HARMLESS])
def test_growth_is_let_through(change: Callable[[Schema], object]) -> None:
    changed = deepcopy(OPENED)
    change(changed)
    assert breaking_changes(OPENED, changed) == []


def test_an_optional_field_may_not_become_required_nor_get_another_default() -> None:
    before, required, default = deepcopy(OPENED), deepcopy(OPENED), deepcopy(OPENED)
    before["properties"]["x"] = TEXT | {"default": "a"}
    required["properties"]["x"] = TEXT | {"default": "a"}
    required["required"].append("x")
    default["properties"]["x"] = TEXT | {"default": "b"}
    assert breaking_changes(before, required) == ["payload.x is required now"]
    assert len(breaking_changes(before, default)) == 1


def test_the_classes_themselves_show_it() -> None:
    place = {"topic": "appeal.events", "key": "appeal_id"}

    class Grown(AppealOpened, type="compatibility_test.grown.v1", **place):
        district: UnitCode | None = None

    class Burdened(AppealOpened, type="compatibility_test.burdened.v1", **place):
        district: UnitCode

    assert breaking_changes(OPENED, schema(Grown)) == []
    assert breaking_changes(OPENED, schema(Burdened)) == ["payload.district is new and required"]
    assert breaking_changes(schema(Grown), OPENED) == ["payload.district was removed"]


def test_a_new_event_breaks_nothing_and_a_dropped_one_does() -> None:
    assert refusals({}, {"a.b.v1": OPENED}) == []
    assert refusals({"a.b.v1": OPENED}, {"a.b.v2": OPENED}) == ["a.b.v1: the event is gone"]


def test_the_present_events_keep_what_was_released(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_folder(RELEASED)
    assert main([]) == 0, capsys.readouterr().err


def test_the_command_names_what_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = deepcopy(OPENED)
    older["properties"]["district"] = TEXT
    (tmp_path / "appeal.opened.v1.json").write_text(json.dumps(older), "utf-8")
    assert main(["--against", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "appeal.opened.v1: payload.district was removed" in said
    assert "next version" in said


def test_a_release_promises_everything_and_never_takes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = tmp_path / "released"
    monkeypatch.setattr(compatibility, "RELEASED", released)
    assert main([]) == 0  # the first commit of all has nothing to compare with
    assert main(["--release"]) == 0
    assert in_folder(released) == schemas()

    older = deepcopy(OPENED)
    older["properties"]["district"] = TEXT
    promised = released / "appeal.opened.v1.json"
    promised.write_text(json.dumps(older), "utf-8")
    assert main(["--release"]) == 1
    assert json.loads(promised.read_text("utf-8")) == older


def test_a_git_revision_is_a_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def git(*words: str) -> None:
        author = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *author, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "empty")
    assert at_revision("HEAD", tmp_path) == {}

    folder = tmp_path / "contracts" / "schemas"
    folder.mkdir(parents=True)
    for path, text in files().items():
        if path.suffix == ".json":
            (folder / path.name).write_text(text, "utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "schemas")
    (folder / "appeal.opened.v1.json").unlink()
    assert at_revision("HEAD", tmp_path) == schemas()

    assert main(["--against", "no-such-revision"]) == 2
    assert "no-such-revision" in capsys.readouterr().err
