"""Starts the whole stack in order, keeps it running in the foreground, stops it in reverse order."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from deploy.local import clock, files, processes
from deploy.local.errors import Refused
from deploy.local.kafka import Kafka
from deploy.local.keeper import Keeper
from deploy.local.leftovers import stop_leftovers
from deploy.local.postgres import Postgres
from deploy.local.processes import LOOPBACK
from deploy.local.services import (
    REAL,
    Command,
    Programs,
    Surroundings,
    base_environment,
    bus_environment,
    environment,
    migration_environment,
)
from deploy.local.settings import ROOT, Settings
from deploy.local.signals import Signals
from deploy.local.state import State
from deploy.local.tokens import REFRESH_AFTER, Issuer

READY_SECONDS = 60.0
LOOK_EVERY = 0.5  # seconds; the death of a child is noticed at once
FIRST_UNIT = {"code": "37401", "name": "济南供电公司"}


class Supervisor:
    """One stack; `programs` are the real services unless a test brings its own."""

    def __init__(self, settings: Settings, signals: Signals, programs: Programs = REAL) -> None:
        self.settings, self.signals, self.programs = settings, signals, programs
        self.state = State(settings.state_dir)
        self.say: Callable[[str], None] = lambda text: print(text, flush=True)

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
            self._run(running)

    def _run(self, running: ExitStack) -> None:
        for name in self.programs.services:
            processes.require_free_port(self.settings.port(name), name)
        clock_file = self.state.choose_clock(self.settings.scale)
        issuer = Issuer(self.state.auth)
        issuer.write_service_tokens(list(self.programs.services))
        kafka = self._launch_kafka(running)
        postgres = self._start_postgres(running)
        names = [*self.programs.services, *([] if self.settings.bus == "kafka" else ["bus"])]
        urls = {name: postgres.ensure_database(name) for name in names}
        if kafka:
            kafka.wait()
        bootstrap = self.settings.kafka_bootstrap_servers or (kafka.bootstrap if kafka else None)
        given = Surroundings(self.settings, urls, bootstrap, issuer, clock_file)
        self._migrate(given)
        keepers = self._start_services(running, given)
        self._wait_until_ready(keepers)
        if clock_file is not None:
            clock.set_off(clock_file)
        self._greet(issuer)
        self._watch(postgres, kafka, keepers, issuer)

    def _launch_kafka(self, running: ExitStack) -> Kafka | None:
        if self.settings.bus != "kafka" or self.settings.kafka_bootstrap_servers:
            return None
        self.say("starting Kafka (the first time its jars are fetched)")
        kafka = Kafka(
            self.state.folder, self.settings.port("kafka"), cache=self.settings.cache, pause=self.signals.pause
        )
        running.callback(kafka.stop)
        kafka.launch()
        return kafka

    def _start_postgres(self, running: ExitStack) -> Postgres:
        self.say("starting PostgreSQL")
        port = self.settings.port("postgres")
        postgres = Postgres(self.state.folder, port, self.settings.postgres, pause=self.signals.pause)
        running.callback(postgres.stop)
        postgres.start()
        return postgres

    def _migrate(self, given: Surroundings) -> None:
        """Bring the bus and then every service's database to this version, the services side by side."""
        self.say("migrating the databases")
        if self.settings.bus == "embedded":
            self._run_all({"bus": (*self.programs.bus, "migrate")}, {"bus": bus_environment(given.urls["bus"])})
        self._run_all(
            {name: (*command, "migrate") for name, command in self.programs.services.items()},
            {name: migration_environment(name, given) for name in self.programs.services},
        )

    def _run_all(self, commands: Mapping[str, Command], envs: Mapping[str, Mapping[str, str]]) -> None:
        """Run commands side by side to their end. Raises Refused with the last words of one that failed."""
        with ExitStack() as started:
            children = {}
            for name, command in commands.items():
                with files.open_log(self._log(name)) as log:
                    children[name] = processes.spawn(
                        command, log=log, env={**base_environment(), **envs[name]}, cwd=ROOT
                    )
                started.callback(processes.stop_child, children[name], processes.AT_ONCE)
            while any(child.poll() is None for child in children.values()):
                self.signals.pause(LOOK_EVERY)
        for name, child in children.items():
            if child.returncode != 0:
                raise Refused(
                    f"Migrating {name} failed; the end of {self._log(name)}:\n{processes.last_lines(self._log(name))}"
                )

    def _start_services(self, running: ExitStack, given: Surroundings) -> list[Keeper]:
        self.say("starting the services")
        keepers = []
        for name, command in self.programs.services.items():
            env = environment(name, given)
            files.write_json(self.state.environment(name), env)
            pid = self.state.run / f"{name}.pid"
            everything = {**base_environment(), **env}
            keepers.append(Keeper(name, self.settings.port(name), command, everything, self._log(name), pid))
            running.callback(keepers[-1].stop)
        # Runs first when all stops: every service is asked at once, then each is waited for.
        for keeper in keepers:
            running.callback(keeper.ask_to_stop)
        for keeper in keepers:
            keeper.start()
        return keepers

    def _wait_until_ready(self, keepers: list[Keeper]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = keepers
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

    def _watch(self, postgres: Postgres, kafka: Kafka | None, keepers: list[Keeper], issuer: Issuer) -> None:
        """Mend what dies, until asked to stop."""
        fresh_until = time.monotonic() + REFRESH_AFTER
        while True:
            self.signals.pause(LOOK_EVERY)
            if not postgres.alive:
                self.say("PostgreSQL died; starting it again")
                postgres.start()
            if kafka and not kafka.alive:
                self.say("Kafka died; starting it again")
                kafka.start()
            for keeper in keepers:
                keeper.tend(self.say)
            if time.monotonic() > fresh_until:
                issuer.write_service_tokens([keeper.name for keeper in keepers])
                fresh_until = time.monotonic() + REFRESH_AFTER

    def _greet(self, issuer: Issuer) -> None:
        """Say where everything is; the curl makes the first unit on a new state, and lists the units on a known one."""
        token = issuer.token(["admin"], FIRST_UNIT["code"], None)
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

    def _log(self, name: str) -> Path:
        return self.state.logs / f"{name}.log"
