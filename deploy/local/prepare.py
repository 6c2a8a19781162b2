"""What is done once before the services start: databases, keys, tokens, migrations.

A process of its own, for what it needs (drivers, cryptography) would stay in the supervisor's memory for ever.
`python -m deploy.local.prepare tokens` only writes the services' own tokens anew.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from chassis.vault import KeysMissing, KeysUnusable, belonging
from chassis.vault.masters import new_line
from deploy.local import databases, files, processes
from deploy.local.databases import DatabaseUrls
from deploy.local.errors import Refused, explain
from deploy.local.postgres import Postgres
from deploy.local.services import REAL, Command, Programs, base_environment, service_environment
from deploy.local.settings import ROOT, Settings
from deploy.local.state import ADMIN, State
from deploy.local.tokens import Issuer

FIRST_UNIT = "37401"


def prepare(settings: Settings, programs: Programs) -> None:
    """Bring the state to where the services can start; PostgreSQL and the broker run already, or are about to."""
    state = State(settings.state_dir)
    write_tokens(state, programs)
    postgres = Postgres(state.folder, settings.port("postgres"), settings.postgres)
    postgres.wait()
    for name in programs.services:  # all of them, before anything is made
        require_keys(name, postgres, state.vault(name))
    for name in programs.services:
        files.write_once(state.vault(name), new_line("first"))
    names = [*programs.services, *(["bus"] if settings.bus == "embedded" else [])]
    urls = {name: postgres.ensure_database(name) for name in names}
    bus = urls["bus"].service if "bus" in urls else None
    clock = state.choose_clock(settings.scale)
    for name in programs.services:
        files.write_json(state.environment(name), service_environment(name, settings, urls[name].service, bus, clock))
    migrate(settings, programs, urls)


def require_keys(name: str, postgres: Postgres, keys: Path) -> None:
    """Raises Refused where the database `name` is there already and was sealed with other master keys than `keys`."""

    async def look() -> None:
        try:
            connection = await asyncpg.connect(postgres.dsn(database=name))
        except asyncpg.InvalidCatalogNameError:  # not made yet
            return
        try:
            await belonging.require(connection, keys)
        finally:
            await connection.close()

    try:
        databases.run(look())
    except (KeysMissing, KeysUnusable) as error:
        raise Refused(
            f"The database {name} is sealed with other master keys than those in {keys} ({error}): "
            "put the file there that its stack was started with, or choose that stack's STATE_DIR or another server."
        ) from None


def write_tokens(state: State, programs: Programs) -> None:
    """A token for each service, and the administrator's that the greeting shows."""
    issuer = Issuer(state.auth)
    for name in programs.services:
        files.write(state.token(name), issuer.token(["service"], None, name))
    files.write(state.token(ADMIN), issuer.token(["admin"], FIRST_UNIT, None))


def migrate(settings: Settings, programs: Programs, urls: Mapping[str, DatabaseUrls]) -> None:
    """Bring the bus and then every service's database to this version, the services side by side.

    Nothing is done where the last start did it with the same code: that halves the time of a start.
    """
    state = State(settings.state_dir)
    done = {"code": fingerprint(programs.code), "bus": settings.bus}
    ours = not settings.kafka_bootstrap_servers and not any(one.is_new for one in urls.values())
    if ours and state.recall("migrated") == done:
        return
    state.remember("migrated", None)
    if "bus" in urls:
        run_all(
            state, {"bus": (*programs.bus, "migrate")}, {"bus": {"BUS_MIGRATION_DATABASE_URL": urls["bus"].migration}}
        )
    owners = {name: {f"{name.upper()}_MIGRATION_DATABASE_URL": urls[name].migration} for name in programs.services}
    run_all(
        state,
        {name: (*command, "migrate") for name, command in programs.services.items()},
        {name: {**files.read_json(state.environment(name)), **owner} for name, owner in owners.items()},
    )
    state.remember("migrated", done)


def run_all(state: State, commands: Mapping[str, Command], envs: Mapping[str, Mapping[str, str]]) -> None:
    """Run commands side by side to their end. Raises Refused with the last words of one that failed."""
    logs = {name: state.logs / f"{name}.log" for name in commands}
    with ExitStack() as started:
        children = {}
        for name, command in commands.items():
            with files.open_log(logs[name]) as log:
                children[name] = processes.spawn(command, log=log, env={**base_environment(), **envs[name]}, cwd=ROOT)
            started.callback(processes.stop_child, children[name], processes.AT_ONCE)
        for child in children.values():
            child.wait()
    for name, child in children.items():
        if child.returncode != 0:
            raise Refused(f"Migrating {name} failed; the end of {logs[name]}:\n{processes.last_lines(logs[name])}")


def fingerprint(code: Sequence[Path]) -> str:
    """Changes with the code that migrates: while it stays the same there is nothing to migrate."""
    digest = hashlib.sha256()
    for folder in code:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def main(words: list[str], programs: Programs = REAL) -> int:
    """The command line; a refusal is printed whole, for the supervisor to show."""
    settings = Settings.read(os.environ)
    try:
        if words == ["tokens"]:
            write_tokens(State(settings.state_dir), programs)
        else:
            prepare(settings, programs)
    except (Refused, OSError) as error:
        print(explain(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
