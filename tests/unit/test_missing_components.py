"""What a machine cannot test is said plainly, and is a failure where everything must be tested (CI=true)."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.missing import not_tested

ROOT = Path(__file__).parents[2]
ON_KAFKA = "tests/integration/test_local_kafka.py::TestBroker::test_topics_are_made_by_name_or_not_at_all"
ALONE = ("-n", "0", "-p", "no:cacheprovider", "-m", "kafka")
MISSING = "on Kafka: A local Apache Kafka needs Java 17 or newer, which is not found: install it"


def without_java(path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The tests on Kafka where there are neither Java nor Maven."""
    ours = ("CI", "JAVA_HOME", "PATH")
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *ALONE, ON_KAFKA]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PATH": str(path), **env}, capture_output=True, text=True, check=False
    )


def test_without_kafka_the_run_says_what_was_not_tested(tmp_path: Path) -> None:
    done = without_java(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert done.stdout.count(f"not tested {MISSING}") == 1, "in the summary"


def test_without_kafka_ci_fails(tmp_path: Path) -> None:
    done = without_java(tmp_path, CI="true")
    assert done.returncode == 1, done.stdout
    assert "1 error" in done.stdout
    assert f"not tested {MISSING}" in done.stdout


def test_whatever_is_missing_is_said_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not tested in a browser"):
        not_tested("in a browser")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not tested in a browser"):
        not_tested("in a browser")


def test_nothing_else_is_skipped_but_what_only_root_or_only_linux_can_do() -> None:
    offenders = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            its = ast.unparse(node)
            allowed = path.name == "missing.py" or "os.geteuid() != 0" in its or "sys.platform != 'linux'" in its
            if (
                called in ("pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif")
                and not allowed
            ):
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno} {called}")
    assert offenders == []
