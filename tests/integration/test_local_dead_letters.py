"""`make dlq` on the real thing: a service's own command line, as processes, on what its consumer really parked."""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.messaging import command, dead_letters
from chassis.messaging.bus import Record
from contracts import envelope
from contracts.envelope import Event
from contracts.visits import VisitCompleted, VisitStarted
from deploy.local.services import base_environment
from tests.conftest import START
from tests.support.databases import Databases
from tests.support.stack import Stack

TRACKER, TOPIC = "appeal_tracker", "visit.events"
FIRST, BEHIND = f"{TOPIC}/0/0", f"{TOPIC}/0/1"

_TOO_LARGE = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
VALUES (gen_random_uuid(), 'appeal.events', 'k', 't.t.v1', '/appeal_tracker', 's', now(), $1) RETURNING seq
"""


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Letters:
    """The tracker alone: what comes on its topic, what it has parked, its command line."""

    stack: Stack

    async def comes(self, *records: Record) -> None:
        await self.stack[TRACKER].runtime.bus.publish(records)
        await self.stack.settle()

    async def dlq(self, *its: str) -> Done:
        """Runs `python -m appeal_tracker dlq …` on its database."""
        settings = self.stack[TRACKER].runtime.settings
        given = {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "BUS": "embedded",
            "BUS_DATABASE_URL": settings.bus_database_url.get_secret_value(),  # type: ignore[union-attr]
            "AUTH_ISSUER": settings.auth_issuer,
            "AUTH_JWKS": str(settings.auth_jwks),
            "VAULT_KEYS": str(settings.vault_keys),
            "PORT": "1",
        }
        env = base_environment() | {f"APPEAL_TRACKER_{name}": value for name, value in given.items()}
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", TRACKER, "dlq", *its)
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def said(
        self, capsys: pytest.CaptureFixture[str], do: str, key: str | None = None, place: str | None = None
    ) -> Done:
        """What that command line then does, in this process."""
        member = self.stack[TRACKER]
        code = await command.run(member.runtime, member.service.handlers(member.runtime), do, key, place)
        return Done(code, *capsys.readouterr())

    async def waiting(self) -> Counter[str]:
        """How many letters wait, by key."""
        async with self.stack[TRACKER].runtime.db.transaction() as tx:
            return Counter(row["key"].decode() for row in await dead_letters.listed(tx))

    async def known(self, visit: UUID) -> tuple[bool, bool]:
        """Whether the tracker knows that the visit started, and that it was completed."""
        async with self.stack[TRACKER].runtime.db.connection() as connection:
            row = await connection.fetchrow("SELECT started_at, completed_at FROM visits WHERE id = $1", visit)
        return (False, False) if row is None else (row["started_at"] is not None, row["completed_at"] is not None)


@pytest.fixture
async def letters(databases: Databases, tmp_path: Path) -> Any:
    async with Stack(databases, tmp_path, START, names=(TRACKER,)) as stack:
        yield Letters(stack)


def told(event: Event) -> Record:
    headers = envelope.headers(new_id(), event.type, "/visit_api", event.subject, START)
    return Record(TOPIC, event.key, envelope.encode_payload(event), headers)


def started(visit: UUID) -> Record:
    return told(VisitStarted(visit_id=visit, unit_code="37401", at=START))


def completed(visit: UUID) -> Record:
    return told(VisitCompleted(visit_id=visit, unit_code="37401", at=START + timedelta(hours=1)))


def garbage(visit: UUID) -> Record:
    return Record(TOPIC, str(visit), b"garbage", started(visit).headers)


async def test_letters_are_listed_dropped_and_replayed(letters: Letters, capsys: pytest.CaptureFixture[str]) -> None:
    visit, other = new_id(), new_id()
    await letters.comes(garbage(visit), started(visit), garbage(other), started(other))
    listed = await letters.dlq("list")
    assert (listed.code, listed.err) == (0, "")
    shown = {letter.pop("place"): letter for letter in map(json.loads, listed.out.splitlines())}
    assert [shown[place]["key"] for place in (FIRST, BEHIND)] == [str(visit)] * 2
    assert shown[FIRST]["type"] == "visit.started.v1"
    assert shown[FIRST]["reason"].startswith("InvalidPayload: payload of visit.started.v1")
    assert shown[BEHIND]["reason"] == "waits for an earlier event of its key"

    failed = await letters.said(capsys, "replay")
    assert (failed.code, failed.out) == (1, "0 replayed, 2 still failing\n")
    assert failed.err.startswith(f"{FIRST}: InvalidPayload: ")
    assert await letters.known(visit) == (False, False)

    dropped = await letters.dlq("drop", "--place", FIRST)
    assert (dropped.code, dropped.err) == (0, f"dropped {FIRST}\n")
    again = await letters.said(capsys, "drop", place=FIRST)
    assert (again.code, again.err) == (1, f"no dead letter waits at {FIRST!r} here\n")
    # What was parked behind it still waits, and what comes now waits behind that: only a replay lets the key go on.
    await letters.comes(completed(visit))
    assert await letters.known(visit) == (False, False)
    assert await letters.waiting() == {str(visit): 2, str(other): 2}

    replayed = await letters.dlq("replay", "--key", str(visit))
    assert (replayed.code, replayed.out, replayed.err) == (0, "2 replayed, 0 still failing\n", "")
    assert await letters.known(visit) == (True, True)
    assert await letters.known(other) == (False, False)
    assert await letters.waiting() == {str(other): 2}


async def test_with_nothing_behind_it_a_drop_alone_lets_the_key_go_on(letters: Letters) -> None:
    visit = new_id()
    await letters.comes(garbage(visit))
    assert await dead_letters.drop(letters.stack[TRACKER].runtime.db, TOPIC, 0, 0)
    await letters.comes(started(visit))
    assert await letters.known(visit) == (True, False)


async def test_what_no_bus_carries_is_listed_offered_again_and_given_up(
    letters: Letters, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = letters.stack[TRACKER].runtime

    async def dlq(do: str, place: str | None = None) -> tuple[int, str]:
        done = await letters.said(capsys, do, place=place)
        return done.code, done.out

    async with runtime.db.connection() as connection:
        seq = await connection.fetchval(_TOO_LARGE, b"x" * 1_200_000)
    await letters.stack.settle()
    _, listed = await dlq("list")
    shown = json.loads(listed)
    assert (shown["place"], shown["topic"], shown["key"]) == (f"outbox/{seq}", "appeal.events", "k")
    assert "1000000 bytes" in shown["reason"]
    assert await dlq("replay") == (0, "0 replayed, 0 still failing, 1 offered to the bus again\n")
    assert await dlq("list") == (0, ""), "it is on its way"
    await letters.stack.settle()
    assert json.loads((await dlq("list"))[1])["place"] == f"outbox/{seq}", "and is refused again"
    async with runtime.db.connection() as connection:
        await connection.fetchval(_TOO_LARGE, b"{}")
    await letters.stack.settle()
    assert await dlq("replay") == (0, "0 replayed, 0 still failing\n"), "a later one of its key has overtaken it"
    assert (await dlq("drop", f"outbox/{seq}"))[0] == 0
    assert await dlq("list") == (0, "")
    for wrong in (f"outbox/{seq}", "outbox/x", "outbox", "outbox/1/2", ""):
        assert (await dlq("drop", wrong))[0] == 1
