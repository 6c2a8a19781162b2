"""Rules of the house that imports cannot show: who may commit, read the wall clock, publish."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from chassis import migrate
from chassis.process import newest_revision

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for top in ("chassis", "contracts", "services") for path in (ROOT / top).rglob("*.py"))

WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
# Real time, on purpose: tokens expire by it, log lines carry it.
REAL_TIME = {"chassis/clock.py", "chassis/telemetry.py", "chassis/web/tokens.py"}
OFFSETS = {"chassis/messaging/consumer.py", "chassis/messaging/kafka.py"}  # what they commit are offsets, not rows


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Every `a.b(…)` of a file as "a.b", with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            yield f"{name}.{node.func.attr}", node.lineno


def offenders(forbidden: "set[str] | str", allowed: set[str]) -> list[str]:
    found = []
    for path in PRODUCT:
        place = path.relative_to(ROOT).as_posix()
        for name, line in calls(path):
            hit = name in forbidden if isinstance(forbidden, set) else name.endswith(forbidden)
            if hit and place not in allowed:
                found.append(f"{place}:{line} {name}()")
    return found


@pytest.mark.parametrize(
    ("what", "forbidden", "allowed"),
    [
        ("only chassis/db.py commits", ".commit", {"chassis/db.py", "chassis/migrate.py", *OFFSETS}),
        ("the wall clock is read in chassis/clock.py", WALL_CLOCK, REAL_TIME),
        ("only the relay publishes", "bus.publish", {"chassis/messaging/relay.py"}),
    ],
)
def test_a_rule_of_the_house_holds(what: str, forbidden: "set[str] | str", allowed: set[str]) -> None:
    assert offenders(forbidden, allowed) == [], what


def test_the_rules_can_be_broken(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("import time\ntx.commit()\nself._bus.publish([])\nwhen = time.time()\n")
    assert {name for name, _ in calls(offender)} == {"tx.commit", "_bus.publish", "time.time"}


# They serve loops and commands, and are none themselves.
BESIDE_LOOPS = {
    "services/appeal_tracker/appeals/apart.py",
    "services/notifier/channels/accounts.py",
    "services/notifier/channels/mailbox.py",
    "services/visit_api/archive/verifying.py",
}


def is_loop(path: Path) -> bool:
    classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    return any(isinstance(base, ast.Name) and base.id == "Worker" for its in classes for base in its.bases)


def test_only_loops_take_connections_that_are_left_to_them() -> None:
    """A request that did would keep timers from firing for as long as it waits for a lock."""
    beside = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "services").rglob("*.py")
        if {"db.transaction", "db.connection"} & {name.lstrip("_") for name, _ in calls(path)} and not is_loop(path)
    }
    assert beside == BESIDE_LOOPS, "a request takes `Tx`, `work.aside()`, or `db.request()` where it has neither"


def test_the_zone_of_the_host_is_asked_for_nowhere() -> None:
    """So that every rule gives the same wherever it runs; what else would ask for it, ruff's DTZ refuses."""
    asking = []
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name, given = node.func.attr, node.args or node.keywords
                if name in ("localtime", "mktime", "tzset") or (name == "astimezone" and not given):
                    asking.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert asking == []


def imported(path: Path) -> Iterator[str]:
    """The packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_what_the_product_imports_it_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    declared = {re.split(r"[\[>=<~!;]", each)[0].strip() for each in wanted}
    providers = packages_distributions()
    ours = {path.name for top in (ROOT, ROOT / "services") for path in top.iterdir() if path.is_dir()}
    files = [*PRODUCT, *(ROOT / "deploy").rglob("*.py")]
    foreign = {name for path in files for name in imported(path)} - ours - sys.stdlib_module_names
    assert {"fastapi", "sqlalchemy"} < foreign
    # A distribution's name is written with - or _, in either case.
    given = {name: {each.lower().replace("_", "-") for each in providers.get(name, ())} for name in foreign}
    missing = {name for name, distributions in given.items() if not distributions & declared}
    assert missing == set(), "name these in pyproject.toml"


def test_the_name_of_a_dead_letter_topic_is_made_in_one_place() -> None:
    spelled = [path.relative_to(ROOT).as_posix() for path in PRODUCT if '.dlq"' in path.read_text()]
    assert spelled == ["contracts/envelope.py"]


@pytest.mark.parametrize("service", ["visit_api", "appeal_tracker", "notifier"])
def test_the_newest_revision_is_read_from_the_names_of_the_migrations(service: str) -> None:
    assert newest_revision(service) == migrate.head(service)


@pytest.mark.parametrize("service", ["visit_api", "appeal_tracker", "notifier"])
def test_migrations_are_one_line_without_a_gap(service: str) -> None:
    """Two of one number, made side by side, would both be the newest."""
    names = sorted(path.name for path in (ROOT / "services" / service / "migrations" / "versions").glob("*.py"))
    assert [name.partition("_")[0] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


NARROWS = re.compile(
    r"DROP (?:TABLE|COLUMN)|\bRENAME\b|SET NOT NULL|\bTYPE\b"
    r"|ADD COLUMN (?![^,;]*(?:DEFAULT|GENERATED))[^,;]*NOT NULL"
)


@pytest.mark.parametrize("service", ["visit_api", "appeal_tracker", "notifier"])
def test_migrations_only_expand(service: str) -> None:
    """So that the version before reads and writes on while it is being replaced; what nobody needs any more goes with a
    later release, and its name stands here."""
    paths = sorted((ROOT / "services" / service / "migrations" / "versions").glob("*.py"))
    found = {path.name: NARROWS.findall(path.read_text()) for path in paths}
    assert {name: what for name, what in found.items() if what} == {}


# The last ones that were written before this was a rule.
BEFORE = {"visit_api": 19, "appeal_tracker": 10, "notifier": 9}
INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?\w+\s+ON (\w+)")


@pytest.mark.parametrize("service", BEFORE)
def test_an_index_on_a_table_that_is_there_is_built_while_others_write(service: str) -> None:
    """Every other way holds whoever writes to the table, for minutes where it is a large one."""
    paths = sorted((ROOT / "services" / service / "migrations" / "versions").glob("*.py"))[BEFORE[service] :]
    texts = {path.name: path.read_text() for path in paths}
    made = {name: set(re.findall(r"CREATE TABLE (\w+)", text)) for name, text in texts.items()}
    held = {name: set(INDEX.findall(text)) - made[name] for name, text in texts.items()}
    assert {name: tables for name, tables in held.items() if tables} == {}, "use chassis.migrate.index_concurrently"


@pytest.mark.parametrize("service", ["visit_api", "appeal_tracker", "notifier"])
def test_a_running_service_carries_no_library_that_it_does_not_run(service: str) -> None:
    """Three idle services share 250 MB; these would take 20 MB of each."""
    code = f"import sys, {service}.__main__; print(*sys.modules)"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "services")])
    env = {**os.environ, "PYTHONPATH": paths}
    loaded = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert not {"aiosmtplib", "alembic", "aiokafka", "httpcore", "httpx", "jinja2", "mako", "pytest"} & set(
        loaded.stdout.split()
    )
