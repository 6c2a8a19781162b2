"""An app made by the chassis for tests: no service, its own routes, a database only where a test brings one."""

from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport
from starlette.types import ASGIApp

from chassis.runtime import Runtime, RuntimeSettings
from chassis.web.app import create_app
from tests.support.tokens import AUDIENCE, ISSUER, Issuer

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"


class Settings(RuntimeSettings, env_prefix="TESTING_"):
    """Settings that the environment of a test run does not reach."""


def app_of(issuer: Issuer, *routers: APIRouter, database_url: str = NOWHERE, **settings: Any) -> FastAPI:
    """An app of `routers` that trusts `issuer`; `app.state.runtime` is the caller's to close if it was used."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "bus_database_url": NOWHERE,
        "auth_issuer": ISSUER,
        "auth_audience": AUDIENCE,
        "auth_jwks": str(issuer.jwks),
        **settings,
    }
    return create_app(Runtime("testing", Settings(**values)), title="Testing", version="1", routers=routers)


def client_of(app: ASGIApp, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client of `app`, no socket in between; what the app does not answer itself is raised."""
    return httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://testing", headers=headers)
