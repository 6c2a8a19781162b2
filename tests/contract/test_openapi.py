"""The OpenAPI documents: committed, fresh, and true of every route."""

import json
from pathlib import Path

import pytest

from chassis.process import document
from chassis.web.auth import ROLES
from tests.contract.places import Place, operation, places, service
from tests.support.databases import SERVICES

COMMITTED = Path(__file__).parents[2] / "contracts" / "openapi"


@pytest.mark.parametrize("name", SERVICES)
def test_the_committed_document_is_fresh(name: str) -> None:
    path = COMMITTED / f"{name}.json"
    fresh = path.exists() and path.read_bytes() == document(service(name))
    assert fresh, f"contracts/openapi/{name}.json is stale: run `make generate` and commit what it writes"


def test_nothing_else_is_committed_beside_them() -> None:
    assert sorted(path.stem for path in COMMITTED.iterdir()) == sorted(SERVICES)


@pytest.mark.parametrize("place", places(), ids=lambda place: place.name)
def test_every_route_is_described(place: Place) -> None:
    its = operation(place)
    assert its["summary"]
    assert its["description"], "a route says in a sentence what it promises"
    assert set(its["x-roles"]) == place.roles <= ROLES
    assert any(200 <= int(status) < 300 for status in its["responses"])
    promised = {"401", "403", "422", "503"} | ({"304", "404"} if place.reads else {"400", "409", "413", "415"})
    assert promised <= its["responses"].keys()
    for status, answer in its["responses"].items():
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"], status


def test_every_operation_has_a_name_of_its_own() -> None:
    for name in SERVICES:
        paths = json.loads(document(service(name)))["paths"]
        names = [its["operationId"] for methods in paths.values() for its in methods.values()]
        assert len(names) == len(set(names))
