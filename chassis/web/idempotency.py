"""Idempotency-Key: the first answer is kept in the write's own transaction, and given again to whoever repeats it."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
from fastapi import Request
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.messaging.schema import may_delete
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

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REPLAYED_HEADERS = ("content-type", "location", "etag")

_CLAIM = text("""
INSERT INTO idempotency_keys (principal, key, fingerprint) VALUES (:principal, :key, :fingerprint)
ON CONFLICT DO NOTHING RETURNING true
""")
_FIND = text("""
SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE principal = :principal AND key = :key
""")
_KEEP = text("""
UPDATE idempotency_keys SET status = :status, headers = :headers, body = :body
WHERE principal = :principal AND key = :key
""")
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
    tx: AsyncSession, request: Request, key: str, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The answer kept for `key`, or what `handle` answers now, kept if it is a success.

    Raises `IdempotencyInProgress` when a twin is still running after 100 ms, `IdempotencyMismatch` when the key was
    used for another request. A failed answer is not kept, because its transaction is not.
    """
    owner = {"principal": request.state.principal.sub, "key": key}
    fingerprint = await _fingerprint(request)
    if not await _claim(tx, {**owner, "fingerprint": fingerprint}):
        kept = (await tx.execute(_FIND, owner)).one()
        if kept.fingerprint != fingerprint:
            raise IdempotencyMismatch
        headers = msgspec.json.decode(kept.headers, type=dict[str, str])
        return Response(kept.body, kept.status, {**headers, "Idempotency-Replayed": "true"})
    response = await handle(request)
    if 200 <= response.status_code < 300:
        headers = {name: response.headers[name] for name in _REPLAYED_HEADERS if name in response.headers}
        kept_answer = {"status": response.status_code, "headers": msgspec.json.encode(headers).decode()}
        await tx.execute(_KEEP, {**owner, **kept_answer, "body": bytes(response.body)})
    return response


async def purge(tx: AsyncSession, keep: timedelta) -> int:
    """Deletes keys stored longer than `keep` ago, a bounded number; returns how many."""
    result = await tx.execute(_PURGE, {"keep": keep})
    assert isinstance(result, CursorResult)
    return result.rowcount


async def _claim(tx: AsyncSession, row: dict[str, object]) -> bool:
    await tx.execute(text("SET LOCAL lock_timeout = '100ms'"))
    try:
        claimed = bool(await tx.scalar(_CLAIM, row))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_not_available: the twin has not ended
            raise IdempotencyInProgress from error
        raise
    await tx.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    return claimed


async def _fingerprint(request: Request) -> bytes:
    """What makes two requests the same: method, target and body; JSON however it is spaced and ordered. Of a body that
    was written to disk as it came, the route left the digest."""
    body = getattr(request.state, "body_digest", None) or await request.body()
    if body and "json" in request.headers.get("content-type", ""):
        body = msgspec.json.encode(await request.json(), order="deterministic")
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(target + body).digest()
