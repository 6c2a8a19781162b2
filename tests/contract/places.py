"""Every route of every service, as the committed documents have them: that they are true, `test_openapi` shows by
walking the apps. To make those takes seconds, in every process that collects tests."""

import importlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.routing import Route

from chassis.process import Service
from chassis.runtime import Runtime
from chassis.web.route import UnitOfWorkRoute
from tests.support.databases import SERVICES
from tests.support.tokens import AUDIENCE, ISSUER
from tests.support.web import NOWHERE

COMMITTED = Path(__file__).parents[2] / "contracts" / "openapi"
OVERWRITING = frozenset({"PUT", "PATCH", "DELETE"})
# What is asked for within a thing, by the parameter's name.
WITHIN = {"number": "1"}
JSON = "application/json"


class Place(NamedTuple):
    """A route as a caller knows it; `roles` are those that may call it, as its guard says."""

    service: str
    method: str
    path: str
    roles: frozenset[str]
    overwrites: bool = False

    @property
    def name(self) -> str:
        """As the tables of these tests name it."""
        return f"{self.service} {self.method} {self.path}"

    @property
    def thing(self) -> str | None:
        """Service and path up to the first parameter: what kind of thing it is about; None for no certain one."""
        before, brace, _ = self.path.partition("}")
        return f"{self.service} {before}{brace}" if brace else None

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def headers(self) -> dict[str, str]:
        """What a call needs beside its token: whatever is overwritten may be."""
        return {"If-Match": "*"} if self.overwrites else {}

    def at(self, name: str) -> str:
        """The path for the thing called `name`, below the prefix that clients of a test's stack have already."""
        whole = re.sub(r"{(\w+)}", lambda found: WITHIN.get(found[1], name), self.path)
        return whole.removeprefix("/v1")


@cache
def service(name: str) -> Service:
    """A service as its `__main__` declares it."""
    its: Service = importlib.import_module(f"{name}.__main__").SERVICE
    return its


@cache
def app_of(name: str) -> FastAPI:
    """A service's app, without anything behind it; nothing is connected to."""
    values: dict[str, Any] = {
        "port": 1,
        "database_url": NOWHERE,
        "bus": "embedded",
        "bus_database_url": NOWHERE,
        "auth_issuer": ISSUER,
        "auth_audience": AUDIENCE,
        "auth_jwks": "nowhere.json",
    }
    return service(name).app(Runtime(name, service(name).settings(**values)))


@cache
def document_of(name: str) -> dict[str, Any]:
    """A service's OpenAPI document, as it is committed."""
    its: dict[str, Any] = json.loads((COMMITTED / f"{name}.json").read_bytes())
    return its


@cache
def places() -> tuple[Place, ...]:
    """Every guarded route of the three services."""
    return tuple(
        Place(name, method.upper(), path, frozenset(its["x-roles"]), any(map(_is_match, its.get("parameters", ()))))
        for name in SERVICES
        for path, methods in document_of(name)["paths"].items()
        for method, its in methods.items()
        if its.get("security") != []
    )


def _is_match(parameter: dict[str, Any]) -> bool:
    return parameter["name"] == "If-Match"


def walked() -> set[Place]:
    """The same, as the apps have them."""
    return {
        Place(name, method, route.path, route.guard.admitted(method), route.overwrites and method in OVERWRITING)
        for name in SERVICES
        for route in app_of(name).routes
        if isinstance(route, UnitOfWorkRoute)
        for method in route.methods or ()
    }


def unguarded() -> set[str]:
    """The paths of every service that no guard stands before."""
    routes = [route for name in SERVICES for route in app_of(name).routes]
    return {
        route.path if isinstance(route, Route) else repr(route)
        for route in routes
        if not isinstance(route, UnitOfWorkRoute)
    }


def operation(place: Place) -> dict[str, Any]:
    """What the service's OpenAPI document says of a route."""
    its: dict[str, Any] = document_of(place.service)["paths"][place.path][place.method.lower()]
    return its


def takes_body(place: Place) -> bool:
    """Whether the route takes a body at all."""
    return "requestBody" in operation(place)


def takes_bytes(place: Place) -> bool:
    """Whether the body is any bytes there are."""
    return takes_body(place) and JSON not in operation(place)["requestBody"]["content"]


def sent(body: Any) -> dict[str, Any]:
    """The argument by which a client sends a body."""
    return {"content": body} if isinstance(body, bytes) else {"json": body}


def body_schema(place: Place, body: dict[str, Any]) -> dict[str, Any]:
    """The published schema of `body`, references resolved; of several forms the one that has its fields."""
    content = operation(place)["requestBody"]["content"][JSON]
    schema = resolved(place.service, content["schema"])
    forms = schema.get("anyOf", [schema])
    its: dict[str, Any] = next(form for form in forms if body.keys() <= form["properties"].keys())
    return its


def resolved(name: str, schema: Any) -> Any:
    """`schema`, or another part of a service's document, with what its references name in their places."""
    if isinstance(schema, list):
        return [resolved(name, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    _, _, kind, its = schema.get("$ref", "///").split("/")
    named = document_of(name)["components"][kind][its] if its else {}
    merged = {**named, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {key: resolved(name, value) for key, value in merged.items()}


def query_names(place: Place) -> set[str]:
    """The query parameters of a route."""
    return {each["name"] for each in operation(place).get("parameters", ()) if each["in"] == "query"}
