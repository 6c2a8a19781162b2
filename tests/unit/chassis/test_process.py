"""A process of a service: what it says of itself while a part is stuck or broken, and with which code it ends."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from chassis.process import HttpServer
from tests.support.databases import free_port
from tests.support.eventually import eventually
from tests.support.web import NOWHERE

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio
import gc
import time
from chassis import process
from fastapi import FastAPI
from chassis.messaging.handlers import Handlers
from chassis.process import Service, main
from chassis.runtime import RuntimeSettings
from chassis.worker import Worker

class Settings(RuntimeSettings, env_prefix="T_"):
    pass

class Stuck(Worker):
    class Config(Worker.Config):
        stall, longest_backoff = 0.2, 0.0

    async def run_once(self):
        await asyncio.sleep(3600)

class Blocked(Worker):
    async def run_once(self):
        time.sleep(3600)

class Broken(Worker):
    async def run_once(self):
        raise ZeroDivisionError

class Well(Worker):
    async def run_once(self):
        assert all(kind is not Well for kind in gc.get_objects()), "loaded, and looked through for garbage"
        return False

process.LOOP_STUCK = 6.0

def made_of(kind):
    return lambda runtime: [kind("part")]

main(Service(
    name="visit_api",
    settings=Settings,
    writes=[],
    app=lambda runtime: FastAPI(),
    handlers=lambda runtime: Handlers({}),
    processes={"stuck": made_of(Stuck), "blocked": made_of(Blocked), "broken": made_of(Broken), "well": made_of(Well)},
))
"""


def environment(port: int) -> dict[str, str]:
    """What the process is started with."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "services")]),
        "T_PORT": str(port),
        "T_DATABASE_URL": NOWHERE,
        "T_BUS_DATABASE_URL": NOWHERE,
        "T_AUTH_ISSUER": "urn:nobody",
        "T_AUTH_JWKS": "nowhere.json",
    }


@contextmanager
def running(word: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process, and the address of its health."""
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, word]
    process = subprocess.Popen(
        command, env=environment(port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


async def livez(address: str) -> httpx.Response | None:
    async with httpx.AsyncClient(base_url=address) as client:
        try:
            return await client.get("/livez")
        except httpx.TransportError:
            return None


async def test_a_part_that_does_not_move_is_told_and_the_watchdog_ends_the_process() -> None:
    with running("stuck") as (process, address):

        async def not_alive() -> bool:
            answer = await livez(address)
            if answer is None or answer.status_code == 200:
                return False
            assert answer.status_code == 503
            assert answer.json()["parts"]["part"].startswith("no progress for ")
            assert answer.headers["retry-after"]
            return True

        await eventually(not_alive, within=20)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 70
        assert "a part is stuck; the process ends to be started anew" in said


def test_a_loop_that_a_part_blocks_ends_the_process_and_says_where() -> None:
    with running("blocked") as (process, _):
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "in run_once" in said


async def test_a_part_that_moves_is_alive_and_a_signal_ends_it_well() -> None:
    with running("well") as (process, address):

        async def alive() -> bool:
            answer = await livez(address)
            return answer is not None and answer.status_code == 200

        await eventually(alive, within=20)
        async with httpx.AsyncClient(base_url=address) as client:
            head = await client.head("/livez")
        assert (head.status_code, head.content) == (200, b"")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_part_that_breaks_ends_the_process_with_an_error() -> None:
    with running("broken") as (process, _):
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "a part ended by itself" in said
        assert "ZeroDivisionError" in said


def test_a_service_that_seals_says_in_one_sentence_what_it_lacks() -> None:
    program = PROGRAM.replace("processes={", 'sealed=[Sealed("notes", "words")],\n    processes={')
    program = "from chassis.vault import Sealed\n" + program
    env = {**environment(free_port()), "T_MIGRATION_DATABASE_URL": NOWHERE}
    for word in ("well", "rotate-keys"):
        command = [sys.executable, "-c", program, word]
        missing = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert missing.returncode == 2
        said = "T_VAULT_KEYS must name the file of master keys that seal personal text: no file of master keys is named"
        assert missing.stderr.strip() == said


async def test_a_connection_that_rests_longer_than_clients_keep_theirs_is_still_served() -> None:
    """Whoever closes first loses what the other sends at that moment."""
    port = free_port()
    server = HttpServer("http", FastAPI(), "127.0.0.1", port)
    server.start()
    try:
        await eventually(lambda: server.healthy()[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            for rest in (5.5, 0):
                writer.write(b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404")
                await asyncio.sleep(rest)
    finally:
        await server.stop()
