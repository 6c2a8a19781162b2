"""What each service keeps of its plumbing, by the housekeeping that it really runs."""

from uuid import uuid4

import asyncpg
import pytest

from chassis.messaging import outbox, relay
from chassis.messaging.bus import Record
from chassis.messaging.housekeeping import Housekeeping
from contracts.envelope import dead_letter
from tests.support.databases import SERVICES, Databases
from tests.support.stack import Member, Stack

OLD = "now() - interval '91 days'"
SEEN = f"INSERT INTO inbox (event_id, seen_at) VALUES (gen_random_uuid(), {OLD}), (gen_random_uuid(), now())"
PUBLISHED = f"""
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, published_at)
SELECT gen_random_uuid(), 't', 'k', 't.t.v1', '/s', 's', now(), '', at FROM unnest(ARRAY[{OLD}, now()]) AS at
"""
ANSWERED = f"""
INSERT INTO idempotency_keys (principal, key, fingerprint, stored_at)
SELECT 'p', gen_random_uuid()::text, '', at FROM unnest(ARRAY[{OLD}, now()]) AS at
"""

OVERTAKEN = f"""
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, published_at, refused)
SELECT gen_random_uuid(), 't', key, 't.t.v1', '/s', 's', now(), '', {OLD}, why
FROM (VALUES ('a', NULL), ('a', 'large'), ('a', NULL), ('b', 'large'), ('b', NULL)) AS its (key, why)
"""

CARRIED = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, published_at, refused)
SELECT gen_random_uuid(), 't', n::text, 't.t.v1', '/s', 's', now(), '', now(), CASE WHEN n % 2500 = 0 THEN 'large' END
FROM generate_series(1, 5000) AS n
"""


async def cleaned(member: Member) -> None:
    """Turns the housekeeping that the service made for itself until there is nothing left to do."""
    (housekeeping,) = [worker for worker in member.workers if isinstance(worker, Housekeeping)]
    while await housekeeping.run_once():
        pass


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_old_goes_and_what_is_new_stays(stack: Stack, service: str) -> None:
    member = stack[service]
    async with member.runtime.db.connection() as connection:
        for rows in (SEEN, PUBLISHED, ANSWERED):
            await connection.execute(rows)
    await cleaned(member)
    async with member.runtime.db.connection() as connection:
        for table in ("inbox", "outbox", "idempotency_keys"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1, table


async def test_what_overtook_a_refused_one_is_kept_until_that_is_given_up(stack: Stack) -> None:
    member = stack["notifier"]
    async with member.runtime.db.connection() as connection:
        await connection.execute(OVERTAKEN)
    await cleaned(member)
    async with member.runtime.db.transaction() as tx:
        assert len(await outbox.refused(tx)) == 2
        assert await outbox.offer(tx, None) == 0, "what came after it went out long ago"
        for its in await outbox.refused(tx):
            assert await outbox.give_up(tx, its["seq"])
    await cleaned(member)
    async with member.runtime.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize(
    ("service", "topic"),
    [("visit_api", "visit.events"), ("appeal_tracker", "appeal.events"), ("notifier", "notification.events")],
)
async def test_a_topic_and_its_dead_letters_are_kept_by_who_writes_it(stack: Stack, service: str, topic: str) -> None:
    bus, key = stack[service].runtime.bus, str(uuid4())
    names = [topic, dead_letter(topic)]
    for _ in ("old", "new"):
        await bus.fetch(f"UPDATE records SET written_at = {OLD}")  # type: ignore[attr-defined]
        await bus.publish([Record(name, key, b"{}") for name in names])
    await cleaned(stack[service])
    kept = await bus.fetch("SELECT topic FROM records WHERE key = $1", key)  # type: ignore[attr-defined]
    assert sorted(row["topic"] for row in kept) == names


@pytest.mark.parametrize("service", SERVICES)
async def test_what_no_bus_would_carry_is_found_among_all_that_it_carried(databases: Databases, service: str) -> None:
    urls = await databases.clone(service)  # what the planner learns of it concerns nobody else
    owner = await asyncpg.connect(urls.migration)
    await owner.execute(CARRIED)
    await owner.execute("ANALYZE outbox")
    for asked in (outbox._REFUSED.text, outbox._OFFER.text.replace(":key", "NULL")):
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {asked}"))
        assert "using outbox_refused" in plan, plan
    await owner.close()
    await databases.drop(urls)


async def test_what_waits_is_read_by_its_index_whatever_statistics_were_made_of(databases: Databases) -> None:
    """Where nobody relayed while they were made, all seemed to wait, and to be on one topic."""
    urls = await databases.clone("visit_api")
    owner = await asyncpg.connect(urls.migration)
    many = PUBLISHED.replace("FROM unnest", "FROM generate_series(1, 3000), unnest")
    try:
        await owner.execute(many)
        await owner.execute("UPDATE outbox SET published_at = NULL")
        await owner.execute("ANALYZE outbox")
        await owner.execute("UPDATE outbox SET published_at = now()")
        for mode in ("force_generic_plan", "force_custom_plan"):
            await owner.execute(f"SET plan_cache_mode = {mode}")
            await owner.execute(f"PREPARE read_{mode} (text[], bigint, bigint[]) AS {relay._READ}")
            asked = f"EXPLAIN EXECUTE read_{mode} (ARRAY['t', 'u'], 4000, '{{}}')"
            plan = "\n".join(row[0] for row in await owner.fetch(asked))
            assert "outbox_waiting" in plan
            assert "outbox_pkey" not in plan
            assert "Sort" not in plan, "it would go through all that waits"
    finally:
        await owner.close()
        await databases.drop(urls)
