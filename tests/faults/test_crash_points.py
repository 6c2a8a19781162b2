"""Each process dies at each named point of its path; a ledger kept outside then finds everything, once."""

import random

import pytest

from chassis import crash
from tests.faults.conftest import Begin
from tests.faults.load import Load
from tests.support.databases import SERVICES

EVERYWHERE = [point for point in crash.POINTS if point.partition(".")[0] in ("db", "request", "relay", "consumer")]
WEBHOOKS = {"webhook.leased", "webhook.answered"}  # nobody subscribed here: see `test_sender_kills`
POINTS = [point for point in crash.POINTS if point not in WEBHOOKS]
PATH = {
    "visit_api": EVERYWHERE,
    "appeal_tracker": [*EVERYWHERE, "escalation.claimed", "escalation.written"],
    # People ask nothing of the notifier here: it has no request to die after.
    "notifier": [*(point for point in EVERYWHERE if point != "request.committed"), "sender.leased", "sender.accepted"],
}


def test_every_point_is_on_the_path_of_some_process() -> None:
    assert {point for path in PATH.values() for point in path} == set(POINTS)


async def test_processes_die_at_each_point(begin: Begin) -> None:
    """Each point once, by one of the processes that pass it."""
    crashes = {
        "visit_api": ["request.committed:9", "relay.read", "relay.published", "consumer.committed"],
        "appeal_tracker": ["db.committed:20", "consumer.applied", "escalation.claimed", "escalation.written"],
        "notifier": ["sender.leased", "sender.accepted"],
    }
    assert {at.partition(":")[0] for its in crashes.values() for at in its} == set(POINTS)
    async with begin(crashes=crashes) as load:
        await work_until_all_have_died(load)
        await load.end()
        assert load.services.crashed_at() == crashes


@pytest.mark.kafka
async def test_processes_die_on_kafka(begin: Begin, kafka_topics: str) -> None:
    """One death each, about the same time: a dead member's partitions are given away only after ten seconds."""
    crashes = {
        "visit_api": ["relay.published:2"],
        "appeal_tracker": ["consumer.applied:2"],
        "notifier": ["consumer.committed:2"],
    }
    async with begin(kafka_topics, crashes) as load:
        await work_until_all_have_died(load)
        await load.end()
        assert load.services.crashed_at() == crashes


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", POINTS)
async def test_each_process_dies_again_and_again_at_one_point(begin: Begin, bus: str | None, point: str) -> None:
    """Bug class: lost alerts."""
    times = [passage(point), *random.Random(point).choices(range(1, 20), k=2)]
    crashes = {service: [f"{point}:{nth}" for nth in times] for service, path in PATH.items() if point in path}
    async with begin(bus, crashes) as load:
        await work_until_all_have_died(load, days=100)
        await load.end()
        assert {name: at for name, at in load.services.crashed_at().items() if at} == crashes


def passage(point: str) -> int:
    """At which passage to die: what every idle loop passes is let pass until there is work."""
    return 20 if point == "db.committed" else 1


async def work_until_all_have_died(load: Load, days: int = 30) -> None:
    """Days of work until every service has died everywhere it was told to, and one more."""
    while not all(load.services.has_crashed(service) for service in SERVICES):
        assert load.days < days, f"so far they died at {load.services.crashed_at()}"
        await load.services.until_ready()
        await load.day()
        await load.audit.expire_leases()
    await load.day()
