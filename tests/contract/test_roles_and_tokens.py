"""Every route × every role, and every route × every token that proves nothing."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.web.auth import ADMIN, AUDITOR, ROLES, SERVICE
from tests.contract.house import House
from tests.contract.places import Place, places, unguarded
from tests.support.tokens import AUDIENCE, ISSUER, Issuer

ANYTHING = str(uuid4())  # a thing that there is not; who may not call is not told that
OPEN = {
    "/v1/receipts/{channel}/{account}",
    "/c/{token}",
    "/problems/{slug}",
    "/openapi.json",
    "/docs",
    "/docs/oauth2-redirect",
}
# They read, whatever their method.
ASKING = {
    "appeal_tracker POST /v1/deadline-calculations",
    "notifier POST /v1/routes/preview",
    "notifier POST /v1/templates/preview",
    "visit_api POST /v1/customers/find",
}
FOR_SERVICES = {
    "appeal_tracker POST /v1/appeals/{id}/callback-links/for-send",
    "visit_api GET /v1/appeals/{id}",
    "visit_api GET /v1/staff/{staff_no}/contact",
    "visit_api GET /v1/customers/{id}/contact",
}


async def call(client: httpx.AsyncClient, place: Place, **headers: str) -> httpx.Response:
    """A call with no body that matters: who may not call is refused before it is read."""
    answer = await client.request(place.method, place.at(ANYTHING), content=b"{", headers={**place.headers, **headers})
    assert answer.headers["content-type"] == ("application/json" if answer.is_success else "application/problem+json")
    return answer


def refused(answer: httpx.Response, status: int, slug: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text


def named(place: Place) -> str:
    return place.name


@pytest.mark.parametrize("place", places(), ids=named)
async def test_a_route_admits_the_roles_it_names_and_no_other(place: Place, house: House) -> None:
    for role in ROLES:
        answer = await call(house.client(place.service, role, unit=house.top), place)
        if role in place.roles:
            assert answer.status_code not in (401, 403), (role, answer.text)
        else:
            refused(answer, 403, "forbidden")
    for none in ((), ("root", "Admin", "")):
        refused(await call(house.client(place.service, *none, unit=house.top), place), 403, "forbidden")


def test_what_the_roles_mean_holds_for_every_route() -> None:
    for place in places():
        if place.name in FOR_SERVICES:
            assert place.roles == {SERVICE}, f"{place.name}: what services are given is for no person"
            continue
        assert ADMIN in place.roles, place.name
        reads = place.reads or place.name in ASKING
        assert (AUDITOR in place.roles) is reads, f"{place.name}: an auditor reads what any person may, writes nothing"
        assert SERVICE not in place.roles, place.name


def test_no_route_is_left_unguarded() -> None:
    assert unguarded() == OPEN
    assert {place.name for place in places()} >= FOR_SERVICES | ASKING


def _by_hand(claims: dict[str, Any], algorithm: str, issuer: Issuer) -> str:
    """What no library signs: the head and the claims, to be followed by a signature."""
    parts = ({"alg": algorithm, "typ": "JWT", "kid": issuer.kid}, claims)
    return ".".join(_base64(json.dumps(part).encode()) for part in parts)


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _stranger(issuer: Issuer, kid: str) -> Issuer:
    """Another issuer's key under the name `kid`."""
    folder = issuer.jwks.parent / "stranger"
    folder.mkdir(exist_ok=True)
    return Issuer(folder, kid)


def _public_key_as_secret(claims: dict[str, Any], issuer: Issuer) -> str:
    said = _by_hand(claims, "HS256", issuer)
    return f"{said}.{_base64(hmac.digest(issuer.jwks.read_bytes(), said.encode(), 'sha256'))}"


def worthless(issuer: Issuer, unit: str) -> dict[str, str]:
    """Authorization headers that prove nothing, by what is wrong with them."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": "E1", "unit": unit}
    claims |= {"roles": sorted(ROLES)}
    good = issuer.token(*ROLES, unit=unit)
    head, body, signature = good.split(".")
    tokens = {
        "expired": issuer.token(*ROLES, unit=unit, exp=now - 60),
        "not valid yet": issuer.token(*ROLES, unit=unit, nbf=now + 600),
        "for somebody else": issuer.token(*ROLES, unit=unit, aud="another-installation"),
        "from somebody else": issuer.token(*ROLES, unit=unit, iss="https://elsewhere.test"),
        "of nobody": issuer.token(*ROLES, unit=unit, sub=""),
        "of nowhere": issuer.token(*ROLES),
        "unsigned": _by_hand(claims, "none", issuer) + ".",
        "signature cut off": f"{head}.{body}.",
        "signature altered": f"{head}.{body}.{'A' * len(signature)}",
        "unknown key": _stranger(issuer, "unknown").token(*ROLES, unit=unit),
        "another's key under a known name": _stranger(issuer, issuer.kid).token(*ROLES, unit=unit),
        "public key taken for a secret": _public_key_as_secret(claims, issuer),
        "no token": "not-a-token",
    }
    headers = {name: f"Bearer {token}" for name, token in tokens.items()}
    return {**headers, "empty": "Bearer ", "of another scheme": f"Basic {good}"}


@pytest.fixture(scope="session")
def anybody(house: House) -> dict[str, httpx.AsyncClient]:
    """A client of each service, without a token."""
    return {name: member.client({}) for name, member in house.stack.members.items()}


@pytest.fixture(scope="session")
def bad_headers(house: House) -> dict[str, str]:
    return worthless(house.stack.issuer, house.top)


@pytest.mark.parametrize("place", places(), ids=named)
async def test_a_token_that_proves_nothing_opens_nothing(
    place: Place, anybody: dict[str, httpx.AsyncClient], bad_headers: dict[str, str]
) -> None:
    client = anybody[place.service]
    answers = {name: await call(client, place, Authorization=value) for name, value in bad_headers.items()}
    answers["no header"] = await call(client, place)
    for name, answer in answers.items():
        missing = name in ("no header", "empty", "of another scheme")
        refused(answer, 401, "unauthorized" if missing else "invalid-token")
        assert answer.headers["www-authenticate"].startswith("Bearer"), name
    reasons = {answer.content.replace(answer.json()["trace_id"].encode(), b"") for answer in answers.values()}
    assert len(reasons) == 2, "what is wrong with a token is for the log alone"
