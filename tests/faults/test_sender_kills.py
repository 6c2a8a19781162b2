"""The sender dies at its crash points, again and again, before a provider that misbehaves; the provider's own ledger
then says the same as ours."""

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from chassis.ids import new_id
from chassis.messaging.bus import Record
from contracts.envelope import Event, encode_payload, headers
from deploy.local.demo.provider import Provider, Request
from notifier.webhooks.schedule import PAUSES
from tests.faults.load import START
from tests.integration.notifier.office import STATION, Appeal, staff, unit
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.processes import Processes

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
LIMITS = [{"times": 100_000, "seconds": 1, "per": "account"}]
FAULTS = ["ok"] * 10 + ["drop", "hang", "lost", "taken_500", "500", "429", "garbage", "410", "302"]
POINTS = {"endpoint": ("webhook.leased", "webhook.answered")}
OF_SENDERS = ("sender.leased", "sender.accepted")
TRIES = len(PAUSES) + 1
# A dead sender's leases run out, and nobody is waited for.
HURRY = (
    "UPDATE sends SET leased_until = now() WHERE state = 'sending' AND leased_until > now()",
    "UPDATE deliveries SET next_try_at = now() WHERE state IN ('queued', 'deferred', 'failed') AND next_try_at > now()",
    "UPDATE webhook_messages SET due_at = now() WHERE state IN ('queued', 'sending') AND due_at > now()",
    "UPDATE accounts SET paused_until = NULL WHERE paused_until IS NOT NULL",
)
ACCOUNTS = {
    "webhook": ({"url": "{url}/hook"}, {"secret": SECRET}),
    "feishu": ({"endpoint": "{url}/feishu"}, {"token": "t", "secret": "s"}),
}


class Post:
    """A notifier that dies, the provider it sends to, and what it was told to tell."""

    def __init__(self, services: Processes, provider: Provider, chance: random.Random) -> None:
        self.services, self.provider, self.chance = services, provider, chance
        self.told: list[str] = []  # the appeals

    async def publish(self, *events: Event) -> None:
        bus, now = self.services.bus(), self.services.now()
        try:
            for event in events:
                its = headers(new_id(), event.type, "/test", event.subject, now)
                body = encode_payload(event)
                await bus.publish([Record(event.topic, event.key, body, tuple(its))])
        finally:
            await bus.close()

    async def tell(self, count: int) -> None:
        """As many people are to be told, each of an appeal of their own."""
        appeals = [Appeal(START) for _ in range(count)]
        self.told += [str(appeal.id) for appeal in appeals]
        await self.publish(*(appeal.warned(owner=f"H{self.chance.randrange(10**9)}") for appeal in appeals))

    async def sql(self, statement: str) -> Sequence[Any]:
        connection = await asyncpg.connect(self.services.admin("notifier"))
        try:
            rows: Sequence[Any] = (
                await connection.fetch(statement)
                if statement.startswith("SELECT")
                else [await connection.execute(statement)]
            )
            return rows
        finally:
            await connection.close()

    async def hurry(self) -> None:
        """Has whatever waits be due; what the sender holds just now is not waited for long."""
        for statement in HURRY:
            with contextlib.suppress(asyncpg.DeadlockDetectedError):  # it writes the same rows, in an order of its own
                await self.sql(statement)

    async def set_up(self, channel: str) -> None:
        """A unit, its account, and every route to it."""
        await self.publish(unit(STATION), staff("S1", STATION, "supervisor"))
        await eventually(self._known, within=20)
        if channel == "endpoint":
            hook = {"url": f"{self.provider.url}/hook", "secret": SECRET, "event_types": ["*"]}
            await self._made("webhooks", {**hook, "unit_code": STATION})
            return
        settings, secrets = ACCOUNTS[channel]
        new = {
            "provider": channel,
            "unit_code": STATION,
            "name": channel,
            "limits": LIMITS,
            "settings": {name: value.format(url=self.provider.url) for name, value in settings.items()},
            "secrets": secrets,
        }
        await self._made("accounts", new)
        await self.sql(f"UPDATE routes SET channels = ARRAY['{channel}']")

    async def _made(self, things: str, new: dict[str, Any]) -> None:
        token = {"Authorization": f"Bearer {self.services.token('admin', STATION, 'A1')}"}
        async with httpx.AsyncClient(headers=token) as client:
            made = await client.post(f"{self.services.url('notifier')}/v1/{things}", json=new)
            assert made.status_code == 201, made.text

    async def until_settled(self, within: float = 60.0) -> None:
        """Until nothing is under way."""

        async def settled() -> bool:
            await self.hurry()
            await asyncio.sleep(0.3)
            (row,) = await self.sql(
                "SELECT count(*) FILTER (WHERE plan_at IS NOT NULL) AS unplanned, count(*) AS heard,"
                " (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'deferred', 'failed', 'sending'))"
                " + (SELECT count(*) FROM webhook_messages WHERE state IN ('queued', 'sending')) AS open"
                " FROM notices"
            )
            assert (row["unplanned"], row["heard"], row["open"]) == (0, len(self.told), 0)
            return True

        await eventually(settled, within=within)

    async def all_deferred(self) -> bool:
        """Whether whatever was told waits for the morning."""
        (row,) = await self.sql(
            "SELECT count(*) FILTER (WHERE state = 'deferred') AS waiting, count(*) FROM deliveries"
        )
        assert row["waiting"] == row["count"] == len(self.told), row
        return True

    async def _known(self) -> bool:
        assert await self.sql("SELECT 1 FROM units"), "the directory is not heard yet"
        return True


