"""Idempotency-Key: the first answer is kept in the write's own transaction, and given again to whoever repeats it.

What was asked and answered may be personal: the answer is sealed for its row, and the request is known again by a keyed
hash. What a version before kept in the clear is answered until it expires. Nothing is sealed anew when keys change, for
nothing stays for long.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import msgspec
from fastapi import Request
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.db import driver
from chassis.messaging.schema import may_delete
from chassis.vault import Place, Vault
from chassis.web.errors import BadIdempotencyKey, IdempotencyInProgress, IdempotencyMismatch

HEADER = "Idempotency-Key"

DDL = """
CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint,
    headers text,
    body bytea,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_stored ON idempotency_keys (stored_at);
""" + may_delete("idempotency_keys")

# What an own migration of each service adds.
SEALED_DDL = "ALTER TABLE idempotency_keys ADD COLUMN sealed bytea;"

_Owner = tuple[str, str]  # the caller, and the key
_FIELD = "idempotency_keys.fingerprint"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REPLAYED_HEADERS = ("content-type", "location", "etag")

# In one round trip, for every write that brings a key passes here: a twin is waited for so long, and then whatever the
# write itself locks is waited for as before.
_CLAIM = """
WITH patience AS MATERIALIZED (
    SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', '100ms', true)
)
INSERT INTO idempotency_keys (principal, key, fingerprint) SELECT $1, $2, $3 FROM patience
ON CONFLICT DO NOTHING RETURNING set_config('lock_timeout', (SELECT before FROM patience), true)
"""
_FIND = "SELECT fingerprint, status, headers, body, sealed FROM idempotency_keys WHERE principal = $1 AND key = $2"
_KEEP = "UPDATE idempotency_keys SET status = $3, sealed = $4 WHERE principal = $1 AND key = $2"
_PURGE = text("""
DELETE FROM idempotency_keys WHERE (principal, key) IN (
    SELECT principal, key FROM idempotency_keys WHERE stored_at < now() - CAST(:keep AS interval)
    ORDER BY stored_at LIMIT 10000)
""")


def key_of(request: Request) -> str | None:
    """The request's key, if it has one. Raises `BadIdempotencyKey`."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise BadIdempotencyKey
    return key


async def once(
    begin: Callable[[], Awaitable[AsyncSession]],
    request: Request,
    key: str,
    handle: Callable[[Request], Awaitable[Response]],
) -> Response:
    """The answer kept for `key`, or what `handle` answers now in the transaction that `begin` gives, kept if it is a
    success.

    Raises `IdempotencyInProgress` when a twin is still running after 100 ms, `IdempotencyMismatch` when the key was
    used for another request. A failed answer is not kept, because its transaction is not.
    """
    asked = await _asked(request)  # first: the body may come slowly, and no transaction waits for it
    vault: Vault = request.app.state.runtime.vault
    tx = await begin()
    connection, owner = await driver(tx), (request.state.principal.sub, key)
    fingerprint = (await vault.index(tx)).digest(_FIELD, asked)
    if not await _claim(connection, owner, fingerprint):
        status, headers, body = await _kept(tx, vault, owner, asked, fingerprint)
        return Response(body, status, {**headers, "Idempotency-Replayed": "true"})
    response = await handle(request)
    if 200 <= response.status_code < 300:
        headers = {name: response.headers[name] for name in _REPLAYED_HEADERS if name in response.headers}
        its = f"{msgspec.json.encode(headers).decode()}\n{bytes(response.body).decode()}"
        await connection.execute(_KEEP, *owner, response.status_code, await vault.seal(tx, "", _place(owner), its))
    return response


async def purge(tx: AsyncSession, keep: timedelta) -> int:
    """Deletes keys stored longer than `keep` ago, a bounded number; returns how many."""
    result = await tx.execute(_PURGE, {"keep": keep})
    assert isinstance(result, CursorResult)
    return result.rowcount


async def _claim(connection: asyncpg.Connection, owner: _Owner, fingerprint: bytes) -> bool:
    try:
        return await connection.fetchval(_CLAIM, *owner, fingerprint) is not None
    except asyncpg.LockNotAvailableError as error:  # the twin has not ended
        raise IdempotencyInProgress from error


async def _kept(
    tx: AsyncSession, vault: Vault, owner: _Owner, asked: bytes, fingerprint: bytes
) -> tuple[int, dict[str, str], str | bytes]:
    """Status, headers and body of the first answer. Raises `IdempotencyMismatch`."""
    kept = await (await driver(tx)).fetchrow(_FIND, *owner)
    plain = kept["sealed"] is None  # by a version before
    if kept["fingerprint"] != (hashlib.sha256(asked).digest() if plain else fingerprint):
        raise IdempotencyMismatch
    if plain:
        headers, body = kept["headers"], kept["body"]
    else:
        headers, _, body = (await vault.open(tx, _place(owner), kept["sealed"])).partition("\n")
    return kept["status"], msgspec.json.decode(headers, type=dict[str, str]), body


def _place(owner: _Owner) -> Place:
    return Place("idempotency_keys", "sealed", "\0".join(owner))


async def _asked(request: Request) -> bytes:
    """What makes two requests the same: method, target and body; JSON however it is spaced and ordered. Of a body that
    was written to disk as it came, the route left the digest."""
    body = getattr(request.state, "body_digest", None) or await request.body()
    if body and "json" in request.headers.get("content-type", ""):
        body = msgspec.json.encode(await request.json(), order="deterministic")
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return target + body
