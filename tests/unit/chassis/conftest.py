"""A web app without a database, and a client of it who may do everything."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.support.tokens import Issuer
from tests.support.web import app_of, client_of
from tests.unit.chassis.notes import router


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
def app(issuer: Issuer) -> FastAPI:
    return app_of(issuer, router)


@pytest.fixture
async def admin(app: FastAPI, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, issuer.headers("admin", unit="32")) as client:
        yield client


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with client_of(app) as client:
        yield client
