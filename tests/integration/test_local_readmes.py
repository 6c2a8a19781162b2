"""Both READMEs name the same things, and these are there: targets, settings, paths, metrics, events, answers."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest

from contracts import EVENTS
from contracts.topics import TOPICS
from deploy.local.settings import SERVICE_PORTS
from tests.support.readme import READMES, ROOT, blocks, sample
from tests.support.stack import Stack

IN_ENGLISH = {"<服务>": "<service>", "<名词>": "<noun>"}
SETTING = re.compile(r"\b([A-Z][A-Z_]+)=|^([A-Z]+_[A-Z_]+)$")
CODE = [*(ROOT / "deploy" / "local").rglob("*.py"), ROOT / "Makefile"]
each = pytest.mark.parametrize("readme", READMES, ids=lambda readme: str(readme.name))


def named(readme: Path) -> set[str]:
    """What a README sets as code, in English and without the remarks on it."""
    found = set()
    for block in blocks(readme):
        for local, english in IN_ENGLISH.items():
            block = block.replace(local, english)
        found |= {re.sub(r"\s+# .*", "", line) for line in block.splitlines()}
    return found


def targets(readme: Path) -> set[str]:
    return {target for block in named(readme) for target in re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", block)}


def settings(readme: Path) -> set[str]:
    return {first or second for block in named(readme) for first, second in SETTING.findall(block)}


def services(readme: Path) -> dict[str, dict[str, list[str]]]:
    """The table of the services: what each hears and says, and its port."""
    rows = [row.split("|") for row in readme.read_text().splitlines() if re.match(r"\| `\w+` \|", row)]
    cells = {row[1].strip(" `"): row for row in rows if len(row) == 7}
    columns = {"hears": 3, "says": 4, "port": 5}
    return {
        name: {what: re.findall(r"[^`\s]+", row[place]) for what, place in columns.items()}
        for name, row in cells.items()
    }


def test_both_name_the_same() -> None:
    english, chinese = map(named, READMES)
    assert english == chinese
    assert sample(READMES[0]) == sample(READMES[1])
    assert services(READMES[0]) == services(READMES[1])


@each
def test_every_target_is_there(readme: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"^([a-z-]+):.*  ## ", makefile, re.MULTILINE))
    assert {"up", "test", "demo", "dlq", "token"} <= targets(readme) <= known


@each
def test_every_setting_is_read(readme: Path) -> None:
    code = "\n".join(path.read_text() for path in CODE)
    assert {"BUS", "PORT_BASE", "STATE_DIR", "KAFKA_BOOTSTRAP_SERVERS", "DO", "PLACE"} <= settings(readme)
    assert {name for name in settings(readme) if not re.search(rf'"{name}"|\$\({name}\)', code)} == set()


@each
def test_every_path_is_there(readme: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", readme.read_text())
    paths = {block for block in named(readme) if re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|yaml|md)", block)}
    assert len(links) > 8
    assert len(paths) > 1
    assert [path for path in [*links, *paths] if not (ROOT / path).exists()] == []


@each
def test_a_service_prints_its_settings_by_the_line_that_is_shown(readme: Path) -> None:
    [line] = [block for block in named(readme) if block.endswith(" settings") and ".venv/bin/python" in block]
    command = line.replace(".venv/bin/python", shlex.quote(sys.executable))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, shell=True, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert "NOTIFIER_OUTBOUND_PORTS" in done.stdout


def test_every_route_is_there() -> None:
    documents = [json.loads((ROOT / "contracts" / "openapi" / f"{name}.json").read_text()) for name in SERVICE_PORTS]
    known = [
        (method.upper(), re.sub(r"{\w+}", "[^/]+", path), {field["name"] for field in its.get("parameters", ())})
        for document in documents
        for path, methods in document["paths"].items()
        for method, its in methods.items()
    ]
    routes = [re.fullmatch(r"(GET|POST) (/v1/[^?]+)(?:\?(\w+)=true)?", block) for block in sorted(named(READMES[0]))]
    shown = [route.groups() for route in routes if route]
    assert len(shown) > 3
    for method, path, option in shown:
        assert any(
            method == verb and re.fullmatch(pattern, path) and {option} <= {None, *options}
            for verb, pattern, options in known
        ), path


async def test_every_metric_is_told(stack: Stack) -> None:
    exposed = generate_latest().decode()
    names = {
        block for block in named(READMES[0]) if re.fullmatch(r"[a-z]+(_[a-z]+)*_(seconds|lag|total|failures)", block)
    }
    assert len(names) == 5
    assert [name for name in names if f"# TYPE {name} " not in exposed] == []
    assert "# TYPE canary_" in exposed


async def test_the_services_say_and_hear_what_the_table_shows(stack: Stack) -> None:
    table = services(READMES[0])
    assert {name: row["port"] for name, row in table.items()} == {
        name: [str(8000 + offset)] for name, offset in SERVICE_PORTS.items()
    }
    for name, row in table.items():
        said = {event.type for event in EVENTS if TOPICS[event.topic].writer == name}
        heard = {event.type for event in stack[name].service.handlers(stack[name].runtime)}
        agree(row["says"], said)
        agree(row["hears"], heard)


def agree(patterns: list[str], types: Iterable[str]) -> None:
    """Every type is shown, and nothing is shown that there is not."""
    plain = [kind.rpartition(".v")[0] for kind in types]
    assert [kind for kind in plain if not any(fnmatchcase(kind, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(kind, pattern) for kind in plain)] == []


async def test_the_call_that_is_shown_answers_what_is_shown(stack: Stack) -> None:
    command = sample(READMES[0]).command
    [role, unit] = re.findall(r"make -s token ROLE=(\w+) UNIT=(\w+)", command)[0]
    [port, path] = re.findall(r"localhost:(\d+)/v1(\S+)", command)[0]
    [body] = re.findall(r"-d '(.*)'", command)
    [service] = [name for name, offset in SERVICE_PORTS.items() if 8000 + offset == int(port)]
    client: httpx.AsyncClient = stack.client(service, role, unit=unit)
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.text == sample(READMES[0]).answer
    assert json.loads(answer.text)["clocks"]
