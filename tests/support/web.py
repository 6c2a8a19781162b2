"""An app made by the chassis for tests: no service, its own routes, a database only where a test brings one.

And how tests call an app, this one or a service's: in the same process, with no socket in between.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport
from starlette.types import ASGIApp

from chassis.runtime import Runtime, RuntimeSettings
from chassis.web.app import create_app
from tests.support.tokens import AUDIENCE, ISSUER, Issuer

# httpx looks for it at each call of an app, through all of the path; it is not there.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"


class InProcess(httpx.AsyncClient):
    """A client of `app`. It follows no redirect and keeps no cookie, for which httpx takes as long as the app."""

    def __init__(self, app: ASGIApp, *, host: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(transport=ASGITransport(app, raise_app_exceptions=False), base_url=host, headers=headers)

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        if not stream:
            await response.aread()
        return response


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The address of `app` behind a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


class Settings(RuntimeSettings, env_prefix="TESTING_"):
    """Settings that the environment of a test run does not reach."""


def app_of(
    issuer: Issuer, *routers: APIRouter, database_url: str = NOWHERE, units: Any = None, **settings: Any
) -> FastAPI:
    """An app of `routers` that trusts `issuer`; `app.state.runtime` is the caller's to close if it was used."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "bus_database_url": NOWHERE,
        "auth_issuer": ISSUER,
        "auth_audience": AUDIENCE,
        "auth_jwks": str(issuer.jwks),
        **settings,
    }
    runtime = Runtime("testing", Settings(**values))
    return create_app(runtime, title="Testing", version="1", routers=routers, units=units)


def client_of(app: ASGIApp, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client of `app`, no socket in between; what the app does not answer itself is raised."""
    return httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://testing", headers=headers)
