"""The three services behind real ports, for clients in processes of their own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from chassis.process import HttpServer
from tests.conftest import START
from tests.support.databases import Databases, free_port
from tests.support.stack import Stack


async def _go_on(stack: Stack) -> None:
    while True:
        await stack.settle()
        await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
async def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Callable[[str], str]]:
    """What the client of a unit is given, in JSON: where the services are, who it is, and what time it is."""
    async with Stack(databases, tmp_path_factory.mktemp("served"), START) as stack:
        ports = {name: free_port() for name in stack.members}
        servers = [HttpServer(name, member.app, "127.0.0.1", ports[name]) for name, member in stack.members.items()]
        running = [server.start() for server in servers]
        running.append(asyncio.create_task(_go_on(stack), name="the stack goes on"))
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

        def given(unit: str) -> str:
            token = stack.issuer.token("admin", unit=unit)
            return json.dumps({"urls": urls, "token": token, "unit": unit, "now": START.isoformat()})

        yield given
        for server in servers:
            await server.stop()
        running[-1].cancel()
        await asyncio.gather(*running, return_exceptions=True)
