"""`create_app`: the web side of a service, whole."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.runtime import Runtime
from chassis.web import answer
from chassis.web.documents import openapi_json, openapi_of, problem_types
from chassis.web.errors import NotFound
from chassis.web.head import Head
from chassis.web.observe import Observe
from chassis.web.tokens import Tokens

__all__ = ["create_app", "openapi_json"]


def create_app(
    runtime: Runtime, *, title: str, version: str, routers: Sequence[APIRouter], units: Any = None
) -> FastAPI:
    """The app of the runtime's service. It opens nothing: the runtime owns what is to be closed. `units`: the tree by
    which it is told what a caller sees."""
    settings = runtime.settings
    app = FastAPI(
        title=title,
        version=version,
        # Taken over flat: one pass over the routes per request, and each knows its whole path.
        routes=[*(route for router in routers for route in router.routes), _PROBLEMS],
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.runtime = runtime
    app.state.units = units
    app.state.tokens = Tokens(settings.auth_issuer, settings.auth_audience, settings.auth_jwks)
    app.add_middleware(Head)
    app.add_middleware(Observe, service=runtime.service)  # the last one added is the outermost
    answer.install(app)

    def openapi() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or openapi_of(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


async def _problem_type(request: Request) -> Response:
    kind = problem_types().get(request.path_params["slug"])
    if kind is None:
        raise NotFound
    return JSONResponse(kind)


# So that a problem's `type` leads somewhere.
_PROBLEMS = Route("/problems/{slug}", _problem_type, methods=["GET"], include_in_schema=False)
