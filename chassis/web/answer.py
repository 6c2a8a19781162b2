"""How problems become answers: the language of the caller, and the framework's own errors."""

from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from chassis.telemetry import current_trace_id
from chassis.web import errors
from chassis.web.errors import Language, NotFound, Problem, Unprocessable
from chassis.web.validation import field_error

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 50

_BY_STATUS: dict[int, type[Problem]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    415: errors.UnsupportedMediaType,
    503: errors.ServiceUnavailable,
}


def language_of(scope: Scope) -> Language:
    """The better liked of Chinese and English by `Accept-Language`; Chinese where that says nothing."""
    likes = {"zh": 0.0, "en": 0.0}
    for part in Headers(scope=scope).get("accept-language", "").lower().split(","):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        for language in likes:
            if tag == "*" or tag.partition("-")[0] == language:
                likes[language] = max(likes[language], weight)
    return "en" if likes["en"] > likes["zh"] else "zh"


def problem_response(scope: Scope, problem: Problem) -> Response:
    """The answer that tells the caller of `problem`; the access log is told too."""
    language = language_of(scope)
    scope.setdefault("state", {})["problem"] = problem
    return Response(
        msgspec.json.encode(problem.body(language, current_trace_id()), enc_hook=str),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={
            **problem.headers,
            "Content-Language": "zh-CN" if language == "zh" else "en",
            "Vary": "Accept-Language",
            "Cache-Control": "no-store",
        },
    )


def from_validation(found: RequestValidationError) -> Problem:
    """The problem behind FastAPI's own check; an id in the path that cannot exist is one that does not."""
    if any(error["loc"][0] == "path" for error in found.errors()):
        return NotFound()
    return Unprocessable(*map(field_error, found.errors()[:_MOST_ERRORS]))


def from_http(raised: HTTPException, request: Request) -> Problem:
    """The problem behind an exception of the framework's own (no such route, no such method)."""
    problem = _BY_STATUS.get(raised.status_code, errors.BadRequest if raised.status_code < 500 else Problem)()
    problem.headers = {**problem.headers, **(raised.headers or {})}
    if isinstance(problem, errors.MethodNotAllowed):
        # The framework names the methods of the first route only.
        routes = [route for route in request.app.routes if isinstance(route, Route)]
        there = [route for route in routes if route.path_regex.match(request.scope["path"])]
        methods: set[str] = set().union(*(route.methods or () for route in there))
        head = {"HEAD"} if "GET" in methods else set()
        problem.headers = {"Allow": ", ".join(sorted(methods | head))}
    return problem


def install(app: FastAPI) -> None:
    """Makes `app` answer every problem, and the framework's own errors, in this one form."""

    async def answer_problem(request: Request, raised: Any) -> Response:
        return problem_response(request.scope, raised)

    async def answer_validation(request: Request, raised: Any) -> Response:
        return problem_response(request.scope, from_validation(raised))

    async def answer_http(request: Request, raised: Any) -> Response:
        return problem_response(request.scope, from_http(raised, request))

    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(RequestValidationError, answer_validation)
    app.add_exception_handler(HTTPException, answer_http)
