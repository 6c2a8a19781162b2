"""Dead letters that are heard again: what became pointless meanwhile is not sent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chassis.messaging import dead_letters
from notifier.deliveries import repository
from notifier.handlers import handlers
from tests.integration.notifier.office import Appeal, Office


async def waiting(office: Office) -> list[str]:
    """The types of the dead letters that wait."""
    async with office.notifier.runtime.db.transaction() as tx:
        return [row["type"] for row in await dead_letters.listed(tx)]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The notifier cannot note what must be told; undone by the test."""

    async def hear(tx: Any, notices: Sequence[Any]) -> None:
        raise ValueError("cannot note it")

    monkeypatch.setattr(repository, "hear", hear)
    return monkeypatch


async def replayed(office: Office) -> None:
    runtime = office.notifier.runtime
    assert await dead_letters.replay(runtime.db, handlers(runtime)) == (1, [])
    await office.stack.settle()


async def test_a_warning_heard_again_is_not_sent_once_its_clock_was_met(
    office: Office, appeal: Appeal, broken: pytest.MonkeyPatch
):
    await office.hear(appeal.opened(), appeal.warned())
    assert await waiting(office) == ["deadline.warned.v1"]
    office.clock.advance(timedelta(minutes=10))
    await office.hear(appeal.met())
    assert await waiting(office) == ["deadline.warned.v1"], "that it was met is known at once"
    broken.undo()
    await replayed(office)
    (delivery,) = await office.deliveries()
    assert (delivery["state"], delivery["why"]) == ("cancelled", "milestone_done")
    assert await office.mailbox() == []


async def test_a_warning_heard_again_is_sent_while_its_clock_runs(
    office: Office, appeal: Appeal, broken: pytest.MonkeyPatch
):
    # The clock was met once, and runs again: that was said before the warning.
    await office.hear(appeal.opened(), appeal.met())
    office.clock.advance(timedelta(minutes=10))
    await office.hear(appeal.warned())
    broken.undo()
    await replayed(office)
    assert await office.told() == {("H1", "sent")}


async def test_a_contact_that_nobody_responsible_made_stops_no_warning(office: Office, appeal: Appeal):
    office.clock.set(office.clock.now().replace(hour=14, minute=30))  # 22:30 in China
    await office.hear(appeal.opened(), appeal.warned(), appeal.contacted(late=True, counts=False))
    office.clock.advance(timedelta(hours=10))
    await office.stack.settle()
    assert await office.told() == {("H1", "sent")}
