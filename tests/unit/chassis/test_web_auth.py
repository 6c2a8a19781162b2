"""Tokens that prove nothing are 401, roles that do not suffice are 403, and both come before anything is read."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from chassis.clock import ManualClock
from chassis.outage import Outage
from chassis.web import tokens
from chassis.web.auth import require
from chassis.web.errors import InvalidToken
from chassis.web.tokens import Tokens
from tests.support.tokens import AUDIENCE, ISSUER, Issuer
from tests.support.web import client_of

NOW = int(time.time())
LIFE = 6 * 3600  # seconds; the suite may have been running for a while when a token is shown
GOOD = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": NOW,
    "exp": NOW + LIFE,
    "sub": "E001",
    "unit": "32",
    "roles": ["visitor"],
}


def signed(issuer: Issuer, claims: dict[str, Any], **headers: Any) -> str:
    return jwt.encode(claims, issuer.key, algorithm="ES256", headers={"kid": issuer.kid, **headers})


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != claim}


BAD_CLAIMS = {
    "expired": {**GOOD, "exp": NOW - 60},
    "not yet valid": {**GOOD, "nbf": NOW + LIFE // 2},
    "issued in the future": {**GOOD, "iat": NOW + LIFE // 2},
    "wrong audience": {**GOOD, "aud": "another"},
    "wrong issuer": {**GOOD, "iss": "https://another.test"},
    "no exp": without("exp"),
    "no iat": without("iat"),
    "no aud": without("aud"),
    "no iss": without("iss"),
    "no sub": without("sub"),
    "no unit": without("unit"),
    "no unit, and more than a service": {**without("unit"), "roles": ["visitor", "service"]},
    "empty sub": {**GOOD, "sub": ""},
    "sub with a line end": {**GOOD, "sub": "E001\n"},
    "unit with a NUL": {**GOOD, "unit": "32\0"},
    "unit a number": {**GOOD, "unit": 32},
    "roles a string": {**GOOD, "roles": "admin"},
    "endless exp": {**GOOD, "exp": float("inf")},
}


@pytest.mark.parametrize("flaw", BAD_CLAIMS)
async def test_a_token_with_a_flaw_is_401(stranger: httpx.AsyncClient, issuer: Issuer, flaw: str) -> None:
    token = jwt.api_jws.encode(json.dumps(BAD_CLAIMS[flaw]).encode(), issuer.key, "ES256", {"kid": issuer.kid})
    await refused(stranger, token)


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "unknown"},
        {"kid": None},
        {"crit": ["exp"]},
        {"jku": "https://evil.test/keys"},
        {"x5u": "https://evil.test/cert"},
        {"jwk": {"kty": "EC"}},
        {"typ": "dpop+jwt"},
    ],
)
async def test_a_token_with_a_forbidden_header_is_401(
    stranger: httpx.AsyncClient, issuer: Issuer, headers: dict[str, Any]
) -> None:
    headers = {"kid": issuer.kid, **headers}
    given = {name: value for name, value in headers.items() if value is not None}
    await refused(stranger, jwt.encode(GOOD, issuer.key, algorithm="ES256", headers=given))


async def test_a_token_of_another_key_or_algorithm_is_401(stranger: httpx.AsyncClient, issuer: Issuer) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    header = {"kid": issuer.kid}
    good = signed(issuer, GOOD)
    head, claims, signature = good.split(".")
    for token in (
        jwt.encode(GOOD, other, algorithm="ES256", headers=header),
        jwt.encode(GOOD, "", algorithm="none", headers=header),
        by_public_key(issuer),
        f"{head}.{claims}.",
        f"{head}.{claims}",
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"{head}.{claims[:-4]}AAAA.{signature}",
        "汉字",
        "a.b.c",
        "..",
        "=",
    ):
        await refused(stranger, token)


def by_public_key(issuer: Issuer) -> str:
    """The classic forgery: HMAC with the public key as the secret, which PyJWT itself refuses to make."""
    public = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": issuer.kid}).encode()).rstrip(b"=")
    body = head + b"." + urlsafe_b64encode(json.dumps(GOOD).encode()).rstrip(b"=")
    return (body + b"." + urlsafe_b64encode(hmac.digest(public, body, "sha256")).rstrip(b"=")).decode()


async def test_a_token_beyond_8_kb_is_401(stranger: httpx.AsyncClient, issuer: Issuer) -> None:
    await refused(stranger, signed(issuer, {**GOOD, "padding": "x" * 8192}))


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc"])
async def test_no_token_is_401_with_a_challenge(stranger: httpx.AsyncClient, header: str | None) -> None:
    answer = await stranger.get("/v1/notes", headers={} if header is None else {"authorization": header})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/v1/notes", headers=[(b"authorization", b"Bearer " + token.encode())])
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/invalid-token")
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert set(answer.json()) == {"type", "title", "status", "trace_id"}, "the reason is not told"


async def test_a_remembered_token_expires_all_the_same(issuer: Issuer) -> None:
    clock = ManualClock(datetime.now(UTC))
    verifier = Tokens(ISSUER, AUDIENCE, str(issuer.jwks), clock)
    token = signed(issuer, GOOD)
    assert await verifier.principal(token) == await verifier.principal(token)
    clock.advance(timedelta(seconds=LIFE + tokens.LEEWAY))
    with pytest.raises(InvalidToken):
        await verifier.principal(token)


@pytest.mark.parametrize(
    ("roles", "statuses"),
    [
        # POST notes, GET notes, POST lock (supervisor, handler), GET words (service)
        (["visitor"], (201, 200, 403, 403)),
        (["supervisor"], (201, 200, 409, 403)),
        (["visitor", "handler"], (201, 200, 409, 403)),
        (["admin"], (201, 200, 409, 403)),
        (["auditor"], (403, 200, 403, 403)),
        (["auditor", "handler"], (201, 200, 409, 403)),
        (["integration"], (201, 200, 403, 403)),
        (["service"], (403, 403, 403, 200)),
        (["janitor"], (403, 403, 403, 403)),
        ([], (403, 403, 403, 403)),
    ],
)
async def test_roles_decide_what_may_be_done(
    stranger: httpx.AsyncClient, issuer: Issuer, roles: list[str], statuses: tuple[int, ...]
) -> None:
    stranger.headers.update(issuer.headers(*roles, unit=None if roles == ["service"] else "32"))
    answers = (
        await stranger.post("/v1/notes", json={"title": "a"}),
        await stranger.get("/v1/notes"),
        await stranger.post(f"/v1/notes/{uuid4()}/lock"),
        await stranger.get(f"/v1/notes/{uuid4()}/words"),
    )
    assert tuple(answer.status_code for answer in answers) == statuses


async def test_authorisation_comes_before_the_body_is_read(stranger: httpx.AsyncClient, issuer: Issuer) -> None:
    json_type = {"content-type": "application/json"}
    assert (await stranger.post("/v1/notes", content=b"{" * 2_000_000, headers=json_type)).status_code == 401
    auditor = issuer.headers("auditor", unit="32")
    assert (await stranger.post("/v1/notes", content=b"{", headers=auditor | json_type)).status_code == 403


def test_a_guard_knows_only_real_roles() -> None:
    with pytest.raises(ValueError, match="janitor"):
        require("janitor")


def jwks(folder: Path, *keys: dict[str, Any]) -> Path:
    file = folder / "jwks.json"
    file.write_text(json.dumps({"keys": keys}))
    return file


async def test_each_accepted_algorithm_is_accepted(tmp_path: Path) -> None:
    rsa_key = rsa.generate_private_key(65537, 2048)
    ed_key = ed25519.Ed25519PrivateKey.generate()
    file = jwks(
        tmp_path,
        {**json.loads(RSAAlgorithm.to_jwk(rsa_key.public_key())), "kid": "rsa"},
        {**json.loads(OKPAlgorithm.to_jwk(ed_key.public_key())), "kid": "ed"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "RSA", "kid": "broken"},
    )
    verifier = Tokens(ISSUER, AUDIENCE, str(file))
    for key, algorithm, kid in ((rsa_key, "RS256", "rsa"), (ed_key, "EdDSA", "ed")):
        token = jwt.encode(GOOD, key, algorithm=algorithm, headers={"kid": kid})
        assert (await verifier.principal(token)).sub == "E001"
    for token in (
        jwt.encode(GOOD, rsa_key, algorithm="PS256", headers={"kid": "rsa"}),
        jwt.encode(GOOD, rsa_key, algorithm="RS512", headers={"kid": "rsa"}),
        jwt.encode(GOOD, ed_key, algorithm="EdDSA", headers={"kid": "rsa"}),
        jwt.encode(GOOD, "secret" * 9, algorithm="HS256", headers={"kid": "shared"}),
    ):
        with pytest.raises(InvalidToken):
            await verifier.principal(token)


async def test_a_weak_rsa_key_is_not_used(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    file = jwks(tmp_path, {**json.loads(RSAAlgorithm.to_jwk(weak.public_key())), "kid": "weak"})
    private = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = jwt.encode(GOOD, private, algorithm="RS256", headers={"kid": "weak"})
    with pytest.raises(Outage):
        await Tokens(ISSUER, AUDIENCE, str(file)).principal(token)


async def test_a_new_key_is_found_and_asked_for_at_most_every_30_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer(tmp_path, "first")
    verifier = Tokens(ISSUER, AUDIENCE, str(issuer.jwks))
    old = issuer.token("visitor", unit="32")
    assert await verifier.principal(old)
    renewed = Issuer(tmp_path, "second")
    with pytest.raises(InvalidToken):
        await verifier.principal(renewed.token("visitor", unit="32"))
    monkeypatch.setattr(tokens, "REFETCH_AFTER", 0.0)
    assert await verifier.principal(renewed.token("visitor", unit="32"))
    with pytest.raises(InvalidToken):
        await verifier.principal(old)  # its key was withdrawn, remembered or not


async def test_the_old_keys_stay_good_while_the_issuer_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(tmp_path)
    verifier = Tokens(ISSUER, AUDIENCE, str(issuer.jwks))
    assert await verifier.principal(issuer.token("visitor", unit="32"))
    monkeypatch.setattr(tokens, "REFETCH_AFTER", 0.0)
    monkeypatch.setattr(tokens, "FRESH_FOR", 0.0)
    for broken in ("", "{}", '{"keys": []}', "[]"):
        issuer.jwks.write_text(broken)
        assert await verifier.principal(issuer.token("visitor", unit="32"))
    issuer.jwks.unlink()
    assert await verifier.principal(issuer.token("visitor", unit="32"))


async def test_keys_that_were_never_heard_are_an_outage(tmp_path: Path, issuer: Issuer) -> None:
    with pytest.raises(Outage):
        await Tokens(ISSUER, AUDIENCE, str(tmp_path / "none.json")).principal(issuer.token("visitor", unit="32"))


async def test_keys_come_over_https_and_not_from_where_a_redirect_leads(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path == "/moved":
            return httpx.Response(302, headers={"location": "https://evil.test/keys"})
        return httpx.Response(200, content=issuer.jwks.read_bytes())

    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(transport=httpx.MockTransport(answer), **options))
    token = issuer.token("visitor", unit="32")
    assert await Tokens(ISSUER, AUDIENCE, "https://issuer.test/keys").principal(token)
    with pytest.raises(Outage):
        await Tokens(ISSUER, AUDIENCE, "https://issuer.test/moved").principal(token)
    assert asked == ["https://issuer.test/keys", "https://issuer.test/moved"]


async def test_an_app_without_a_reachable_key_set_answers_503(app: FastAPI, issuer: Issuer, tmp_path: Path) -> None:
    app.state.tokens = Tokens(ISSUER, AUDIENCE, str(tmp_path / "none.json"))
    async with client_of(app, issuer.headers("visitor", unit="32")) as client:
        answer = await client.get("/v1/notes")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_auditor_may_ask_what_takes_a_body(app: FastAPI, issuer: Issuer) -> None:
    async with client_of(app, issuer.headers("auditor", unit="32")) as auditor:
        assert (await auditor.post("/v1/notes/counting", json=[{"title": "x"}])).json() == 1
        assert (await auditor.post("/v1/notes", json={"title": "x"})).status_code == 403
    async with client_of(app, issuer.headers("service")) as service:
        assert (await service.post("/v1/notes/counting", json=[])).status_code == 403
