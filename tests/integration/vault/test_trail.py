"""The trail is written with what it tells of, and nobody who serves can change it."""

import pytest

from chassis import trail
from chassis.clock import ManualClock
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from tests.conftest import START
from tests.integration.vault.conftest import Notes
from tests.support.databases import refusal
from tests.support.tokens import ISSUER
from visit_api.settings import Settings

READER = Principal("E101", "37401", frozenset({"visitor"}))


def runtime(notes: Notes) -> Runtime:
    values = {"database_url": notes.urls.service, "bus_database_url": notes.urls.service}
    settings = Settings(**values, auth_issuer=ISSUER, auth_jwks="nowhere.json")  # type: ignore[arg-type]
    return Runtime("visit_api", settings, clock=ManualClock(START))


async def test_a_line_is_stored_with_what_it_tells_of_or_not_at_all(notes: Notes) -> None:
    what = {"act": "contact.read", "thing": "contact", "thing_id": "c1", "unit_code": "37401"}
    async with runtime(notes) as its:
        async with notes.db.transaction() as tx:
            await trail.note(tx, its, READER, **what, reason="回访")
        with pytest.raises(ZeroDivisionError):
            async with notes.db.transaction() as tx:
                await trail.note(tx, its, READER, **what)
                raise ZeroDivisionError
    async with notes.db.connection() as connection:
        (line,) = await connection.fetch("SELECT at, by, unit_code, act, thing, thing_id, reason FROM trail")
    assert tuple(line) == (START, "E101", "37401", "contact.read", "contact", "c1", "回访")
    for statement in ("UPDATE trail SET by = 'E102'", "DELETE FROM trail"):
        assert "permission denied" in await refusal(notes.urls.service, statement)
