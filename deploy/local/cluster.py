"""Our own PostgreSQL server: initialised, started, found again after a crash and stopped, as an unprivileged user."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from deploy.local import files, processes
from deploy.local.binaries import Binaries, Kind, choose
from deploy.local.errors import Refused
from deploy.local.passwords import Passwords
from deploy.local.processes import Account

SUPERUSER = "postgres"
ELSEWHERE = Path("/var/lib/customer-visit")
STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))  # fast, immediate, at any price
SETTINGS = {
    "listen_addresses": processes.LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "120",
    "shared_buffers": "512MB",  # taken as it is used
    "max_wal_size": "4GB",  # after each checkpoint whole pages are logged, and a million appeals move in one go
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": "0",  # two cores: a parallel plan would only take the other one away
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_error_verbosity": "terse",  # the detail of a refused row is what a citizen said
}
SAFE = {"fsync": "on", "synchronous_commit": "on"}
# For tests: a power cut loses data, and nothing but the test decides what the planner knows.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


KINDS: dict[str, tuple[Kind, ...]] = {"auto": ("machine", "wheel"), "machine": ("machine",), "wheel": ("wheel",)}


class Cluster:
    """One data directory and the server on it; the state remembers which programs made the data."""

    def __init__(self, state_dir: Path, port: int, kinds: tuple[Kind, ...], *, fast: bool) -> None:
        self.state_dir, self.port, self.kinds, self.fast = state_dir, port, kinds, fast
        self.log = state_dir / "logs" / "postgres.log"
        self.elsewhere = elsewhere(state_dir)
        self._memory = state_dir / "postgres.made-by.json"
        self._log_began = 0  # how long the log was when the server was started
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def died(self) -> bool:
        """Whether it was started here and has ended by itself."""
        return self._child is not None and self._child.poll() is not None

    def start(self) -> None:
        """Start the server, on new data if there are none; returns once the process runs, not once it answers."""
        identity = self._identity()
        data = self._data(identity)
        account = self._account(data)
        data = data or self._new_place(account, identity)
        stop_leftovers(data)
        with files.open_log(self.log) as log:
            self._log_began = log.tell()
        processes.require_free_port(self.port, "PostgreSQL")
        made_by = self._made_by(data)
        binaries = choose(self.kinds, account, lambda: self._outside(account, identity), made_by)
        if made_by is None:
            self._initialise(binaries, data, account)
        options = {**SETTINGS, **(FAST if self.fast else SAFE), "port": str(self.port)}
        command: list[str | Path] = [
            binaries.folder / "postgres",
            "-D",
            data,
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        with files.open_log(self.log) as log:
            self._child = processes.spawn(
                command, log=log, env=_environment(), cwd=data, account=account, death_signal=signal.SIGINT
            )

    def stop(self) -> None:
        if self._child is not None:
            processes.stop_child(self._child, STEPS)
            self._child = None

    def _identity(self) -> str:
        """The id of this state: what an earlier state of the same path left elsewhere is not taken for ours."""
        kept = files.read_json(self._memory)
        if "id" not in kept:
            kept["id"] = uuid.uuid4().hex
            files.write_json(self._memory, kept)
        return str(kept["id"])

    def _data(self, identity: str) -> Path | None:
        """Where this state's data are, if it has any."""
        inside, outside = self.state_dir / "postgres" / "data", self.elsewhere / "data"
        if inside.exists():
            return inside
        if outside.exists():
            if (self.elsewhere / "id").read_text() == identity:
                return outside
            forget_elsewhere(self.state_dir)
        return None

    def _account(self, data: Path | None) -> Account | None:
        """Whom the server runs as: ourselves, or as root whoever owns the data, else `postgres`, else `nobody`."""
        if os.geteuid() != 0:
            return None
        if data is not None and data.stat().st_uid != 0:
            return Account(data.stat().st_uid, data.stat().st_gid)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return Account(entry.pw_uid, entry.pw_gid)
        raise Refused("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it.")

    def _new_place(self, account: Account | None, identity: str) -> Path:
        """Make the folder of new data, where the account can reach it without any parent being opened up."""
        if account is None:
            return files.make_private(self.state_dir / "postgres") / "data"
        files.make_private(self.state_dir)
        if _reaches(account, self.state_dir):
            home = self.state_dir / "postgres"
            home.mkdir(exist_ok=True)
            os.chown(home, account.uid, account.gid)
            home.chmod(0o700)
            return home / "data"
        return self._outside(account, identity) / "data"

    def _outside(self, account: Account | None, identity: str) -> Path:
        """The folder outside of the state, made only as root, that account's group alone can enter."""
        if account is not None and not self.elsewhere.exists():
            self.elsewhere.mkdir(parents=True)
            ELSEWHERE.chmod(0o711)
            os.chown(self.elsewhere, 0, account.gid)
            self.elsewhere.chmod(0o710)
            files.write(self.elsewhere / "id", identity)
        return self.elsewhere

    def _made_by(self, data: Path) -> Binaries | None:
        if not (data / "PG_VERSION").exists():
            return None
        kind = files.read_json(self._memory).get("kind", self.kinds[0])
        return Binaries(kind, data, int((data / "PG_VERSION").read_text()))

    def _initialise(self, binaries: Binaries, data: Path, account: Account | None) -> None:
        """Make the data under another name first, so that a death in the middle leaves nothing that looks finished."""
        unfinished = data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        secret = data.with_name("superuser-password")
        files.write(secret, Passwords(self.state_dir).of(SUPERUSER))
        for path in (unfinished, secret):
            if account:
                os.chown(path, account.uid, account.gid)
        command: list[str | Path] = [binaries.folder / "initdb", "-D", unfinished]
        command += [f"--username={SUPERUSER}", f"--pwfile={secret}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"]
        with files.open_log(self.log) as log:
            child = processes.spawn(
                [*command, *(["--no-sync"] if self.fast else [])],
                log=log,
                env=_environment(),
                cwd=unfinished,
                account=account,
                death_signal=signal.SIGKILL,
            )
            failed = child.wait()
        secret.unlink()
        if failed:
            raise Refused(f"PostgreSQL could not make its data in {data.parent}: {self.last_complaint()}")
        unfinished.rename(data)
        files.write_json(self._memory, {**files.read_json(self._memory), "kind": binaries.kind})

    def last_complaint(self) -> str:
        """The first thing PostgreSQL said since this start that explains a failure; what follows are consequences."""
        lines = self.log.read_bytes()[self._log_began :].decode(errors="replace").splitlines()
        telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "could not"))]
        return (telling or lines[-1:] or ["it said nothing"])[0].strip() + f" (see {self.log})"


