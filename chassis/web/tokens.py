"""JWT verification: fixed algorithms, required claims, keys from one pinned place; in real time, not domain time."""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from chassis.clock import Clock, RealClock
from chassis.outage import Outage
from chassis.web.errors import InvalidToken

log = logging.getLogger(__name__)

ALGORITHMS = ("ES256", "RS256", "EdDSA")
LONGEST = 8192  # bytes of a token
LEEWAY = 10  # seconds the issuer's clock may differ from ours
REFETCH_AFTER = 30.0  # seconds between two readings of the key set, whatever tokens come
FRESH_FOR = 600.0  # seconds after which a withdrawn key is noticed
_REMEMBERED = 1024  # verified tokens
_FORBIDDEN_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c"})
_SHORTEST_RSA = 2048  # bits


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: `sub` (a staff member's number), unit and roles. Only a service has no unit; it sees everything."""

    sub: str
    unit: str | None
    roles: frozenset[str]


class KeySet:
    """The issuer's public keys by id; while the issuer is away the last ones heard stay good."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._entries: list[Any] = []
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried = self._read_at = float("-inf")
        self._turn = asyncio.Lock()
        self.generation = 0

    async def freshen(self) -> None:
        """Reads the set again when it is old; one caller does so, the others go on with what is there."""
        if time.monotonic() - self._read_at > FRESH_FOR and not (self._keys and self._turn.locked()):
            await self._reload()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key called `kid`. Raises `Outage` while the set could never be read."""
        if kid not in self._keys:
            await self._reload()
        if not self._keys:
            raise Outage("the key set could not be read")
        return self._keys.get(kid)

    async def _reload(self) -> None:
        async with self._turn:
            if time.monotonic() - self._tried < (REFETCH_AFTER if self._keys else 1.0):
                return
            self._tried = time.monotonic()
            try:
                entries = _entries(await self._read())
                keys = _usable(entries)
            except (OSError, ValueError) as error:
                log.warning("the key set could not be read", extra={"error": type(error).__name__})
                return
            self._read_at = time.monotonic()
            if entries != self._entries:
                self._entries, self._keys = entries, keys
                self.generation += 1

    async def _read(self) -> Any:
        if not self._source.startswith("https://"):
            return json.loads(await asyncio.to_thread(Path(self._source).read_bytes))
        return await _fetch(self._source)


async def _fetch(url: str) -> Any:
    import httpx  # 4 MB that a stack with a key set in a file need not carry

    # Redirects are not followed: only the host named in the settings can name keys.
    async with httpx.AsyncClient(timeout=httpx.Timeout(3.0), follow_redirects=False) as client:
        try:
            answer = await client.get(url)
        except httpx.HTTPError as error:
            raise OSError(f"the issuer cannot be reached: {type(error).__name__}") from error
    if answer.status_code != httpx.codes.OK:
        raise ValueError(f"the issuer answered {answer.status_code}")
    return answer.json()


def _entries(document: Any) -> list[Any]:
    entries = document.get("keys") if isinstance(document, dict) else None
    return entries if isinstance(entries, list) else []


def _usable(entries: list[Any]) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry)
        except jwt.PyJWTError as error:
            log.warning("unusable key in the key set", extra={"error": type(error).__name__})
            continue
        weak = key.key_type == "RSA" and key.key.key_size < _SHORTEST_RSA
        if key.algorithm_name in ALGORITHMS and not weak:
            keys[entry["kid"]] = key
    if not keys:
        raise ValueError("no usable key in the key set")
    return keys


class Tokens:
    """Turns a bearer token into the principal it stands for."""

    def __init__(self, issuer: str, audience: str, jwks: str, clock: Clock | None = None) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys = KeySet(jwks)
        self._clock = clock or RealClock()
        # A signature costs 0.1 ms to check, and the same token comes with every request of a session.
        self._verified: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._generation = 0

    async def principal(self, token: str) -> Principal:
        """Raises `InvalidToken`, or `Outage` while the keys could never be read."""
        await self._keys.freshen()
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._verified.clear()
        if token not in self._verified:
            self._verified[token] = await self._verify(token)
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        principal, expires = self._verified[token]
        if expires + LEEWAY <= self._clock.now().timestamp():
            del self._verified[token]
            raise InvalidToken("expired")
        return principal

    async def _verify(self, token: str) -> tuple[Principal, float]:
        if len(token) > LONGEST:
            raise InvalidToken("too long")
        try:
            header = jwt.get_unverified_header(token)
            if _FORBIDDEN_HEADERS & header.keys() or header.get("typ", "JWT").lower() not in ("jwt", "at+jwt"):
                raise InvalidToken("header not allowed")
            if header.get("alg") not in ALGORITHMS:
                raise InvalidToken("algorithm not allowed")
            key = await self._keys.key(header.get("kid", ""))
            if key is None:
                raise InvalidToken("unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            return _principal(claims), float(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
            raise InvalidToken(type(error).__name__) from error


def _principal(claims: dict[str, Any]) -> Principal:
    sub, unit, roles = claims["sub"], claims.get("unit"), claims.get("roles", [])
    if not _name(sub, 255) or not (unit is None or _name(unit, 64)):
        raise InvalidToken("sub or unit malformed")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise InvalidToken("roles malformed")
    if unit is None and set(roles) != {"service"}:
        raise InvalidToken("no unit")
    return Principal(sub, unit, frozenset(roles))


def _name(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
