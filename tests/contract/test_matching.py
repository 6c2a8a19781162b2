"""A route tells by a path's ends that it is not meant; that must never differ from what matching says."""

from itertools import product
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from chassis.web.route import UnitOfWorkRoute
from tests.contract.places import app_of, places
from tests.support.databases import SERVICES


def paths() -> set[str]:
    """Every route's path about something, and what comes near it."""
    right = {"/v1" + place.at(name) for place, name in product(places(), (str(uuid4()), "a b", ""))}
    return {*right, *(path + "/" for path in right), *(path + "/more" for path in right), "/", "", "//", "/v1"}


@pytest.mark.parametrize("name", SERVICES)
def test_the_ends_of_a_path_tell_what_matching_would(name: str) -> None:
    routes = [route for route in app_of(name).routes if isinstance(route, UnitOfWorkRoute)]
    for path in paths():
        scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
        for route in routes:
            assert route.matches(scope)[0] is APIRoute.matches(route, scope)[0], (route.path, path)
