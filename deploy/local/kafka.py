"""A local Apache Kafka for the stack and for tests: one KRaft node on loopback, fetched by Maven, no Docker."""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.local import files, processes
from deploy.local.errors import Refused
from deploy.local.processes import LOOPBACK, Pause, PidFile

POM = Path(__file__).parent / "kafka" / "pom.xml"
FETCH = "dependency:copy-dependencies"
OLDEST_JAVA = 17
START_SECONDS = 60.0
STEPS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))
JVM = ("-Xmx256m", "-XX:+UseSerialGC")
SHORT = ("-XX:TieredStopAtLevel=1",)  # tools end before a better compiler pays
INSTALL = "install it (on Debian: apt install openjdk-17-jre-headless maven), or give KAFKA_BOOTSTRAP_SERVERS."


class Kafka:
    """One broker per state directory, on `port`, its controller on the next one; `cache` keeps the jars it runs on."""

    def __init__(self, state_dir: Path, port: int, *, cache: Path | None = None, pause: Pause = time.sleep) -> None:
        self.folder = state_dir.absolute() / "kafka"
        self.log = state_dir.absolute() / "logs" / "kafka.log"
        self.port = port
        self.bootstrap = f"{LOOPBACK}:{port}"
        version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
        self._jars = (cache or state_dir.absolute() / "cache") / f"kafka-{version}"
        self._pid = PidFile(self.folder / "broker.pid")
        self._pause = pause
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the broker and return when it takes connections.

        Raises Refused: no Java or Maven, jars not to be had, port in use, did not start. Leaves nothing running then.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """The first half of `start`: everything but waiting for the broker."""
        files.make_private(self.folder)
        self.stop_leftover()
        for port, purpose in ((self.port, "Kafka"), (self.port + 1, "Kafka's controller")):
            processes.require_free_port(port, purpose)
        java = find_java()
        self._fetch_jars()
        self._configure()
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java)
        with files.open_log(self.log) as log:
            command = [java, *JVM, "-cp", f"{self._jars}/*", "kafka.Kafka", "server.properties"]
            self._child = processes.spawn(command, log=log, env=os.environ, cwd=self.folder)
        self._pid.write(self._child.pid)

    def wait(self) -> None:
        """The second half of `start`."""
        deadline = time.monotonic() + START_SECONDS
        try:
            while not self._answers():
                if not self.alive:
                    raise Refused(f"Kafka did not start; the end of {self.log}:\n{processes.last_lines(self.log)}")
                if time.monotonic() > deadline:
                    raise Refused(f"Kafka did not answer within {START_SECONDS:.0f} seconds (see {self.log}).")
                self._pause(0.05)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the broker and wait until it is gone; safe to call twice."""
        if self._child is not None:
            processes.stop_child(self._child, STEPS)
            self._child = None
            self._pid.clear()

    def stop_leftover(self) -> None:
        """End a broker that a killed supervisor left behind."""
        processes.stop_strangers(lambda: [pid] if (pid := self._pid.pid()) else [], STEPS)
        self._pid.clear()

    def tool(self, main_class: str, *arguments: str) -> list[str]:
        """The command that runs one of Kafka's own console tools, from the same jars."""
        self._fetch_jars()
        return [find_java(), *JVM, *SHORT, "-cp", f"{self._jars}/*", f"org.apache.kafka.tools.{main_class}", *arguments]

    def console_consumer(self, topic: str, bootstrap: str | None = None) -> list[str]:
        """The command that prints a topic from its beginning, keys and headers with it, and goes on listening."""
        shown = [part for name in ("key", "headers") for part in ("--formatter-property", f"print.{name}=true")]
        place = ["--bootstrap-server", bootstrap or self.bootstrap, "--topic", topic, "--from-beginning"]
        return self.tool("consumer.ConsoleConsumer", *place, *shown)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1):
                return True
        except OSError:
            return False

    def _fetch_jars(self) -> None:
        """Fetch once for every stack; whoever comes at the same time waits for it."""
        if self._jars.exists():
            return
        maven = shutil.which("mvn")
        if maven is None:
            raise Refused(f"Fetching a local Apache Kafka needs Maven (mvn), which is not found: {INSTALL}")
        cache = files.make_private(self._jars.parent)
        with files.alone(cache), tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as place:
            if self._jars.exists():
                return
            jars = Path(place) / "jars"
            output = Path(place) / "maven.log"
            quietly = [maven, "-q", "-B", "-C", "-f", str(POM)]
            command = [*quietly, FETCH, f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
            self._run(command, output, f"Maven could not fetch Apache Kafka named in {POM}")
            jars.rename(self._jars)

    def _configure(self) -> None:
        """Write the broker's configuration; the paths in it are relative, for a path may hold what it cannot quote."""
        only_one = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.port + 1}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.port + 1}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{self.port + 1}",
            "log.dirs": "data",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "broker.session.timeout.ms": "6000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": str(16 << 20),  # the default takes half of our heap
            **{f"{topic}.replication.factor": "1" for topic in only_one},
            **{f"{topic}.num.partitions": "1" for topic in only_one},
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.min.isr": "1",
        }
        files.write(self.folder / "server.properties", "".join(f"{name}={value}\n" for name, value in lines.items()))

    def _format(self, java: str) -> None:
        cluster = "local-stack-kafka-0001"  # 22 characters of base64, as Kafka wants; it never meets another cluster
        command = [java, *JVM, *SHORT, "-cp", f"{self._jars}/*", "kafka.tools.StorageTool", "format", "--standalone"]
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self._run([*command, "-t", cluster, "-c", "server.properties"], self.log, "Kafka could not make its data")

    def _run(self, command: list[str], output: Path, failure: str) -> None:
        with files.open_log(output) as log:
            child = processes.spawn(command, log=log, env=os.environ, cwd=self.folder, death_signal=signal.SIGKILL)
        try:
            while child.poll() is None:
                self._pause(0.05)
        finally:
            processes.stop_child(child, STEPS)
        if child.returncode != 0:
            raise Refused(f"{failure}:\n{processes.last_lines(output)}")


def find_java() -> str:
    """The machine's Java. Raises Refused when there is none, or only one too old for Apache Kafka 4."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None) or shutil.which("java")
    if java is None:
        raise Refused(f"A local Apache Kafka needs Java {OLDEST_JAVA} or newer, which is not found: {INSTALL}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version.group(1)) < OLDEST_JAVA:
        shown = (said.strip().splitlines() or ["nothing"])[0]
        raise Refused(f"A local Apache Kafka needs Java {OLDEST_JAVA} or newer, but {java} says {shown}: {INSTALL}")
    return java