def own_server(state_dir: Path, port: int, choice: str, *, fast: bool = False) -> Cluster | None:
    """The server for POSTGRES=auto|machine|wheel; None when the choice is the address of a given one."""
    if choice.startswith(("postgresql://", "postgres://")):
        return None
    if choice not in KINDS:
        raise Refused(f"POSTGRES is auto, machine, wheel or a postgresql:// address, not {choice!r}.")
    return Cluster(state_dir, port, KINDS[choice], fast=fast)


def elsewhere(state_dir: Path) -> Path:
    """Where root keeps the data of a state that PostgreSQL's user cannot reach."""
    return ELSEWHERE / hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:16]


def forget(state_dir: Path) -> None:
    """Remove the data of a state, wherever they are, and the passwords and memory that go with them."""
    stop_leftovers(state_dir / "postgres" / "data")
    if (state_dir / "postgres").exists():
        shutil.rmtree(state_dir / "postgres")
    for kept in state_dir.glob("postgres.*.json"):
        kept.unlink()
    forget_elsewhere(state_dir)


def forget_elsewhere(state_dir: Path) -> None:
    """Remove what this state, or an earlier one under the same path, keeps outside of its folder."""
    home = elsewhere(state_dir)
    if os.geteuid() == 0 and home.exists():
        stop_leftovers(home / "data")
        shutil.rmtree(home)


def stop_leftovers(data: Path) -> None:
    """End servers that a killed supervisor left on these data, and drop their stale pid file.

    PostgreSQL would refuse to start if a stranger had been given the pid that is written there.
    """
    processes.stop_strangers(lambda: _servers_on(data), STEPS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _servers_on(data: Path) -> list[int]:
    """Servers and their backends, known by their working directory; without /proc, the server of the pid file."""
    if processes.PROC.is_dir():
        return [int(entry.name) for entry in processes.PROC.iterdir() if _works_in(entry, data)]
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return []
    named = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return [pid] if "postgres" in named else []


def _works_in(process: Path, data: Path) -> bool:
    try:
        named = process.name.isdigit() and (process / "comm").read_text().startswith("postgres")
        return named and (process / "cwd").readlink() == data.resolve()
    except OSError:  # it ended meanwhile, or belongs to somebody whose processes we may not look into
        return False


def _reaches(account: Account, folder: Path) -> bool:
    probe = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", folder.resolve()],
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        check=False,
    )
    return probe.returncode == 0


def _environment() -> dict[str, str]:
    """What the server needs from ours: none of the PG* variables, no locale."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
