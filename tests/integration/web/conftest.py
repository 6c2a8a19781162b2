"""The app of `things` on a real database, as the service's role; each test finds the tables empty."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from chassis import vault
from chassis.vault.masters import new_line
from chassis.web import idempotency
from tests.integration.web import things
from tests.support.databases import Databases
from tests.support.tokens import Issuer
from tests.support.web import app_of, client_of

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of master keys."""
    (file := tmp_path_factory.mktemp("keys") / "keys").write_text(new_line("first"))
    return file


@pytest.fixture(scope="session")
async def dsn(databases: Databases) -> str:
    """The database, as its service role reaches it."""
    urls = databases.server.ensure_database("things")
    owner = await asyncpg.connect(urls.migration)
    await owner.execute(things.DDL + idempotency.DDL + idempotency.SEALED_DDL + vault.DDL)
    await owner.close()
    return urls.service


@pytest.fixture
async def database(dsn: str, databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, as the superuser."""
    connection = await asyncpg.connect(databases.server.dsn(database="things"))
    await connection.execute("TRUNCATE things, units, idempotency_keys")
    yield connection
    await connection.close()


@pytest.fixture
async def app(dsn: str, issuer: Issuer, database: asyncpg.Connection, keys: Path) -> AsyncIterator[FastAPI]:
    app = app_of(issuer, things.router, database_url=dsn, units=things.Unit, database_pool_size=4, vault_keys=keys)
    app.state.told, app.state.gate, app.state.entered = [], asyncio.Event(), asyncio.Event()
    yield app
    await app.state.runtime.db.close()


@pytest.fixture
async def client(app: FastAPI, issuer: Issuer) -> AsyncIterator[Client]:
    """Makes clients: `client(unit="32", sub="E001", roles=("admin",))`."""
    made: list[httpx.AsyncClient] = []

    def make(unit: str | None = "32", sub: str = "E001", roles: tuple[str, ...] = ("admin",)) -> httpx.AsyncClient:
        made.append(client_of(app, issuer.headers(*roles, unit=unit, sub=sub)))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()