@asynccontextmanager
async def posted(databases: Databases, folder: Path, channel: str, kills: int) -> AsyncIterator[Post]:
    chance = random.Random(kills)
    points = POINTS.get(channel, OF_SENDERS)
    crashes = [f"{chance.choice(points)}:{chance.randint(1, 4)}" for _ in range(kills)]

    # An endpoint that is no more is not told any more; and one that hangs is given longer than a test may take.
    known = [fault for fault in FAULTS if channel != "endpoint" or fault not in ("410", "hang")]

    def faults(request: Request) -> str:
        return chance.choice(known)

    # The first start lives until all is set up; then it is killed, and its successors die as they are told.
    async with Provider(keep_requests=False) as provider:
        services = Processes(databases, folder, START, names=("notifier",), crashes={"notifier": ["none", *crashes]})
        async with services:
            post = Post(services, provider, chance)
            await post.set_up(channel)
            services.kill("notifier")
            provider.faults = faults
            yield post


async def work_until_dead(post: Post, kills: int) -> None:
    """Tells people until the sender has died as often as it was to."""
    while len(post.services.deaths) <= kills:
        before = len(post.services.deaths)
        await post.tell(6)
        for _ in range(12):  # where that was not enough to come so far, there is more of it
            await post.hurry()
            await asyncio.sleep(0.3)
            if len(post.services.deaths) > before:
                break
    post.provider.faults = lambda request: "ok"
    await post.until_settled()


