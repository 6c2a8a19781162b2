"""Starts the whole stack in order, keeps it running in the foreground, stops it in reverse order."""

import json
import os
import sys
import time
from contextlib import ExitStack

from deploy.local import clock, files, processes
from deploy.local.cluster import Cluster, own_server
from deploy.local.errors import Refused
from deploy.local.kafka import Kafka
from deploy.local.keeper import Keeper
from deploy.local.leftovers import stop_leftovers
from deploy.local.processes import LOOPBACK
from deploy.local.services import REAL, Programs, base_environment
from deploy.local.settings import ROOT, Settings
from deploy.local.signals import Signals
from deploy.local.state import ADMIN, State

READY_SECONDS = 90.0
LOOK_EVERY = 0.5  # seconds; the death of a child is noticed at once
REFRESH_AFTER = 3600.0  # seconds, of real time, after which the services' tokens, good for a day, are made anew
FIRST_UNIT = {"code": "37401", "name": "济南供电公司"}


class Supervisor:
    """One stack; `programs` are the real ones unless a test brings its own. Kept small: it stays in memory."""

    def __init__(self, settings: Settings, signals: Signals, programs: Programs = REAL) -> None:
        self.settings, self.signals, self.programs = settings, signals, programs
        self.state = State(settings.state_dir)
        self.postgres: Cluster | None = None
        self.kafka: Kafka | None = None
        self.keepers: list[Keeper] = []

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
        """Tell the terminal; the stack goes on when nobody listens any more (`make up | head`)."""
        try:
            print(text, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _start_kafka(self, running: ExitStack) -> None:
        if self.settings.bus != "kafka" or self.settings.kafka_bootstrap_servers:
            return
        self.say("starting Kafka (the first time its jars are fetched)")
        port, cache = self.settings.port("kafka"), self.settings.cache
        self.kafka = Kafka(self.state.folder, port, cache=cache, pause=self.signals.pause)
        running.callback(self.kafka.stop)
        self.kafka.launch()

    def _start_postgres(self, running: ExitStack) -> None:
        self.postgres = own_server(self.state.folder, self.settings.port("postgres"), self.settings.postgres)
        if self.postgres is not None:
            self.say("starting PostgreSQL")
            running.callback(self.postgres.stop)
            self.postgres.start()

    def _prepare(self, *words: str) -> None:
        """Have databases, tokens and environments made. Raises Refused with what the one who does it says."""
        if not words:
            self.say("preparing the databases")
        if self.kafka:
            self.kafka.wait()
        said = self.state.logs / "prepare.log"
        said.unlink(missing_ok=True)
        with files.open_log(said) as log:
            child = processes.spawn([*self.programs.prepare, *words], log=log, env=base_environment(), cwd=ROOT)
        try:
            while child.poll() is None:
                if self.postgres and self.postgres.died:
                    raise Refused(f"PostgreSQL did not start: {self.postgres.last_complaint()}")
                self.signals.pause(LOOK_EVERY)
        finally:
            processes.stop_child(child, processes.AT_ONCE)
        if child.returncode != 0:
            raise Refused(said.read_text(errors="replace").strip())

    def _start_services(self, running: ExitStack) -> None:
        self.say("starting the services")
        for name, command in self.programs.services.items():
            env = {**base_environment(), **files.read_json(self.state.environment(name))}
            log, pid = self.state.logs / f"{name}.log", self.state.run / f"{name}.pid"
            self.keepers.append(Keeper(name, self.settings.port(name), command, env, log, pid))
            running.callback(self.keepers[-1].stop)
        # Run before those when all stops: every service is asked at once, then each is waited for.
        for keeper in self.keepers:
            running.callback(keeper.ask_to_stop)
        for keeper in self.keepers:
            keeper.start()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = self.keepers
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
        """Mend what dies, until asked to stop."""
        while True:
            self.signals.pause(LOOK_EVERY)
            if self.postgres and self.postgres.died:
                self.say("PostgreSQL died; starting it again")
                self.postgres.start()
            if self.kafka and not self.kafka.alive:
                self.say("Kafka died; starting it again")
                self.kafka.start()
            for keeper in self.keepers:
                keeper.tend(self.say)
            if time.time() - self.state.token(ADMIN).stat().st_mtime > REFRESH_AFTER:
                self._prepare("tokens")

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
