"""A fresh clone with Python, make and a package index, and nothing else: `make up` by root and by an ordinary user."""

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from deploy.local import cluster
from deploy.local.settings import ROOT
from tests.support.local_stack import LocalStack
from tests.support.missing import not_tested
from tests.support.readme import READMES, sample

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

OLDEST = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"


@pytest.fixture
def folder() -> Iterator[Path]:
    place = Path(mkdtemp(prefix="clean clone "))
    yield place
    shutil.rmtree(place)


def clone_into(folder: Path) -> Path:
    """What git would give: the files it does not ignore, as they are now."""
    target = folder / "customer visit"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, names.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def python_for(user: pwd.struct_passwd) -> str:
    """A Python that this user can run, new enough and able to make environments."""
    for path in [Path(sys.executable).resolve(), *sorted(Path("/usr/bin").glob("python3*"))]:
        try:
            done = subprocess.run(
                [path, "-c", OLDEST], user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", check=False
            )
        except OSError:
            continue
        if done.returncode == 0:
            return str(path)
    return not_tested(f"as {user.pw_name}: no Python ≥ 3.11 on this machine that they can run")


class MakeUp(LocalStack):
    """`make up` in a clone of its own."""

    def __init__(self, clone: Path, python: str, user: pwd.struct_passwd) -> None:
        super().__init__(clone / ".state", ("make", f"PYTHON={python}", "POSTGRES=wheel"), uid=user.pw_uid)
        self.cwd = clone
        home = clone.parent / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, user.pw_uid, user.pw_gid)
        self.settings = {
            "PORT_BASE": str(self.port_base),
            "HOME": str(home),
            "STATE_DIR": str(self.state_dir),
            "PYTHON": python,
            "PYTHONPATH": "",
        }


def busy_with_other_things() -> float:
    """How many times more work the machine has than it has cores; the seconds promised are those of an idle one."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def live(stack: LocalStack) -> None:
    """The whole promise: first start, the curl, what the READMEs show, later start, kill -9, reset."""
    first = stack.up(within=400)
    print(f"first start with the installation: {first:.0f} s")
    assert '"37401"' in stack.curl()
    for shown in map(sample, READMES):
        assert json.loads(stack.paste(shown.command)) == json.loads(shown.answer)
    for word in ("help", "dlq", "verify"):
        done = stack.run(word)
        assert done.returncode == 0, done.stdout + done.stderr
    stack.interrupt()
    assert stack.processes() == []
    busy = busy_with_other_things()
    assert stack.up() <= 10 * busy
    assert '"37401"' in stack.curl()
    stack.kill()
    assert stack.up() <= 15 * busy
    stack.interrupt()
    assert stack.processes() == []
    assert stack.run("reset").returncode == 0


def test_an_ordinary_user(folder: Path) -> None:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder.chmod(0o755)
    clone = clone_into(folder)
    for path in [clone, *clone.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)
    with MakeUp(clone, python_for(user), user) as stack:
        live(stack)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be root")
def test_root_below_a_private_folder(folder: Path) -> None:
    clone = clone_into(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    with MakeUp(clone, sys.executable, pwd.getpwuid(0)) as stack:
        live(stack)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not cluster.elsewhere(clone / ".state").exists()
