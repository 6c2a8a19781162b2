"""Many deliveries that wait are changed at once: by several at a time, and without a change of what says when one
failed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from notifier.channels.port import Refused
from notifier.deliveries import claims, repository
from tests.conftest import START
from tests.integration.notifier.gateway import Gateway, sender_of
from tests.integration.notifier.office import CITY, Appeal, Office
from tests.support.eventually import eventually

NIGHT = START.replace(hour=22)
FIRST, LAST = UUID(int=1), UUID(int=2)
MOVE = "UPDATE deliveries SET id = :id, not_before = not_before + make_interval(hours => :later) WHERE recipient = :who"
LOCK = "SELECT FROM deliveries WHERE id = :id FOR UPDATE"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def quiet_hours(office: Office, appeal: Appeal) -> None:
    body = {"begin": "20:00", "until": "09:00"}
    admin = office.client("admin", unit=CITY, sub="A1")
    answer = await admin.put("quiet-hours/staff.mailbox", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def resumed(office: Office, appeal: Appeal) -> None:
    async with office.notifier.runtime.db.transaction() as tx:
        await repository.look_again(tx, {appeal.id}, office.clock.now())


async def without_contacts(office: Office, appeal: Appeal) -> None:
    async with office.notifier.runtime.db.transaction() as tx:
        await claims.wait_for_contact(tx, [LAST, FIRST], now=office.clock.now(), pause=timedelta())


@pytest.mark.parametrize("change", [quiet_hours, resumed, without_contacts])
async def test_whoever_changes_what_waits_locks_it_in_the_order_of_its_ids(
    office: Office, appeal: Appeal, change: Callable[[Office, Appeal], Awaitable[Any]]
):
    """Whatever order it is found in: or two of them might wait for each other."""
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), appeal.warned("owner", "unit_supervisors"))
    for its in ({"who": "H1", "id": LAST, "later": 0}, {"who": "S1", "id": FIRST, "later": 1}):
        await office.sql(MOVE, **its)
    db = office.notifier.runtime.db
    async with db.transaction() as tx, db.connection() as other:
        await tx.execute(text(LOCK), {"id": FIRST})
        changing = asyncio.ensure_future(change(office, appeal))

        async def waits() -> bool:
            return bool(await other.fetch(WAITING)) or changing.done()

        await eventually(waits)
        assert not changing.done()
        await tx.execute(text(f"{LOCK} NOWAIT"), {"id": LAST})
    await changing


async def test_when_something_failed_stays_whatever_looks_at_all_that_waits(office: Office, appeal: Appeal):
    """Whoever tries again all that failed in an hour names that hour."""
    sender_of(office, Gateway(Refused("busy", retry_after=3600)))
    await office.hear(appeal.opened(), appeal.breached())
    (failed,) = await office.deliveries()
    assert failed["state"] == "failed"
    office.clock.advance(timedelta(hours=1))
    await quiet_hours(office, appeal)
    await office.hear(appeal.resumed())
    (after,) = await office.deliveries()
    assert (after["state"], after["updated_at"]) == ("failed", failed["updated_at"])
