"""The repository reads as it is drawn: short files, decisions of a page, pictures, every loop of one shape."""

import importlib
import os
import re
from pathlib import Path

import pytest

from chassis.process import Service
from chassis.runtime import Runtime
from chassis.worker import Worker
from tests.support.databases import SERVICES
from tests.support.web import NOWHERE

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
LONGEST = 310  # lines; 300 is the aim
A_PAGE = 60  # lines


def test_no_file_is_long() -> None:
    files = [path for top in ("chassis", "contracts", "services", "deploy") for path in (ROOT / top).rglob("*.py")]
    assert len(files) > 500
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}, "what is the second subject of it?"


def test_each_decision_is_a_page_that_is_found_by_its_title() -> None:
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    titles = [page.read_text().splitlines()[0] for page in pages]
    assert [(f"# {int(name[:4])}. {title}", name) for title, name in listed] == [
        *zip(titles, [page.name for page in pages], strict=True)
    ]
    assert [page.name for page in pages if len(page.read_text().splitlines()) > A_PAGE] == []


def test_what_every_repository_has_is_there() -> None:
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", ".editorconfig", ".pre-commit-config.yaml", "requirements/run.txt"):
        assert (ROOT / name).is_file(), name
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert ci.read_text().rstrip().endswith("\nmake check")


def test_the_house_and_the_way_of_one_appeal_are_drawn() -> None:
    assert pictures("docs/architecture.md") == ["flowchart", "sequenceDiagram"]
    for readme in ("README.md", "README.zh-CN.md"):
        assert pictures(readme) == ["sequenceDiagram"]
        assert 110 <= len((ROOT / readme).read_text().splitlines()) <= 140, readme


def pictures(page: str) -> list[str]:
    return re.findall(r"^```mermaid\n(\w+)", (ROOT / page).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_each_process_is_a_word_and_each_loop_of_it_a_worker(name: str) -> None:
    service: Service = importlib.import_module(f"{name}.__main__").SERVICE
    where = {"database_url": NOWHERE, "bus_database_url": NOWHERE, "auth_issuer": "nobody", "auth_jwks": "nowhere.json"}
    runtime = Runtime(name, service.settings(**where))  # type: ignore[arg-type]
    loops = {word: list(make(runtime)) for word, make in service.processes.items()}
    assert {"api", "relay", "consume"} <= loops.keys()
    assert loops.pop("api") == []
    assert all(its and all(isinstance(each, Worker) for each in its) for its in loops.values())
    assert len({each.name for its in loops.values() for each in its}) == sum(map(len, loops.values()))
