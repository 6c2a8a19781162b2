"""The OpenAPI documents: committed, fresh, and true of every route."""

from collections.abc import Iterator
from typing import Any

import pytest

from chassis.process import document
from chassis.web.auth import ROLES
from tests.contract.places import (
    COMMITTED,
    Place,
    document_of,
    operation,
    places,
    query_names,
    resolved,
    service,
    walked,
)
from tests.contract.right import OWN
from tests.support.databases import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_the_committed_document_is_fresh(name: str) -> None:
    path = COMMITTED / f"{name}.json"
    fresh = path.exists() and path.read_bytes() == document(service(name))
    assert fresh, f"contracts/openapi/{name}.json is stale: run `make generate` and commit what it writes"


def test_they_name_every_guarded_route() -> None:
    assert len(places()) == len(set(places()))
    assert {*places()} == walked()


def test_what_needs_no_token_and_is_told_of_all_the_same_says_so() -> None:
    its = document_of("notifier")["paths"]["/v1/receipts/{channel}/{account}"]["post"]
    assert its["security"] == []
    assert {field["name"] for field in its["parameters"]} >= {"channel", "account", "key", "webhook-signature"}
    assert {"200", "401", "413", "422", "503"} <= its["responses"].keys()


def test_each_is_written_by_one_line() -> None:
    recipe = (COMMITTED.parents[1] / "Makefile").read_text()
    assert [recipe.count(f"contracts/openapi/{name}.json") for name in SERVICES] == [1] * len(SERVICES)


def test_nothing_else_is_committed_beside_them() -> None:
    assert sorted(path.stem for path in COMMITTED.iterdir()) == sorted(SERVICES)


def test_every_route_is_described() -> None:
    for place in places():
        its, name = operation(place), place.name
        assert its["summary"], name
        assert its["description"], f"{name}: a route says in a sentence what it promises"
        assert place.roles <= ROLES, name
        assert any(200 <= int(status) < 300 for status in its["responses"]), name
        promised = {"401", "403", "422", "503"} | ({"304", "404"} if place.reads else {"400", "409", "413", "415"})
        assert promised <= its["responses"].keys(), name
        for status, answer in its["responses"].items():
            if int(status) >= 400:
                content = resolved(place.service, answer)["content"]
                assert list(content) == ["application/problem+json"], (name, status)


def test_every_operation_has_a_name_of_its_own() -> None:
    """Also in two services where it is of what is one's own, and not the same of each."""
    own: list[str] = []
    for name in SERVICES:
        paths = document_of(name)["paths"]
        names = [its["operationId"] for methods in paths.values() for its in methods.values()]
        assert len(names) == len(set(names))
        own += [its["get"]["operationId"] for path, its in paths.items() if f"{name} GET {path}" in OWN]
    assert len(own) == len(OWN) == len(set(own))


def arrays(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an array in a document."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            yield schema
        for part in schema.values():
            yield from arrays(part)


@pytest.mark.parametrize("name", SERVICES)
def test_a_list_of_codes_takes_all_of_them(name: str) -> None:
    for its in arrays(document_of(name)):
        codes = {*resolved(name, its.get("items", {})).get("enum", ())} - {"*"}  # which stands for the others
        assert its.get("maxItems", len(codes)) >= len(codes), codes


def answered(place: Place) -> dict[str, Any]:
    """The schema of a route's 200, references resolved."""
    content = operation(place)["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return dict(resolved(place.service, content.get("schema", {})))


# What is asked for from one day to another is calculated, not kept.
RANGES = {"appeal_tracker GET /v1/calendars/{calendar}/days"}


def test_every_list_comes_in_pages_and_can_be_followed() -> None:
    shapes = {place: answered(place).get("properties", {}).keys() for place in places() if place.reads}
    # What says more than its items is a report.
    lists = {place.name: place for place, shape in shapes.items() if {"items"} <= shape <= {"items", "next"}}
    assert {"appeal_tracker GET /v1/appeals/{id}/timeline", "visit_api GET /v1/units", *RANGES} <= lists.keys()
    for name in lists.keys() - RANGES:
        assert {"limit", "cursor", "updated_since"} <= query_names(lists[name]), name
        assert "next" in shapes[lists[name]], name
