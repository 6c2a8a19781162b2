"""/livez: do the loops of this process move? /readyz: can it do its work now? /metrics. None asks for a token."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

log = logging.getLogger(__name__)

# Returns when what it looks at can be used, raises when not.
Check = Callable[[], Awaitable[object]]
PATIENCE = 3.0  # seconds a check may take


class Moving(Protocol):
    """A part of a process that can say whether it makes progress."""

    name: str

    def healthy(self) -> tuple[bool, str]: ...


def health_router(parts: Sequence[Moving], checks: Mapping[str, Check]) -> APIRouter:
    """The routes that tell of `parts` (read at each request) and `checks`. Each check is made once at a time, and told
    to however many ask meanwhile: nobody needs a token for that, and it takes a connection that no request may have."""
    router = APIRouter(include_in_schema=False)
    running: dict[str, asyncio.Task[tuple[bool, str]]] = {}
    reading = ["GET", "HEAD"]  # as probes and load balancers do

    @router.api_route("/livez", methods=reading)
    async def livez() -> Response:
        return _verdict({part.name: part.healthy() for part in parts})

    @router.api_route("/readyz", methods=reading)
    async def readyz() -> Response:
        passed = await asyncio.gather(*(its_verdict(name) for name in checks))
        return _verdict({part.name: part.healthy() for part in parts} | dict(zip(checks, passed, strict=True)))

    @router.api_route("/metrics", methods=reading)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def its_verdict(name: str) -> tuple[bool, str]:
        if name not in running:
            running[name] = asyncio.create_task(_passes(name, checks[name]))
            running[name].add_done_callback(lambda _: running.pop(name))
        return await asyncio.shield(running[name])  # whoever asked first may go away

    return router


async def _passes(name: str, check: Check) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is why this process is not ready
        log.info("not ready", extra={"check": name, "error": type(error).__name__})
        return False, "not ready"
    return True, "ready"


def _verdict(parts: dict[str, tuple[bool, str]]) -> Response:
    well = all(good for good, _ in parts.values())
    status = {"status": "ok" if well else "unavailable", "parts": {name: said for name, (_, said) in parts.items()}}
    headers = {"Cache-Control": "no-store"} if well else {"Cache-Control": "no-store", "Retry-After": "2"}
    return Response(msgspec.json.encode(status), 200 if well else 503, headers, "application/json")
