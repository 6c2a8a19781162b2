"""The notifier in the process of whoever asks, with so many messages queued, each for somebody else."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import insert

from bench.children import settings
from bench.events import AT, UNIT
from bench.ground import Ground
from chassis.clock import ManualClock
from chassis.runtime import Runtime
from notifier.channels.accounts import secrets_place
from notifier.channels.models import Account
from notifier.settings import Settings

SERVICE = "notifier"
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
ACCOUNT = UUID(int=7)
_NOTICES = f"""
INSERT INTO notices (event_id, plan_at, said_at, event_type, step, audience, late, subject_kind, subject_id, unit_code,
                     handling_unit_code, milestone, round, due_at, at)
SELECT ('a' || lpad(to_hex(n), 31, '0'))::uuid, NULL, $2, 'deadline.breached', 'due', ARRAY['owner'], false, 'appeal',
       ('b' || lpad(to_hex(n), 31, '0'))::uuid, '{UNIT}', '{UNIT}', 'answer', 1, $2, $2
FROM generate_series(1, $1::integer) AS n
"""
_DELIVERIES = """
INSERT INTO deliveries (id, event_id, recipient, channel, audience, state, not_before, planned_at, updated_at)
SELECT ('d' || lpad(to_hex(n), 31, '0'))::uuid, ('a' || lpad(to_hex(n), 31, '0'))::uuid, 'R' || n, $3, 'owner',
       'queued', $2, $2, $2
FROM generate_series(1, $1::integer) AS n
"""


async def queued(ground: Ground, name: str, count: int, channel: str) -> None:
    """Makes the database `name` with so many messages queued on a channel, unless this run has it already."""
    if name in ground:
        return
    urls = await ground.database(name, of=SERVICE)
    owner = await asyncpg.connect(urls.migration)
    try:
        await owner.execute(_NOTICES, count, AT)
        await owner.execute(_DELIVERIES, count, AT, channel)
        await owner.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await owner.close()


@asynccontextmanager
async def fresh(ground: Ground, of: str, name: str = "sending") -> AsyncIterator[Runtime]:
    """The notifier on a fresh copy of a database; its clock stands at noon, when nothing is quiet."""
    urls = await ground.copy(name, of=of)
    environment = await settings(ground, SERVICE, 1, "embedded")
    prefix = f"{SERVICE}_".upper()
    values = {key.removeprefix(prefix).lower(): value for key, value in environment.items() if key.startswith(prefix)}
    values |= {"database_url": urls.service, "stack": "local"}
    async with Runtime(SERVICE, Settings(**values), ManualClock(AT)) as runtime:  # type: ignore[arg-type]
        yield runtime


async def give_account(runtime: Runtime, url: str) -> None:
    """Has the unit of all messages send by webhook to `url`, as fast as it can."""
    async with runtime.db.transaction() as tx:
        secrets = msgspec.json.encode({"secret": SECRET}).decode()
        sealed = await runtime.vault.seal(tx, "", secrets_place(ACCOUNT), secrets)
        its = {
            "id": ACCOUNT,
            "channel": "webhook",
            "provider": "webhook",
            "unit_code": UNIT,
            "name": "bench",
            "settings": {"url": url},
            "secrets": sealed,
            "limits": [],
            "active": True,
            "added_by": "bench",
            "added_at": AT,
            "updated_at": AT,
        }
        await tx.execute(insert(Account), [its])
