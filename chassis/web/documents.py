"""OpenAPI: what every route shares, its problems, headers and roles, said once; and a dump that is always the same."""

import json
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import Route

from chassis.web.errors import Problem

_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. Further members say what is known about the case; they depend on the type.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "stable; the kind of problem"},
        "title": {"type": "string", "description": "the kind of problem, in the caller's language"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "header"]},
                    "pointer": {"type": "string", "description": "RFC 6901, into what `in` names"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

_SCHEMAS = "#/components/schemas/"
_RESPONSES = "#/components/responses/"
_EVERY = {401: "no valid token", 403: "role lacking", 422: "not acceptable", 503: "away for the moment"}
_READING = {404: "not there, or not yours to see"}
_FOLLOWED = {410: "what you see is another thing than when you were given the cursor: begin the copy again"}
_WRITING = {
    400: "malformed",
    404: "not there, or not yours to see",
    409: "conflict",
    413: "too large",
    415: "not JSON, or packed",
}
_OVERWRITING = {**_WRITING, 412: "changed since it was read", 428: "If-Match is missing"}


def describe(route: APIRoute, roles: Collection[str], *, overwrites: bool, followed: bool) -> None:
    """Adds to `route` what it has in common with all routes of its method, and the roles that may call it."""
    (method,) = route.methods or {"GET"}
    problems = _EVERY | (_READING if method == "GET" else _OVERWRITING if overwrites else _WRITING)
    problems |= _FOLLOWED if followed else {}
    route.responses = {**{status: _problem(words) for status, words in problems.items()}, **route.responses}
    extra: dict[str, Any] = {"x-roles": sorted(roles)}
    if method == "GET":
        route.responses[304] = {"description": "unchanged"}
        extra["parameters"] = [_header("If-None-Match", "the ETag known already")]
    else:
        extra["parameters"] = [_header("Idempotency-Key", "makes repeating safe", {"minLength": 1, "maxLength": 255})]
    if overwrites:
        extra["parameters"].append({**_header("If-Match", "the ETag of what is overwritten"), "required": True})
    route.openapi_extra = {**extra, **(route.openapi_extra or {})}


class OpenRoute(Route):
    """A route outside the token scheme, and so outside the routes that have a guard, which the document tells of all
    the same: `operation` is what it says."""

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str, operation: Mapping[str, Any]) -> None:
        super().__init__(path, endpoint, methods=[method], include_in_schema=False)
        problems = {str(status): _problem(words) for status, words in {413: "too large", **_EVERY}.items()}
        del problems["403"]  # nobody has a role here
        its = {"security": [], **operation, "responses": {**problems, **operation["responses"]}}
        self.described = {method.lower(): its}


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`. Raises `UserWarning` when two routes have one operation id."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Duplicate Operation ID")
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["paths"] |= {route.path: route.described for route in app.routes if isinstance(route, OpenRoute)}
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), "Problem": _PROBLEM_SCHEMA}
    _say_once(document)
    return _by_title(document)


def _say_once(document: dict[str, Any]) -> None:
    """Puts the problems that routes share into one place, and has each route refer to them."""
    shared = {f"Problem{status}": _problem(words) for status, words in (_EVERY | _OVERWRITING | _FOLLOWED).items()}
    document["components"]["responses"] = shared
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if answer == shared.get(f"Problem{status}"):
                    operation["responses"][status] = {"$ref": f"{_RESPONSES}Problem{status}"}


def _by_title(document: dict[str, Any]) -> dict[str, Any]:
    """Calls each schema by its title, the name of its class. Raises `ValueError` where two have one: what a client is
    generated from would change its names with the next class that is called the same."""
    schemas = document["components"]["schemas"]
    names = {key: schema.get("title", key) for key, schema in schemas.items()}
    twice = sorted(key for key, name in names.items() if list(names.values()).count(name) > 1)
    if twice:
        raise ValueError(f"these schemas bear one name, give each a class name of its own: {', '.join(twice)}")
    document["components"]["schemas"] = {names[key]: schema for key, schema in schemas.items()}
    renamed: dict[str, Any] = _referring(
        document, {f"{_SCHEMAS}{key}": f"{_SCHEMAS}{name}" for key, name in names.items()}
    )
    return renamed


def _referring(node: Any, places: Mapping[str, str]) -> Any:
    """`node` with every reference led to where its schema is now."""
    if isinstance(node, dict):
        return {key: _referring(value, places) for key, value in node.items()}
    if isinstance(node, list):
        return [_referring(value, places) for value in node]
    return places.get(node, node) if isinstance(node, str) else node


def openapi_json(app: FastAPI) -> bytes:
    """The document as committed: the same bytes for the same routes."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def problem_types() -> dict[str, dict[str, Any]]:
    """Every kind of problem this process can answer with, by slug: what a `type` leads to."""
    return {
        slug: {"type": f"/problems/{slug}", "status": kind.status, "title": kind.title._asdict()}
        for slug, kind in Problem.known.items()
    }


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _header(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **(schema or {})}}
