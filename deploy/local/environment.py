"""Makes the project's Python environment from hashed requirements, then runs the rest of its command line in it.

`python3 deploy/local/environment.py run -m deploy.local up`. Only the standard library, and syntax that an older Python
still reads, so that it can say what is missing.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        f"Python 3.11 or newer is needed, {sys.executable} is {found}: `make … PYTHON=python3.12` names another one."
    )

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
SETS = ("run", "dev")  # dev holds everything of run


def main(which: str, command: list[str]) -> NoReturn:
    """Ensure the environment `which`, then become `python command…` inside it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a running pip is ended with us
    try:
        home = _home(which)
        if not _is_current(home, which):
            home.mkdir(parents=True, exist_ok=True)
            with _alone(home):
                if not _is_current(home, which):
                    _make(home, which)
    except OSError as error:
        sys.exit(f"The Python environment cannot be made: {error.filename or ROOT}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit(130)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "services")])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # services are started often; each would compile everything anew
    python = str(home / "bin" / "python")
    os.execv(python, [python, *command])  # noqa: S606


def _home(which: str) -> Path:
    """`.venv` in the clone; beside the state where the clone cannot be written and has no environment that will do."""
    inside = ROOT / ".venv"
    writable = os.access(inside if inside.exists() else ROOT, os.W_OK)
    if writable or _is_current(inside, which) or not os.environ.get("STATE_DIR"):
        return inside
    return (ROOT / os.environ["STATE_DIR"]).absolute() / "venv"


def _stamp(which: str) -> str:
    requirements = (ROOT / "requirements" / f"{which}.txt").read_bytes()
    return f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(requirements).hexdigest()}"


def _is_current(home: Path, which: str) -> bool:
    stamp = home / f"installed-{which}"
    return stamp.exists() and stamp.read_text() == _stamp(which) and (home / "bin" / "python").exists()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two stacks that start at once install once."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(home: Path, which: str) -> None:
    print(f"installing the Python environment ({which}) in {home}; this is done once", file=sys.stderr, flush=True)
    began = time.monotonic()
    if not _runs(home / "bin" / "python"):
        if importlib.util.find_spec("ensurepip") is None:
            sys.exit(f"{sys.executable} cannot make environments: install your system's python3-venv package.")
        for part in ("bin", "lib", "lib64", "include"):
            path = home / part
            path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], "The Python environment cannot be made")
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install"]
    requirements = str(ROOT / "requirements" / f"{which}.txt")
    _run([*pip, "--require-hashes", "-r", requirements], f"The packages of {requirements} cannot be installed")
    for one in SETS[: SETS.index(which) + 1]:
        (home / f"installed-{one}").write_text(_stamp(one))
    print(f"installed in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _runs(python: Path) -> bool:
    """Whether the environment's Python still is the one that makes it, and has pip."""
    if not python.exists():
        return False
    version = f"import sys, pip; print(sys.version_info[:2] == {sys.version_info[:2]}, end='')"
    said = subprocess.run([python, "-c", version], capture_output=True, text=True, check=False)
    return said.stdout == "True"


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in said if "ERROR" in line or "Error" in line] or said or ["it said nothing"]
        sys.exit(f"{failure}: {telling[-1].strip()}")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in SETS:
        sys.exit(f"usage: environment.py {'|'.join(SETS)} ARGUMENT…")
    main(sys.argv[1], sys.argv[2:])
