"""Schemathesis over the three documents: whatever is sent, no server error, and only answers that are described."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.contract import right
from tests.contract.house import House, Json
from tests.contract.places import Place, places, takes_body, takes_bytes
from tests.support.stack import Stack

if TYPE_CHECKING:  # loaded by whoever runs these tests, and not where they are only collected
    from requests import Session

# Fields that say which thing or time is meant; a random one is hardly ever right.
NAMES = {"unit_code", "parent_code", "customer_id", "visitor_ids", "policy", "at", "received_at"}


@pytest.fixture(scope="session")
async def loop() -> asyncio.AbstractEventLoop:
    """The loop that the services live on; between two requests nothing runs on it."""
    return asyncio.get_running_loop()


@pytest.fixture(scope="session")
async def fuzzed(whole_stack: Stack) -> House:
    """A company that nobody else relies on."""
    its = House(whole_stack)
    await its.found()
    return its


@pytest.fixture
def session(place: Place, fuzzed: House, loop: asyncio.AbstractEventLoop) -> Iterator["Session"]:
    """A session that leads into the place's service."""
    from requests import Session

    from tests.contract.fuzz import IntoApp

    member = fuzzed.stack[place.service]
    with Session() as session:
        session.trust_env = False
        session.mount("http://", IntoApp(member.client({}), loop))
        yield session


@pytest.fixture
def right_call(place: Place, fuzzed: House, loop: asyncio.AbstractEventLoop) -> tuple[str, Json]:
    """A thing that the place can be about, and a right body."""

    async def prepare() -> tuple[str, Json]:
        spoken = takes_body(place) and not takes_bytes(place)
        find = right.standing if place.reads else right.thing
        return await find(place, fuzzed), await right.body(place, fuzzed) if spoken else {}

    return loop.run_until_complete(prepare())


@pytest.fixture
def token(place: Place, fuzzed: House) -> Callable[[], str]:
    """Gives a token of a new caller each time."""
    role = "admin" if "admin" in place.roles else min(place.roles)
    numbers = count()
    return lambda: fuzzed.stack.issuer.token(role, unit=fuzzed.top, sub=f"fuzz-{next(numbers)}")


@pytest.mark.parametrize("place", places(), ids=lambda place: place.name)
def test_nothing_that_is_sent_breaks_a_route(
    place: Place, session: "Session", right_call: tuple[str, Json], token: Callable[[], str]
) -> None:
    from tests.contract.fuzz import fuzz

    thing, body = right_call
    names = {name: body[name] for name in NAMES & body.keys()}
    fuzz(place, session, thing=thing, names=names, token=token, examples=5, always_the_same=True)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", places(), ids=lambda place: place.name)
def test_nothing_that_is_sent_breaks_a_route_in_many_tries(
    place: Place, session: "Session", right_call: tuple[str, Json], token: Callable[[], str]
) -> None:
    from tests.contract.fuzz import fuzz

    thing, body = right_call
    names = {name: body[name] for name in NAMES & body.keys()}
    fuzz(place, session, thing=thing, names=names, token=token, examples=100, always_the_same=False)
