"""The Makefile and the environment it makes, on a clone of its own in a path with a space."""

import hashlib
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.settings import ROOT

WHERE = "import sys; print(sys.prefix)"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that needs no package, so that nothing is fetched, with its environment made."""
    folder = tmp_path_factory.mktemp("a clone") / "customer visit"
    (folder / "deploy" / "local").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "deploy" / "local" / "environment.py", folder / "deploy" / "local")
    (folder / "requirements").mkdir()
    for name in ("run", "dev"):
        (folder / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    first = environment(folder, "dev", "-c", WHERE)
    assert "this is done once" in first.stderr
    assert first.stdout.strip() == str(folder / ".venv")
    return folder


@pytest.fixture
def requirements(clone: Path) -> Iterator[Path]:
    yield clone / "requirements"
    for name in ("run", "dev"):
        (clone / "requirements" / f"{name}.txt").write_text(f"# {name}\n")


def environment(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "STATE_DIR")}
    command: list[str | Path] = [sys.executable, folder / "deploy" / "local" / "environment.py", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


class TestMakefile:
    def test_bare_make_prints_every_target(self) -> None:
        said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        [phony] = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {line.split()[0] for line in said.splitlines()} == set(phony.split())
        assert all(len(line.split()) > 2 for line in said.splitlines())

    def test_settings_reach_the_command(self, clone: Path) -> None:
        (clone / "deploy" / "local" / "__main__.py").write_text(
            "import os, sys; print(sys.argv[1:], os.environ['BUS'], os.environ['STATE_DIR'])"
        )
        command = ["make", "up", "BUS=kafka", "STATE_DIR=my state", f"PYTHON={sys.executable}"]
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
        assert done.stdout == "['up'] kafka my state\n"

    def test_a_signal_to_make_reaches_the_stack(self, clone: Path) -> None:
        (clone / "deploy" / "local" / "__main__.py").write_text(
            "import signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: (print('asked to stop', flush=True), sys.exit(0)))\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)\n"
        )
        command = ["make", "up", f"PYTHON={sys.executable}"]
        make = subprocess.Popen(command, cwd=clone, stdout=subprocess.PIPE, text=True)
        assert make.stdout is not None
        assert make.stdout.readline() == "ready\n"
        make.send_signal(signal.SIGTERM)
        assert make.communicate(timeout=20)[0] == "asked to stop\n"


class TestEnvironment:
    def test_a_later_start_installs_nothing(self, clone: Path) -> None:
        began = time.monotonic()
        done = environment(clone, "run", "-c", WHERE)
        assert done.stdout.strip() == str(clone / ".venv")
        assert done.stderr == ""
        assert time.monotonic() - began < 2

    def test_changed_requirements_are_installed(self, clone: Path, requirements: Path) -> None:
        (requirements / "run.txt").write_text("# changed\n")
        assert "this is done once" in environment(clone, "run", "-c", "pass").stderr
        assert environment(clone, "run", "-c", "pass").stderr == ""

    def test_a_package_without_its_hash_is_refused(self, clone: Path, requirements: Path) -> None:
        (requirements / "run.txt").write_text("idna==3.10\n")
        done = environment(clone, "run", "-c", "print('went on')")
        assert done.returncode == 1
        assert done.stdout == ""
        assert re.search(r"The packages of .*run\.txt cannot be installed: ERROR", done.stderr)

    def test_what_was_compiled_is_kept(self, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        assert environment(clone, "run", "-c", "import sys; print(sys.dont_write_bytecode)").stdout == "False\n"

    @pytest.mark.long
    def test_an_environment_whose_python_is_gone_is_made_anew(self, clone: Path) -> None:
        for name in ("installed-run", "installed-dev", "bin/python"):
            (clone / ".venv" / name).unlink()
        (clone / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")
        done = environment(clone, "dev", "-c", WHERE)
        assert done.stdout.strip() == str(clone / ".venv")

    def test_an_older_python_is_told_what_is_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 10, 4))
        with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed, .* is 3\.10\.4: `make … PYTHON="):
            runpy.run_path(str(ROOT / "deploy" / "local" / "environment.py"), run_name="__main__")

    def test_the_file_can_be_read_by_an_older_python(self) -> None:
        text = (ROOT / "deploy" / "local" / "environment.py").read_text()
        compile(text, "environment.py", "exec", dont_inherit=True)
        import ast

        ast.parse(text, feature_version=(3, 8))

    def test_dev_holds_everything_of_run(self) -> None:
        run, dev = ((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "dev"))
        pins = [set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE)) for text in (run, dev)]
        assert pins[0] <= pins[1]
        assert all(text.count("--hash=sha256:") >= len(found) for text, found in zip((run, dev), pins, strict=True))

    def test_the_stamp_names_the_requirements(self, clone: Path) -> None:
        environment(clone, "run", "-c", "pass")
        digest = hashlib.sha256((clone / "requirements" / "run.txt").read_bytes()).hexdigest()
        assert digest in (clone / ".venv" / "installed-run").read_text()
