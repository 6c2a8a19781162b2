"""The local Apache Kafka: started, restarted, killed, read with its own tools. Without Java and Maven it says so."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from deploy.local import kafka as module
from deploy.local import processes
from deploy.local.errors import Refused
from deploy.local.kafka import Kafka
from deploy.local.services import REAL
from deploy.local.settings import ROOT
from tests.support.databases import free_port, free_port_pair
from tests.support.eventually import eventually
from tests.support.local_stack import FAKE, LocalStack

EVENT = '{"词": "走访"}'
CACHE = ROOT / ".state" / "cache"


async def topic(kafka: Kafka) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    name = f"t{uuid4().hex}"
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    await admin.close()
    return name


async def send(kafka: Kafka, to: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(to, value, key=b"k", headers=[("ce_type", b"a.b.v1")])


async def read(kafka: Kafka, of: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(
        of, bootstrap_servers=kafka.bootstrap, group_id=f"g{uuid4().hex}", auto_offset_reset="earliest"
    ) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


@pytest.mark.kafka
class TestBroker:
    async def test_a_broker_left_running_is_replaced_and_records_outlive_that_and_a_kill(self, kafka: Kafka) -> None:
        name = await topic(kafka)
        await send(kafka, name, b"one")
        again = Kafka(kafka.folder.parent, kafka.port, cache=CACHE)
        try:
            again.start()
            assert not kafka.alive
            assert again.alive
            await send(kafka, name, b"two")
            pid = processes.PidFile(kafka.folder / "broker.pid").pid()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda: not again.alive)
        finally:
            again.stop()
            again.stop()
            kafka.start()
        assert await read(kafka, name, 2) == [b"one", b"two"]

    async def test_topics_are_made_by_name_or_not_at_all(self, kafka: Kafka) -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=2000) as producer:
            with pytest.raises(UnknownTopicOrPartitionError):
                await producer.send_and_wait("misspelt", b"x")

    async def test_it_listens_on_loopback_only(self, kafka: Kafka) -> None:
        listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        for port in (kafka.port, kafka.port + 1):
            places = [line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{port}")]
            assert places
            assert all("127.0.0.1" in place for place in places)

    async def test_it_is_a_kafka_4(self, kafka: Kafka) -> None:
        command = kafka.tool("FeatureCommand", "--bootstrap-server", kafka.bootstrap, "describe")
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        level = r"^Feature: metadata\.version\b.*\bFinalizedVersionLevel: 4\.\d"
        assert re.search(level, said, re.MULTILINE), said


@pytest.mark.kafka
class TestStack:
    """`make up BUS=kafka`, with stand-ins for the services."""

    @pytest.mark.usefixtures("kafka")  # says why it is skipped, and has the jars fetched
    async def test_it_brings_its_own_broker_shows_a_topic_and_takes_it_down_again(self, tmp_path: Path) -> None:
        with LocalStack(tmp_path / "state", FAKE, BUS="kafka") as stack:
            stack.up()
            given = surroundings(stack)
            assert given["NOTIFIER_KAFKA_BOOTSTRAP_SERVERS"] == f"127.0.0.1:{stack.port_base + 8}"
            assert (given["NOTIFIER_BUS"], given["NOTIFIER_KAFKA_REPLICATION"]) == ("kafka", "1")
            assert "NOTIFIER_BUS_DATABASE_URL" not in given
            broker = processes.PidFile(stack.state_dir / "kafka" / "broker.pid").pid()
            assert broker in stack.processes()
            assert await shown(stack) == f"ce_type:a.b.v1\tk\t{EVENT}\n"
            stack.kill()
            stack.up()
            assert stack.stop() == 0
            assert stack.processes() == []
            assert stack.run("reset").returncode == 0

    def test_one_that_is_given_is_used(self, kafka: Kafka, tmp_path: Path) -> None:
        with LocalStack(tmp_path / "state", FAKE, BUS="kafka", KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap) as stack:
            stack.up()
            assert surroundings(stack)["VISIT_API_KAFKA_BOOTSTRAP_SERVERS"] == kafka.bootstrap
            assert not (stack.state_dir / "kafka").exists()
            assert stack.stop() == 0
            assert kafka.alive
            assert stack.run("reset").returncode == 0


async def shown(stack: LocalStack) -> str:
    """The line that `make kafka-console` prints of an event on this stack's own broker."""
    broker = Kafka(stack.state_dir, stack.port_base + 8, cache=CACHE)
    name = await topic(broker)
    await send(broker, name, EVENT.encode())
    command = ["make", "-s", "kafka-console", f"PYTHON={sys.executable}", f"TOPIC={name}"]
    console = subprocess.Popen(command, env=stack.environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert console.stdout is not None
    try:
        return console.stdout.readline()
    finally:
        console.terminate()  # it would listen on
        console.communicate(timeout=30)


def surroundings(stack: LocalStack) -> dict[str, str]:
    """The environment that all three services were given."""
    found: dict[str, str] = {}
    for name in REAL.services:
        with urllib.request.urlopen(stack.url(name, "/environment")) as answer:
            found |= json.load(answer)
    return found


class TestRefusals:
    def test_a_machine_without_java(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
        with pytest.raises(Refused, match=r"needs Java 17 or newer, which is not found: install it .*openjdk-17"):
            Kafka(tmp_path, free_port(), cache=CACHE).start()

    def test_a_java_that_is_too_old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        java = tmp_path / "java"
        java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
        java.chmod(0o755)
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
        with pytest.raises(Refused, match=r'17 or newer, but .*/java says openjdk version "11.0.2"'):
            module.find_java()

    def test_a_machine_without_maven(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "find_java", lambda: "java")
        monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
        with pytest.raises(Refused, match=r"needs Maven \(mvn\), which is not found: install it"):
            Kafka(tmp_path, free_port(), cache=tmp_path / "empty").start()

    def test_jars_that_cannot_be_fetched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "mvn").write_text("#!/bin/sh\necho '[ERROR] Could not transfer artifact'\nexit 1\n")
        (tmp_path / "mvn").chmod(0o755)
        monkeypatch.setattr(module, "find_java", lambda: "java")
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
        with pytest.raises(Refused, match=r"(?s)Maven could not fetch Apache Kafka .*Could not transfer artifact"):
            Kafka(tmp_path / "state", free_port(), cache=tmp_path / "empty").start()
        assert [path.name for path in (tmp_path / "empty").iterdir()] == ["lock"]

    def test_a_port_in_use(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            port = free_port_pair() + 1
            taken.bind(("127.0.0.1", port))
            taken.listen()
            with pytest.raises(Refused, match=f"Port {port} .Kafka's controller. is in use"):
                Kafka(tmp_path, port - 1, cache=CACHE).start()
