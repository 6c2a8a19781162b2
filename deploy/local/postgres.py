"""PostgreSQL for the local stack and for tests: a server that is given, or one we run on loopback ourselves."""

import secrets
import socket
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.local import cluster, databases, files
from deploy.local.binaries import OLDEST, Kind
from deploy.local.cluster import SUPERUSER, Cluster
from deploy.local.databases import DatabaseUrls
from deploy.local.errors import Refused
from deploy.local.processes import LOOPBACK, Pause

KINDS: dict[str, tuple[Kind, ...]] = {"auto": ("machine", "wheel"), "machine": ("machine",), "wheel": ("wheel",)}
START_SECONDS = 90.0  # recovery after a crash reads back up to max_wal_size


class Postgres:
    """One PostgreSQL per state directory; `choice` is auto, machine, wheel or the address of a given server.

    A given server (postgresql://, a role that may create roles and databases) is used as it is and never stopped.
    With `fast` an own server skips fsync: for tests, whose data nobody misses.
    """

    def __init__(
        self, state_dir: Path, port: int, choice: str = "auto", *, fast: bool = False, pause: Pause = time.sleep
    ) -> None:
        self.state_dir, self.port = state_dir.absolute(), port
        self._pause = pause
        self._secrets = self.state_dir / "postgres.passwords.json"
        self._given = choice if urlsplit(choice).scheme in ("postgres", "postgresql") else None
        if self._given is None and choice not in KINDS:
            raise Refused(f"POSTGRES is auto, machine, wheel or a postgresql:// address, not {choice!r}.")
        self._cluster = None if self._given else Cluster(self.state_dir, port, KINDS[choice], fast=fast)

    @property
    def alive(self) -> bool:
        """False once a server of our own has died; a given one is always taken to live."""
        return self._cluster is None or self._cluster.alive

    def start(self) -> None:
        """Start the server, or reach the given one, and return when it answers queries.

        Raises Refused: port in use, too old, nothing to run, no room, not reachable. Leaves nothing running then.
        """
        files.make_private(self.state_dir)
        if self._cluster is None:
            self._check_given()
            return
        self._cluster.start(self._password(SUPERUSER))
        try:
            self._wait_until_it_answers(self._cluster)
        except BaseException:
            self._cluster.stop()
            raise

    def stop(self) -> None:
        """Stop a server of our own and wait until it is gone; safe to call twice."""
        if self._cluster is not None:
            self._cluster.stop()

    def forget(self) -> None:
        """Stop, and remove the data of a server of our own; the databases in a given server are left alone."""
        self.stop()
        cluster.forget(self.state_dir)

    def dsn(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """The address of a database for one of the roles made here, or for the administrator (`postgres`)."""
        if self._given is None:
            return f"postgresql://{user}:{quote(self._password(user))}@{LOOPBACK}:{self.port}/{database}"
        address = urlsplit(self._given)
        place = address.netloc.rpartition("@")[2]
        login = address.netloc.rpartition("@")[0] if user == SUPERUSER else f"{user}:{quote(self._password(user))}"
        return urlunsplit(address._replace(netloc=f"{login}@{place}" if login else place, path=f"/{database}"))

    def ensure_database(self, name: str) -> DatabaseUrls:
        """The database `name`, owned by `<name>_migrator` and used by `<name>_service`; made if it is not there."""
        databases.run(databases.ensure(name, lambda database: self.dsn(SUPERUSER, database), self._password))
        return DatabaseUrls(service=self.dsn(f"{name}_service", name), migration=self.dsn(f"{name}_migrator", name))

    def _password(self, role: str) -> str:
        kept = files.read_json(self._secrets)
        if role not in kept:
            kept[role] = secrets.token_urlsafe(24)
            files.write_json(self._secrets, kept)
        return str(kept[role])

    def _check_given(self) -> None:
        address = urlsplit(self._given or "")
        named = f"The PostgreSQL given ({address.hostname or 'local'}:{address.port or 5432})"
        try:
            major = databases.run(databases.server_version(self.dsn()))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise Refused(f"{named} cannot be used: {error or type(error).__name__}") from None
        if major < OLDEST:
            raise Refused(f"{named} is version {major}, too old: {OLDEST} or newer is needed.")

    def _wait_until_it_answers(self, server: Cluster) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not server.alive:
                raise Refused(f"PostgreSQL did not start: {server.last_complaint()}")
            try:
                with socket.create_connection((LOOPBACK, self.port), timeout=1):
                    pass  # cheap: no event loop is made before the port is open
                databases.run(databases.server_version(self.dsn()))
                return
            except asyncpg.InvalidPasswordError:
                raise Refused(
                    f"PostgreSQL does not know the password kept in {self._secrets}: "
                    "the file does not belong to the data; `make reset` forgets both."
                ) from None
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
                self._pause(0.05)
        raise Refused(f"PostgreSQL did not answer within {START_SECONDS:.0f} seconds: {server.last_complaint()}")
