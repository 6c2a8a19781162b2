"""The state of any earlier version: `make up` migrates it and starts on it, and all it held is there and goes on."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from chassis import migrate
from chassis.ids import new_id
from chassis.messaging import embedded
from chassis.process import newest_revision
from contracts import envelope
from contracts.appeals import AppealRaised
from deploy.local.databases import DatabaseUrls
from deploy.local.postgres import Postgres
from deploy.local.state import State
from tests.support.eventually import eventually
from tests.support.local_stack import LocalStack

SERVICES = ("visit_api", "appeal_tracker", "notifier")
UNIT, THEN = "37401", datetime.fromisoformat("2026-10-09T10:00:00+08:00")

NEWEST = {name: int(newest_revision(name)) for name in SERVICES}
# Each state has every service at its revision of that number, or at its newest: so each earlier one of each is met.
EARLIER = range(1, max(NEWEST.values()))

# As the first revisions have their tables, and every later one bears them.
APPEAL = """
INSERT INTO appeals (id, appeal_no, unit_code, handling_unit_code, first_contact, type, state, round, received_at,
                     recorded_at, confidential, anonymous, policy, updated_at)
VALUES ($1, 'V1', $2, $2, 'E101', 'suggestion', 'open', 1, $3, $3, false, false, 't-sdpea@1', $3)
"""
ENTRY = """
INSERT INTO timeline (appeal_id, at, recorded_at, kind, actor, data) VALUES ($1, $2, $2, 'opened', 'E101', '{}')
"""
CONTACT = """
INSERT INTO contacts (id, appeal_id, round, at, recorded_at, by, channel, result, counts)
VALUES ($1, $2, 1, $3, $3, 'E101', 'phone', 'reached', true)
"""
NOTICE = """
INSERT INTO notices (event_id, event_type, step, audience, late, subject_kind, subject_id, unit_code,
                     handling_unit_code, milestone, round, due_at, at)
VALUES ($1, 'deadline.warned', '0.5', '{owner}', false, 'appeal', $2, $3, $3, 'contact', 1, $4, $4)
"""
RECORD = "INSERT INTO records (topic, record_offset, key, value, headers) VALUES ('visit.events', 0, $1, $2, $3)"


def raised(id: UUID) -> AppealRaised:
    return AppealRaised(
        appeal_id=id,
        appeal_no="V2",
        visit_id=new_id(),
        customer_id=None,
        unit_code=UNIT,
        appeal_type="complaint",
        received_at=THEN,
        recorded_at=THEN,
        raised_by="E101",
    )


async def run(url: str, *statements: tuple[Any, ...]) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(*statement)
    await connection.close()


async def older(urls: dict[str, DatabaseUrls], number: int, appeal: UUID, event: AppealRaised) -> None:
    """Every database at an earlier revision, and in them an appeal, a message to be sent, an event on its way."""
    for name in SERVICES:
        await migrate.upgrade(name, urls[name].migration, f"{min(number, NEWEST[name]):04}")
    tracker = [(APPEAL, appeal, UNIT, THEN), (ENTRY, appeal, THEN), (CONTACT, new_id(), appeal, THEN)]
    await run(urls["appeal_tracker"].service, *tracker)
    await run(urls["notifier"].service, (NOTICE, new_id(), appeal, UNIT, THEN))
    if number == 1:  # the bus did not count its revisions then
        await run(urls["bus"].migration, (embedded.REVISIONS[0],))
    else:
        await embedded.migrate(urls["bus"].migration)
    headers = envelope.headers(new_id(), event.type, "/visit_api", event.subject, THEN)
    body = envelope.encode_payload(event)
    await run(
        urls["bus"].service,
        ("INSERT INTO topics (name, next_offset) VALUES ('visit.events', 1)",),
        (RECORD, event.key, body, msgspec.msgpack.encode(headers)),
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "number", [pytest.param(n, id=f"{n:04}", marks=[pytest.mark.long] if n > 1 else []) for n in EARLIER]
)
async def test_the_state_of_an_earlier_version_is_migrated_and_goes_on(tmp_path: Path, number: int) -> None:
    appeal, event = new_id(), raised(new_id())
    with LocalStack(tmp_path / "state") as stack:
        State(stack.state_dir).open()
        postgres = Postgres(stack.state_dir, stack.port_base + 7)
        postgres.start()
        try:
            urls = {name: postgres.ensure_database(name) for name in (*SERVICES, "bus")}
            await older(urls, number, appeal, event)
        finally:
            postgres.stop()

        stack.up()
        for name in SERVICES:
            connection = await asyncpg.connect(urls[name].service)
            found = await connection.fetchval("SELECT version_num FROM alembic_version")
            assert found == newest_revision(name) == migrate.head(name)
            await connection.close()
        connection = await asyncpg.connect(urls["bus"].service)
        assert await connection.fetchval("SELECT max(number) FROM revisions") == len(embedded.REVISIONS)
        await connection.close()
        await goes_on(stack, appeal, event)
        stack.stop()
        stack.up()
        stack.stop()
        assert stack.run("reset").returncode == 0


async def goes_on(stack: LocalStack, appeal: UUID, event: AppealRaised) -> None:
    """What was stored is shown, followed and worked on; what was on its way arrives."""
    token = stack.run("token", ROLE="admin", UNIT=UNIT, STAFF="E101").stdout.strip()
    tracker, notifier = (
        httpx.AsyncClient(base_url=stack.url(name, "/v1"), headers={"Authorization": f"Bearer {token}"})
        for name in ("appeal_tracker", "notifier")
    )
    async with tracker, notifier:
        path = f"/appeals/{appeal}/timeline"
        feed = (await tracker.get(path, params={"updated_since": "2026-01-01T00:00:00Z"})).json()
        assert [entry["kind"] for entry in feed["items"]] == ["opened"]
        assert len((await tracker.get(f"/appeals/{appeal}/contacts")).json()["items"]) == 1
        body = {"at": datetime.now().astimezone().isoformat(), "channel": "phone", "result": "reached"}
        made = await tracker.post(f"/appeals/{appeal}/contacts", json=body)
        assert made.status_code == 201, made.text
        news = (await tracker.get(path, params={"cursor": feed["next"]})).json()["items"]
        assert "contacted" in [entry["kind"] for entry in news]

        async def arrived() -> bool:
            return (await tracker.get(f"/appeals/{event.appeal_id}")).status_code == 200

        async def planned() -> bool:
            return bool((await notifier.get("/deliveries", params={"appeal_id": str(appeal)})).json()["items"])

        await eventually(arrived, within=30)
        await eventually(planned, within=30)
