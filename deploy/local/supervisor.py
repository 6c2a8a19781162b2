"""Starts the whole stack in order, keeps it running in the foreground, stops it in reverse order."""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from deploy.local import clock, files, forking, processes
from deploy.local.cluster import Cluster, own_server
from deploy.local.errors import Refused, explain
from deploy.local.kafka import Kafka
from deploy.local.keeper import Keeper
from deploy.local.leftovers import stop_leftovers
from deploy.local.processes import LOOPBACK, Launch
from deploy.local.services import REAL, Programs, base_environment
from deploy.local.settings import ROOT, Settings
from deploy.local.signals import Signals
from deploy.local.state import ADMIN, State

READY_SECONDS = 90.0
LOOK_EVERY = 0.5  # seconds; the death of a child is noticed at once
REFRESH_AFTER = 3600.0  # seconds, of real time, after which the services' tokens, good for a day, are made anew
TRY_AGAIN_AFTER = 5.0  # seconds, of what failed while the stack runs
SETTLED_AFTER = 2.0  # seconds after which a server that was started again is taken to stay
FIRST_UNIT = {"code": "37401", "name": "济南供电公司"}


class Supervisor:
    """One stack; `programs` are the real ones unless a test brings its own. Kept small: it stays in memory."""

    def __init__(self, settings: Settings, signals: Signals, programs: Programs = REAL) -> None:
        self.settings, self.signals, self.programs = settings, signals, programs
        self.state = State(settings.state_dir)
        self.postgres: Cluster | None = None
        self.kafka: Kafka | None = None
        self.keepers: list[Keeper] = []  # of services that have all been ready
        self._try_again_at: dict[str, float] = {}

    def up(self) -> None:
        """Run the stack until it is asked to stop (raises Stopped) or cannot go on (Refused); stops all of it then."""
        self.state.open()
        if not self.state.lock():
            raise Refused(
                f"This stack is running already (process {self.state.supervisor.pid()}, state {self.state.folder}): "
                "`make down` stops it; another STATE_DIR and PORT_BASE run a second one beside it."
            )
        with ExitStack() as running:
            running.callback(self.state.unlock)
            running.callback(self.state.supervisor.clear)
            stop_leftovers(self.state)
            self.state.supervisor.write(os.getpid())
            for name in self.programs.services:
                processes.require_free_port(self.settings.port(name), name)
            clock_file = self.state.choose_clock(self.settings.scale)
            self._start_kafka(running)
            self._start_postgres(running)
            self._prepare()
            self._start_services(running)
            if clock_file is not None:
                clock.set_off(clock_file)
            self._greet()
            self._watch()

    def say(self, text: str) -> None:
        """Tell the terminal; the stack goes on when nobody listens (`make up | head`) or nothing can be written."""
        try:
            print(text, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError:
            return  # written to a file on a full disk: it stays in the buffer, and is told with what follows

    def _start_kafka(self, running: ExitStack) -> None:
        if self.settings.bus != "kafka" or self.settings.kafka_bootstrap_servers:
            return
        self.say("starting Kafka (the first time its jars are fetched)")
        port, cache = self.settings.port("kafka"), self.settings.cache
        self.kafka = Kafka(self.state.folder, port, cache=cache, pause=self._pause)
        running.callback(self.kafka.stop)
        self.kafka.launch()

    def _start_postgres(self, running: ExitStack) -> None:
        self.postgres = own_server(self.state.folder, self.settings.port("postgres"), self.settings.postgres)
        if self.postgres is not None:
            self.say("starting PostgreSQL")
            running.callback(self.postgres.stop)
            self.postgres.start()

    def _prepare(self) -> None:
        """Have databases, tokens and environments made."""
        self.say("preparing the databases")
        if self.kafka:
            self.kafka.wait()
        self._run_prepare()

    def _refresh_tokens(self) -> None:
        """Have the tokens made anew when it is time."""
        if time.time() - self.state.token(ADMIN).stat().st_mtime > REFRESH_AFTER:
            self._run_prepare("tokens")

    def _run_prepare(self, *words: str) -> None:
        """Run the program that prepares. Raises Refused with what it says."""
        said = self.state.logs / "prepare.log"
        said.unlink(missing_ok=True)
        with files.open_log(said) as log:
            child = processes.spawn([*self.programs.prepare, *words], log=log, env=base_environment(), cwd=ROOT)
        try:
            if self.programs.shared and not words:
                forking.load(self.programs.shared)  # while the databases are prepared
            while child.poll() is None:
                if not words and self.postgres and self.postgres.died:
                    raise Refused(f"PostgreSQL did not start: {self.postgres.last_complaint()}")
                self._pause(LOOK_EVERY)
        finally:
            processes.stop_child(child, processes.AT_ONCE)
        if child.returncode != 0:
            raise Refused(said.read_text(errors="replace").strip())

    def _start_services(self, running: ExitStack) -> None:
        self.say("starting the services")
        launch: Launch = forking.fork if self.programs.shared else processes.spawn
        keepers = []
        for name, command in self.programs.services.items():
            env = {**base_environment(), **files.read_json(self.state.environment(name))}
            log, pid = self.state.logs / f"{name}.log", self.state.run / f"{name}.pid"
            keepers.append(Keeper(name, self.settings.port(name), command, env, log, pid, launch))
            running.callback(keepers[-1].stop)
        # Run before those when all stops: every service is asked at once, then each is waited for.
        for keeper in keepers:
            running.callback(keeper.ask_to_stop)
        for keeper in keepers:
            keeper.start()
        self._wait_until_ready(keepers)
        self.keepers = keepers

    def _wait_until_ready(self, waiting: list[Keeper]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while waiting:
            self.signals.pause(0.05)
            for keeper in waiting:
                keeper.tend(self.say)
            answers = {keeper: keeper.ready() for keeper in waiting}
            waiting = [keeper for keeper, answer in answers.items() if answer is not None]
            if waiting and time.monotonic() > deadline:
                raise Refused(
                    f"{waiting[0].name} is not ready after {READY_SECONDS:.0f} seconds, it says: {answers[waiting[0]]} "
                    f"(see {waiting[0].log})"
                )

    def _watch(self) -> None:
        """Mend what dies, until asked to stop. What cannot be mended now is tried again: the rest goes on meanwhile."""
        while True:
            self._pause(LOOK_EVERY)
            if self.postgres and self.postgres.died:
                self._attempt("PostgreSQL died; starting it again", partial(self._restart, self.postgres))
            if self.kafka and not self.kafka.alive:
                self._attempt("Kafka died; starting it again", self.kafka.start)
            self._attempt("making the tokens anew", self._refresh_tokens, quiet=True)

    def _restart(self, postgres: Cluster) -> None:
        """Start the server again. Raises Refused when it ends at once, as it does on a full disk."""
        postgres.start()
        deadline = time.monotonic() + SETTLED_AFTER
        while time.monotonic() < deadline:
            self._pause(LOOK_EVERY)
            if postgres.died:
                raise Refused(f"PostgreSQL did not start: {postgres.last_complaint()}")

    def _pause(self, seconds: float) -> None:
        """Wait, and start again what services died meanwhile: what takes long while the stack runs waits by this."""
        self.signals.pause(seconds)
        for keeper in self.keepers:
            self._attempt(f"starting {keeper.name} again", partial(keeper.tend, self.say), quiet=True)

    def _attempt(self, what: str, work: Callable[[], None], *, quiet: bool = False) -> None:
        """Do it; when it fails say so, and do it again some seconds later, silently until it succeeds."""
        if time.monotonic() < self._try_again_at.get(what, 0.0):
            return
        failed_before = what in self._try_again_at
        if not quiet and not failed_before:
            self.say(what)
        try:
            work()
        except (Refused, OSError) as error:
            if not failed_before:
                self.say(f"This failed and is tried again until it succeeds: {what}. {explain(error)}")
            self._try_again_at[what] = time.monotonic() + TRY_AGAIN_AFTER
        else:
            self._try_again_at.pop(what, None)

    def _greet(self) -> None:
        """Say where everything is; the curl makes the first unit on a new state, and lists the units on a known one."""
        token = self.state.token(ADMIN).read_text()
        for name in self.programs.services:
            self.say(f"  {name:<15} http://{LOOPBACK}:{self.settings.port(name)}/docs")
        self.say(f"a token for an admin of unit {FIRST_UNIT['code']}, good for 24 hours:\n{token}")
        call = (
            f"curl -sS -H 'Authorization: Bearer {token}' http://{LOOPBACK}:{self.settings.port('visit_api')}/v1/units"
        )
        if not self.state.recall("greeted"):
            # With the key, pasting it twice gives the first answer again.
            body = json.dumps(FIRST_UNIT, ensure_ascii=False, separators=(",", ":"))
            call += f" -H 'Idempotency-Key: first-unit' -H 'Content-Type: application/json' -d '{body}'"
            self.state.remember("greeted", True)
        self.say(f"a first call:\n{call}")
        self.say("ready")