async def audit(post: Post, channel: str) -> None:
    """Each send ends accepted once, or refused, or unknown with its reason; and none is doubled."""
    sends = await post.sql("SELECT id, state, subject, body, error FROM sends")
    by_key = {(str(row["id"]) if channel == "webhook" else f"{row['subject']}\n{row['body']}"): row for row in sends}
    assert {taken.key for taken in post.provider.taken} <= by_key.keys(), "nobody was told what was never written down"
    for key, row in by_key.items():
        texts = [taken.text for taken in post.provider.taken if taken.key == key]
        assert len(set(texts)) <= 1, "the same id is the same letter"
        accepted = (key in post.provider.ledger) if channel == "webhook" else len(texts)
        if row["state"] in ("sent", "delivered"):
            assert accepted == 1, (row, accepted)
        elif row["state"] == "failed":
            assert accepted == 0, (row, accepted)
        else:
            assert (row["state"], accepted <= 1) == ("unknown", True), (row, accepted)
    deliveries = await post.sql(
        "SELECT n.subject_id, d.state, d.why, s.state AS send FROM deliveries d JOIN notices n USING (event_id)"
        " LEFT JOIN sends s ON s.id = d.send_id"
    )
    assert sorted(str(row["subject_id"]) for row in deliveries) == sorted(post.told), "nobody is forgotten"
    for row in deliveries:
        assert row["state"] in ("sent", "delivered", "unknown", "dead"), row
        assert row["state"] != "dead" or row["why"] in ("refused_by_provider", "attempts_exhausted"), row
        assert row["state"] not in ("sent", "delivered", "unknown") or row["send"] == row["state"], row


async def test_the_sender_dies_and_no_message_is_doubled_or_lost(databases: Databases, tmp_path: Path) -> None:
    """Bug class: lost alerts."""
    async with posted(databases, tmp_path, "webhook", 3) as post:
        await work_until_dead(post, 3)
        await audit(post, "webhook")


async def audit_endpoint(post: Post) -> None:
    """Each event arrives at last, under the id and in the words that it has."""
    messages = await post.sql("SELECT id, state, payload, attempts, tries, error FROM webhook_messages")
    assert len(messages) >= len(post.told), "nothing is forgotten"
    assert {taken.key for taken in post.provider.taken} <= {str(row["id"]) for row in messages}
    for row in messages:
        texts = {taken.text for taken in post.provider.taken if taken.key == str(row["id"])}
        assert texts <= {row["payload"]}, "the same id is the same message"
        assert row["state"] == "delivered" or (row["state"], row["tries"]) == ("dead", TRIES), row
        assert texts or row["state"] == "dead", row
    told = {json.loads(row["payload"])["data"]["subject_id"] for row in messages}
    assert told >= set(post.told)


async def test_the_dispatcher_dies_and_every_event_arrives_under_its_id(databases: Databases, tmp_path: Path) -> None:
    async with posted(databases, tmp_path, "endpoint", 2) as post:
        await work_until_dead(post, 2)
        await audit_endpoint(post)


@pytest.mark.long
@pytest.mark.timeout(2400)
async def test_the_dispatcher_dies_again_and_again(databases: Databases, tmp_path: Path) -> None:
    async with posted(databases, tmp_path, "endpoint", 60) as post:
        await work_until_dead(post, 60)
        await audit_endpoint(post)
        assert len(post.services.deaths) > 60


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(("channel", "kills"), [("webhook", 200), ("feishu", 60)])
async def test_the_sender_dies_again_and_again(databases: Databases, tmp_path: Path, channel: str, kills: int) -> None:
    async with posted(databases, tmp_path, channel, kills) as post:
        await work_until_dead(post, kills)
        await audit(post, channel)
        assert len(post.services.deaths) > kills


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.clause("7.2.5.2")
async def test_nothing_leaves_at_night_however_often_the_sender_is_killed(databases: Databases, tmp_path: Path) -> None:
    async with posted(databases, tmp_path, "webhook", 12) as post:
        await post.services.until_ready()
        await post.services.jump(START.replace(hour=21))
        for hour in (21, 23, 2, 5, 7):
            await post.services.jump(START + timedelta(hours=(hour - START.hour) % 24))
            await post.tell(6)
            await eventually(post.all_deferred, within=30)
            await post.hurry()
            await asyncio.sleep(1.0)  # as long as a sender would need to be wrong
            post.services.kill("notifier")
            await post.services.until_ready()
        assert not post.provider.handed, "not even tried"
        await post.services.jump(START + timedelta(hours=22, minutes=5))
        await work_until_dead(post, 12)
        await audit(post, "webhook")
