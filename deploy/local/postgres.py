"""PostgreSQL for the local stack and for tests: a server that is given, or one we run on loopback ourselves."""

import socket
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.local import cluster, databases, files
from deploy.local.binaries import OLDEST
from deploy.local.cluster import SUPERUSER
from deploy.local.databases import DatabaseUrls
from deploy.local.errors import Refused
from deploy.local.passwords import Passwords
from deploy.local.processes import LOOPBACK

START_SECONDS = 90.0  # recovery after a crash reads back up to max_wal_size


class Postgres:
    """One PostgreSQL per state directory; `choice` is auto, machine, wheel or the address of a given server.

    A given server (postgresql://, a role that may create roles and databases) is used as it is and never stopped.
    With `fast` an own server skips fsync: for tests, whose data nobody misses.
    """

    def __init__(self, state_dir: Path, port: int, choice: str = "auto", *, fast: bool = False) -> None:
        self.state_dir, self.port = state_dir.absolute(), port
        self._passwords = Passwords(self.state_dir)
        self._cluster = cluster.own_server(self.state_dir, port, choice, fast=fast)
        self._given = choice if self._cluster is None else None

    @property
    def alive(self) -> bool:
        """False once a server of our own has died; a given one is always taken to live."""
        return self._cluster is None or self._cluster.alive

    def start(self) -> None:
        """Start the server, or reach the given one, and return when it answers queries.

        Raises Refused: port in use, too old, nothing to run, no room, not reachable. Leaves nothing running then.
        """
        files.make_private(self.state_dir)
        if self._cluster is not None:
            self._cluster.start()
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Return when the server answers queries, whoever started it. Raises Refused when it will not."""
        if self._cluster is None:
            self._check_given()
            return
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._cluster.died:
                raise Refused(f"PostgreSQL did not start: {self._cluster.last_complaint()}")
            if time.monotonic() > deadline:
                raise Refused(
                    f"PostgreSQL did not answer within {START_SECONDS:.0f} seconds: {self._cluster.last_complaint()}"
                )
            time.sleep(0.05)

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
            return f"postgresql://{user}:{quote(self._passwords.of(user))}@{LOOPBACK}:{self.port}/{database}"
        address = urlsplit(self._given)
        login, _, place = address.netloc.rpartition("@")
        if user != SUPERUSER:
            login = f"{user}:{quote(self._passwords.of(user))}"
        return urlunsplit(address._replace(netloc=f"{login}@{place}" if login else place, path=f"/{database}"))

    def ensure_database(self, name: str) -> DatabaseUrls:
        """The database `name`, owned by `<name>_migrator` and used by `<name>_service`; made if it is not there."""
        ours = self._given is None
        is_new = databases.run(
            databases.ensure(name, lambda database: self.dsn(SUPERUSER, database), self._passwords.of, ours=ours)
        )
        return DatabaseUrls(self.dsn(f"{name}_service", name), self.dsn(f"{name}_migrator", name), is_new)

    def _check_given(self) -> None:
        address = urlsplit(self._given or "")
        named = f"The PostgreSQL given ({address.hostname or 'local'}:{address.port or 5432})"
        try:
            major = databases.run(databases.server_version(self.dsn()))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise Refused(f"{named} cannot be used: {error or type(error).__name__}") from None
        if major < OLDEST:
            raise Refused(f"{named} is version {major}, too old: {OLDEST} or newer is needed.")

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1):
                pass  # cheap: no event loop is made before the port is open
            databases.run(databases.server_version(self.dsn()))
        except asyncpg.InvalidPasswordError:
            raise Refused(
                f"PostgreSQL does not know the password kept in {self._passwords.path}: "
                "the file does not belong to the data; `make reset` forgets both."
            ) from None
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
            return False
        return True
