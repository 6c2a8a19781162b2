"""What was answered before another write began stands before it on the bus; a raise and an act on its visit stand there
in the order of their commits: under 32 writers whose commits take their time."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from uuid import UUID

import asyncpg
import pytest

from contracts.appeals import AppealRaised
from contracts.envelope import Event
from contracts.visits import VisitArrived, VisitCompleted, VisitPlanned, VisitStarted
from tests.faults.conftest import Begin
from tests.faults.ledger import Client, Done
from tests.faults.load import Load
from tests.support.processes import Processes

WRITERS = 32
VISITS = 8  # at a time: every visit has several writers
POOL = {"VISIT_API_DATABASE_POOL_SIZE": str(WRITERS + 4)}
TOPIC = "visit.events"
KINDS: dict[type[Event], str] = {
    VisitPlanned: "plan",
    VisitArrived: "arrive",
    VisitStarted: "start",
    VisitCompleted: "complete",
    AppealRaised: "raise",
}

# Deferred, so that it runs while the transaction commits: the outbox row has its number, the locks are still held.
SLOW_COMMITS = """
CREATE TABLE commits (event_id uuid, seq bigint, at timestamptz);
CREATE FUNCTION commit_slowly() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_sleep(random() * random() * 0.05);
    INSERT INTO commits VALUES (NEW.id, NEW.seq, clock_timestamp());
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION commit_slowly();
"""


@dataclass
class Scene:
    """A visit that many write to: acts follow one another, appeals are raised at any time."""

    id: UUID
    acts: list[str] = field(default_factory=lambda: ["arrive", "start", "complete"])
    busy: bool = False


@dataclass(frozen=True)
class Written:
    """A write, its number in the outbox, when it was committed, and its first place on the bus."""

    done: Done
    seq: int
    committed: datetime
    place: int


async def test_order_holds_under_many_writers(begin: Begin, bus: str | None) -> None:
    async with begin(bus, names=["visit_api"], **POOL) as load:
        await slow_down(load.services)
        await Writers(load.client, await load.client.customer()).write(8)
        in_order(await look_up(load), bus)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_order_holds_while_the_writing_process_dies(begin: Begin, bus: str | None) -> None:
    crashes = [
        f"{point}:{nth}" for nth in (2, 5, 9) for point in ("relay.published", "request.committed", "relay.read")
    ]
    async with begin(bus, {"visit_api": crashes}, names=["visit_api"], **POOL) as load:
        await slow_down(load.services)
        await Writers(load.client, await load.client.customer()).write(150)
        in_order(await look_up(load), bus)
        assert load.services.crashed_at()["visit_api"] == crashes


def in_order(written: Sequence[Written], bus: str | None) -> None:
    by_number = [its.committed for its in sorted(written, key=lambda its: its.seq)]
    assert by_number != sorted(by_number), "no commit overtook another: the delays prove nothing"
    # The embedded log has one order for all of a topic; Kafka has one for each key, which is the visit.
    for together in by_visit(written) if bus else [written]:
        assert overtaken(together) == []
    for together in by_visit(written):
        assert against_commits(together) == []


class Writers:
    """Act and raise on the same few visits, all at once."""

    def __init__(self, client: Client, customer: UUID) -> None:
        self._client, self._customer = client, customer
        self._random = random.Random(WRITERS)

    async def write(self, writes: int) -> None:
        self._scenes = [Scene(await self._client.plan(self._customer)) for _ in range(VISITS)]
        await asyncio.gather(*(self._writer(writes) for _ in range(WRITERS)))

    async def _writer(self, writes: int) -> None:
        for _ in range(writes):
            place = self._random.randrange(VISITS)
            scene = self._scenes[place]
            if scene.busy or self._random.random() < 0.7:
                await self._client.raise_on(scene.id)
            elif scene.acts:
                scene.busy = True
                await self._client.act(scene.id, scene.acts.pop(0))
                scene.busy = False
            else:
                scene.busy = True
                self._scenes[place] = Scene(await self._client.plan(self._customer))


async def slow_down(services: Processes) -> None:
    services.altered = True
    connection = await asyncpg.connect(services.admin("visit_api"))
    try:
        await connection.execute(SLOW_COMMITS)
    finally:
        await connection.close()


async def look_up(load: Load) -> list[Written]:
    """Every acknowledged write, found in the outbox and on the bus."""
    await load.audit.until_told("visit_api")
    places: dict[tuple[str, UUID], tuple[UUID, int]] = {}
    for record in await load.audit.reader.read(TOPIC):
        event = record.message.event
        if kind := KINDS.get(type(event)):
            places.setdefault((kind, UUID(event.subject)), (record.id, record.offset))
    commits = {row["event_id"]: row for row in await load.audit.rows("visit_api", "SELECT * FROM commits")}
    written = []
    for done in load.client.ledger.done:
        event_id, offset = places[done.what, done.appeal or done.visit]
        if event_id in commits:
            written.append(Written(done, commits[event_id]["seq"], commits[event_id]["at"], offset))
    assert len(written) == len(load.client.ledger.done)
    return written


def by_visit(written: Iterable[Written]) -> list[list[Written]]:
    found: defaultdict[UUID, list[Written]] = defaultdict(list)
    for its in written:
        found[its.done.visit].append(its)
    return list(found.values())


def overtaken(written: Iterable[Written]) -> list[tuple[Done, Done]]:
    """Pairs that stand on the bus the wrong way round: the second was answered before the first began."""
    wrong: list[tuple[Done, Done]] = []
    latest: Done | None = None  # of those that stand before, the one that began last
    for its in sorted(written, key=lambda its: its.place):
        if latest is not None and its.done.answered < latest.began:
            wrong.append((latest, its.done))
        if latest is None or its.done.began > latest.began:
            latest = its.done
    return wrong


def against_commits(written: Sequence[Written]) -> list[tuple[Done, Done]]:
    """Pairs of an act on a visit and a raise on it whose order on the bus is not that of their commits."""
    raises = [its for its in written if its.done.what == "raise"]
    acts = [its for its in written if its.done.what != "raise"]
    return [
        (act.done, its.done)
        for act, its in product(acts, raises)
        if (act.committed < its.committed) != (act.place < its.place)
    ]


def test_the_check_of_order_finds_what_is_wrong() -> None:
    visit = UUID(int=1)
    early = Done("start", visit, None, began=1.0, answered=2.0)
    late = Done("raise", visit, UUID(int=2), began=3.0, answered=4.0)
    at = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
    right = [Written(early, 1, at, 0), Written(late, 2, at.replace(minute=1), 1)]
    wrong = [Written(early, 1, at, 1), Written(late, 2, at.replace(minute=1), 0)]
    assert overtaken(right) == against_commits(right) == []
    assert overtaken(wrong) == [(late, early)]
    assert against_commits(wrong) == [(early, late)]
