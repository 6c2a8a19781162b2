"""Random lives of appeals, on the real database, against a model that says slowly what should have become of them."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import chinese_calendar
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from appeal_tracker.calendars import service as calendars
from appeal_tracker.escalation.worker import Escalation
from appeal_tracker.policies import service as policies
from appeal_tracker.simulations import repository as past
from appeal_tracker.simulations import service as simulations
from appeal_tracker.simulations.candidate import Candidate
from appeal_tracker.simulations.models import Simulation
from chassis import crash
from chassis.ids import new_id
from contracts.appeals import AppealRaised
from tests.integration.appeal_tracker.conftest import emptied
from tests.integration.appeal_tracker.desk import Desk, raised, unit
from tests.integration.appeal_tracker.model import HOLDABLE, LADDERS, MODES, WITHIN, Appeal, Clock, World, fire
from tests.integration.appeal_tracker.test_audit import look
from tests.support.slow_model import on_the_wall
from tests.support.stack import Stack

UNITS = dict(zip(MODES, ("37401", "37402", "37403"), strict=True))
# Before the Spring Festival, before Labour Day with a make-up Saturday after it, and an ordinary week.
STARTS = ("2026-02-11T16:00", "2026-04-28T09:30", "2026-06-01T08:15")
TELL = ["owner", "unit_supervisors"]
REPORTS = [
    [
        {
            "milestone": milestone,
            "within": within,
            "clause": "企标 1",
            "holdable": milestone in HOLDABLE,
            "ladder": [{"at": float(at) if at == "0.5" else at, "tell": TELL} for at in LADDERS[milestone]],
        }
        for milestone, within in version.items()
    ]
    for version in WITHIN
]
# Each of these comes in the lives that are the same every time.
HAPPENS = {
    *("raised", "told again", "raised again", "transfer taken", "contacts taken", "answers taken", "callbacks taken"),
    *("hold taken", "resume taken", "merge taken", "unmerge taken", "close taken", "reopen taken"),
    *("a pack withdrawn", "moved by a policy", "moved by a calendar", "simulated"),
    *("time passed", "nobody looked", "died at escalation.claimed", "died at escalation.written"),
}
LATER = "2026-12-31"  # nothing is received under a second version in these lives
WHAT = (
    *("time passes",) * 5,
    *("one is raised", "one is heard of again", "transfer"),
    *("contact", "answer", "answer", "call_back", "hold", "hold", *("resume",) * 4),
    *("merge", "merge", "unmerge", "unmerge", "close", "close", *("reopen",) * 4),
    *("recalculate", "recalculate", "a pack is withdrawn", "a calendar is published", "a calendar is published"),
)
FIT: dict[str, Callable[[Appeal], object]] = {
    "contact": lambda appeal: not appeal.merged and appeal.progress != "closed",
    "answer": lambda appeal: not appeal.merged and appeal.progress != "closed",
    "call_back": lambda appeal: not appeal.merged and appeal.progress in ("answered", "called_back"),
    "merge": lambda appeal: not appeal.merged and not appeal.hold and not appeal.followers,
    "hold": lambda appeal: not appeal.hold and not appeal.merged and any(map(_may_wait, appeal.present)),
    "resume": lambda appeal: appeal.hold and not appeal.merged,
    "unmerge": lambda appeal: appeal.merged,
    "close": lambda appeal: appeal.progress in ("answered", "called_back"),
    "reopen": lambda appeal: appeal.progress == "closed",
}


def _may_wait(clock: Clock) -> bool:
    return clock.open and clock.milestone in HOLDABLE


def _counted(candidate: Candidate, clock: Any) -> bool:
    """Whether what a candidate names, if anything, is what a clock ran by."""
    policy, calendar = candidate.policy, candidate.calendar
    return (policy is None or policy.label == clock.policy) and (calendar is None or calendar.label == clock.calendar)


class Died(Exception):
    """The end of a worker, which takes its open transaction with it."""


class Lives(RuleBasedStateMachine):
    """Drives the service and the model alike; after each step they agree on everything."""

    here: asyncio.AbstractEventLoop
    stack: Stack
    owner: asyncpg.Connection

    seen: Counter[str]  # in all lives

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.raised: dict[str, tuple[UUID, AppealRaised]] = {}
        self.customers = [new_id() for _ in range(2)]
        self.withdrawn: dict[str, datetime] = {}  # by mode
        self.muffled: set[str] = set()  # whose pack was withdrawn, and who were merged with one of them

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.here.run_until_complete(asyncio.wait_for(work, 60))

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    @initialize(seed=st.integers(0, 2**32))
    def found(self, seed: int) -> None:
        """One draw for a whole life: left to draw each step, the search tries little of much."""
        self.chance = Random(seed)
        self.run(self._found(datetime.fromisoformat(f"{self.chance.choice(STARTS)}+08:00")))
        for number in range(self.chance.randint(2, 3)):
            self.one(self.chance.choice(MODES), 0, number * 400)

    async def _found(self, start: datetime) -> None:
        await emptied(self.stack, self.owner)
        self.stack.clock.set(start - timedelta(days=5))  # so that what is heard of late goes by the packs too
        self.desk = Desk(self.stack)
        await self.desk.found()
        await self.desk.hear(unit(UNITS["continue"], "374"))
        await self.desk.publish_days("plant", self.document())
        for mode, code in UNITS.items():
            pack = {"id": mode.replace("_", "-"), "reopen": mode, "reopen_for": ["report"], "calendar": "plant"}
            await self.desk.publish(**pack, appeals={"report": REPORTS[0]})
            await self.desk.publish(**pack, appeals={"report": REPORTS[1]}, effective_from=LATER)
            await self.desk.assign(code, pack["id"])
        self.stack.clock.set(start)

    def document(self) -> dict[str, Any]:
        """All that the packs' own calendar says."""
        days = [
            {"name": "调整", "date": day.isoformat(), "isOffDay": chinese_calendar.is_workday(day)}
            for day in sorted(self.world.flipped)
        ]
        return {"extends": "cn-statutory", "year": 2026, "papers": ["停工令"], "days": days}

    def back(self, appeal: Appeal, minutes: int, *, too_far: bool) -> datetime:
        """A time in the past, since the appeal was there, or just before that."""
        return max(self.now - timedelta(minutes=minutes), appeal.since - timedelta(minutes=int(too_far)))

    def do(self, appeal: Appeal, act: str, taken: bool, at: datetime | None = None, **body: Any) -> None:
        """Asks for an act, and is answered as the model says."""
        body = body if at is None else {"at": at.isoformat(), **body}
        answer = self.run(self.desk.supervisor.post(f"/appeals/{appeal.id}/{act}", json=body))
        assert answer.is_success is taken, (act, answer.text)
        assert answer.status_code < 500
        self.happened(f"{act} {'taken' if taken else 'refused'}")

    def happened(self, what: str) -> None:
        self.seen[what] += 1
        event(what)

    def one(self, mode: str, customer: int, late: int) -> None:
        received = self.now - timedelta(minutes=late)
        its = {"appeal_type": "report", "unit_code": UNITS[mode], "customer_id": self.customers[customer]}
        told = raised(**its, received_at=received, recorded_at=self.now)
        self.raised[str(told.appeal_id)] = (new_id(), told)
        self.hear(*self.raised[str(told.appeal_id)])
        Appeal(str(told.appeal_id), mode, customer, received, self.world)
        fire(self.world, self.now)  # to hear, everything turns

    def hear(self, id: UUID, told: AppealRaised) -> None:
        self.run(self.desk.hear(told, ids=[id]))

    @rule()
    def something_happens(self) -> None:
        chance = self.chance
        what = chance.choice([each for each in WHAT if self.fit(each) or chance.random() < 0.05])
        minutes = chance.choice((0, chance.randint(0, 180), chance.randint(0, 6000)))
        if what == "time passes":
            self.time_passes(1 + minutes, down=chance.random() < 0.4, dies=chance.random() < 0.7)
        elif what == "one is raised":
            if len(self.world) < 5:
                self.one(chance.choice(self.in_force), chance.choice((0, 0, 1)), minutes)
                self.happened("raised")
        elif what == "a calendar is published":
            self.publish()
        elif what == "a pack is withdrawn":
            if not self.withdrawn and chance.random() < 0.5:
                self.withdraw(chance.choice(MODES))
        elif what == "recalculate":
            self.recalculate(chance.choice(self.in_force))
        elif what == "one is heard of again":
            known, told = self.raised[chance.choice(self.world).id]
            again = chance.choice((known, new_id()))
            self.hear(again, told)
            fire(self.world, self.now)
            self.happened("told again" if again == known else "raised again")
        else:
            fit = [each for each in self.world if each in self.fit(what) or chance.random() < 0.05]
            appeal = chance.choice(fit or self.world)
            at = self.back(appeal, minutes, too_far=chance.random() < 0.1)
            getattr(self, what)(appeal, at, chance.choice(self.world))

    def fit(self, what: str) -> list[Appeal]:
        """The appeals of which it makes sense."""
        return [each for each in self.world if what not in FIT or FIT[what](each)]

    @property
    def in_force(self) -> list[str]:
        return [mode for mode in MODES if mode not in self.withdrawn]

    def withdraw(self, mode: str) -> None:
        """What runs by it runs on, is due when it was, and tells nobody any more; nothing begins by it."""
        path = f"/policies/{mode.replace('_', '-')}/withdraw"
        answer = self.run(self.desk.admin.post(path, json={"reason": "已被取代"}))
        assert answer.is_success, answer.text
        self.withdrawn[mode] = self.now
        for each in self.world:
            each.withdrawn |= each.mode == mode
        self.time_passes(0, down=False)
        self.happened("a pack withdrawn")

    def recalculate(self, mode: str) -> None:
        """Brings what is open to the second version of its pack, or back to the one that counted when it came; what has
        fired by then has fired."""
        self.time_passes(0, down=False)
        to_second = self.chance.random() < 0.6
        body = {"cause": "assignment", "unit_code": UNITS[mode]}
        if to_second:
            body = {"cause": "policy_version", "policy": mode.replace("_", "-")}
        answer = self.run(self.desk.admin.post("/recalculations", json=body))
        assert answer.is_success, answer.text
        for each in self.world:
            if each.mode == mode and not each.withdrawn:
                each.bring_to(int(to_second))
        self.time_passes(0, down=False)
        (job, *_) = self.run(self.desk.rows("SELECT state, moved FROM recalculations ORDER BY id DESC"))
        assert job["state"] == "done"
        self.happened("moved by a policy" if job["moved"] else "a policy moved nothing")

    def publish(self) -> None:
        """Days are turned round, some of them gone by; what has fired by then has fired."""
        self.time_passes(0, down=False)
        days = (self.now + timedelta(days=self.chance.randint(-4, 12)) for _ in range(self.chance.randint(1, 3)))
        self.world.flipped ^= {on_the_wall(each).date() for each in days}
        answer = self.run(self.desk.admin.post("/calendars/plant/versions", json=self.document()))
        assert answer.is_success, answer.text
        self.time_passes(0, down=False)
        (job, *_) = self.run(self.desk.rows("SELECT state, moved FROM recalculations ORDER BY id DESC"))
        assert job["state"] == "done"
        self.happened("moved by a calendar" if job["moved"] else "a calendar moved nothing")

    def time_passes(self, minutes: int, *, down: bool, dies: bool = False) -> None:
        """Nobody looks meanwhile, nor afterwards where everything is down. Whoever looks first may die in the middle:
        nothing of what they did is there, and the next one does it once."""
        self.desk.later(minutes=minutes)
        self.happened("nobody looked" if down else "time passed")
        if dies:
            self.run(self._die_at(self.chance.choice(("escalation.claimed", "escalation.written"))))
        if not down:
            self.run(self.desk.stack.settle())
            fire(self.world, self.now)

    async def _die_at(self, point: str) -> None:
        def passed(name: str) -> None:
            if name == point:
                raise Died

        with pytest.MonkeyPatch.context() as patched, suppress(Died):
            patched.setattr(crash, "point", passed)
            while await Escalation(self.desk.runtime).run_once():
                pass
            return
        self.happened(f"died at {point}")

    def contact(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "contacts", appeal.contact(at, self.now), at, channel="phone", result="reached")

    def answer(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "answers", appeal.answer(at, self.now), at, content="已检修")

    def call_back(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "callbacks", appeal.call_back(at, self.now), at, result="completed")

    def hold(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "hold", appeal.hold_since(at, self.now), at, reason="等待")

    def resume(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "resume", appeal.resume_at(at, self.now), at)

    def transfer(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "transfer", appeal.progress != "closed", handler="E150", reason="轮岗")

    def merge(self, appeal: Appeal, at: datetime, other: Appeal) -> None:
        self.do(appeal, "merge", appeal.merge(other, self.now), into=other.id)

    def unmerge(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "unmerge", appeal.unmerge(self.now))

    def close(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "close", appeal.close(self.now))

    def reopen(self, appeal: Appeal, at: datetime, _: Appeal) -> None:
        self.do(appeal, "reopen", appeal.reopen(self.now), reason="客户再次反映")

    @invariant()
    def the_service_agrees_with_the_model(self) -> None:
        self.run(self._agree())

    async def _agree(self) -> None:
        appeals = {str(row["id"]): row for row in await self.desk.rows("SELECT * FROM appeals")}
        clocks = await self.desk.rows("SELECT * FROM clocks")
        fired = await self.desk.rows("SELECT clock_id, step, fire_at, fired_at FROM timers WHERE state = 'fired'")
        steps: dict[UUID, set[str]] = {}
        for row in fired:
            steps.setdefault(row["clock_id"], set()).add(row["step"])
        self.muffled |= {each.id for each in self.world if each.mode in self.withdrawn}
        for leader in self.world:
            group = {leader.id, *(each.id for each in leader.followers)}
            self.muffled |= group if group & self.muffled else set()
        for appeal in self.world:
            row = appeals[appeal.id]
            shown = (row["state"], row["round"], row["outcome"], str(row["merged_into"]))
            assert shown == (appeal.state, appeal.round, appeal.outcome, appeal.leader.id if appeal.leader else "None")
            found = {
                (each["round"], each["milestone"]): each for each in clocks if str(each["subject_id"]) == appeal.id
            }
            assert found.keys() == {(clock.round, clock.milestone) for clock in appeal.clocks}
            for clock in appeal.clocks:
                its = found[clock.round, clock.milestone]
                told = f"{clock.milestone} of round {clock.round} of {appeal.id}"
                assert its["state"] == ("held" if clock.held else clock.state), told
                assert its["started_at"] == clock.start, told
                assert its["due_at"] == clock.due(), told
                assert (its["stopped_at"], its["breached_at"]) == (clock.stopped, clock.breached), told
                found_fired = steps.get(its["id"], set())
                if appeal.id in self.muffled:
                    assert found_fired <= clock.fired, told
                    assert ("due" in found_fired) is ("due" in clock.fired), told
                else:
                    assert found_fired == clock.fired, told

    def teardown(self) -> None:
        if self.world:
            self.run(self._told())
            self.run(self._explained())
            self.run(self._simulated())
            self.run(self.desk.stack.settle())  # if everything was down
            assert self.run(look(self.desk)) == {}, "the self-audit raises no alarm"

    async def _simulated(self) -> None:
        """By what counted, named as the candidate or left out, each deadline is where it was, and what became of it
        would have become of it."""
        async with self.desk.runtime.db.transaction() as tx:
            days = (self.now - timedelta(days=400), self.now + timedelta(days=1))
            appeals = (await tx.execute(past.covered(Simulation(scope="374"), *days))).all()
            record = await past.record(tx, [each.id for each in appeals])
            ran = {clock.id: clock for clock in (*record.clocks, *record.promised)}
            shelf, labels = await policies.shelf(tx), {clock.policy for clock in ran.values()}
            candidates = [Candidate(), *(Candidate(shelf.written(label)) for label in labels)]
            counted_on = [await calendars.by_label(tx, label) for label in {clock.calendar for clock in ran.values()}]
            candidates += [Candidate(calendar=each) for each in counted_on]
            for by in candidates:
                for appeal, its in await simulations.judged(tx, by, appeals, self.now):
                    others = [each for each in record.clocks if (each.subject_id, each.round) == (appeal.id, its.round)]
                    own = [each for each in others if each.milestone == its.milestone]
                    promisers = [ran[each.promised_by] for each in own if each.promised_by]
                    if all(_counted(by, each) for each in (*(own or others), *promisers)):
                        assert (its.would, its.would_be_due_at) == (its.did, its.due_at), (appeal, its, by)
                        self.happened("simulated")

    async def _explained(self) -> None:
        """The days of each deadline lead to it, whatever was done before, during and after which holds."""
        for row in await self.desk.rows("SELECT id, state, stopped_at FROM clocks WHERE subject_kind = 'appeal'"):
            its = (await self.desk.supervisor.get(f"/deadlines/{row['id']}/explanation")).json()
            told = f"{its['clock']['milestone']} of round {its['clock']['round']} of {its['subject_id']}: {its}"
            if its["promise"] is None:
                assert its["due_text"].startswith(its["days"][-1]["date"]), told
            assert (row["state"] == "held") is any(hold["until"] is None for hold in its["holds"]), told
            waited = [hold for hold in its["holds"] if hold["since"] <= its["clock"]["due_at"]]
            assert row["state"] == "cancelled" or all(hold["counted"] for hold in waited), told
            held = [day["date"] for day in its["days"] if day["reason"] == "held"]
            assert held == [] or any(hold["counted"] for hold in its["holds"]), told

    async def _told(self) -> None:
        """Each step that fired was told once, never early, and nobody of what was met by then."""
        told, met, aloud = set(), set(), []
        merged = {
            row["appeal_id"] for row in await self.desk.rows("SELECT appeal_id FROM timeline WHERE kind = 'joined'")
        }
        alone = [each for each in self.world if UUID(each.id) not in merged and each.outcome != "merged"]
        modes = {each.id: self.withdrawn.get(each.mode) for each in alone if each.leader is None}
        go_on = {each.id for each in self.world if each.mode == "continue"}
        timers = await self.desk.rows("""
            SELECT clock_id::text, step, fire_at, subject_id::text, round, milestone
            FROM timers JOIN clocks ON clocks.id = clock_id WHERE timers.state = 'fired'""")
        known = {(each.id, clock.round, clock.milestone): clock for each in self.world for clock in each.clocks}
        fire_at = {
            (row["clock_id"], row["step"]): row["fire_at"]
            for row in timers
            if row["step"] not in known[row["subject_id"], row["round"], row["milestone"]].inherited
        }
        for row in await self.desk.rows("SELECT type, payload FROM outbox ORDER BY seq"):
            said = json.loads(row["payload"])
            if row["type"] in ("deadline.met.v1", "deadline.corrected.v1"):
                met.add(said["clock_id"])
                if row["type"] == "deadline.corrected.v1":  # that breach was none: one in a later round is another
                    its = (said["subject_id"], said["milestone"])
                    aloud = [each for each in aloud if each[:2] != its or each[2] == "0.5"]
            elif "step" in said:
                step = (said["clock_id"], said["step"])
                assert step not in told, "told twice"
                assert said["clock_id"] not in met, "told though it was met"
                assert datetime.fromisoformat(said["at"]) >= fire_at[step], "told early"
                told.add(step)
                since = modes.get(said["subject_id"])
                assert not (said["audience"] and since and datetime.fromisoformat(said["at"]) > since), "told aloud"
                if said["audience"] and said["subject_id"] in go_on and said["milestone"] != "callback":
                    aloud.append((said["subject_id"], said["milestone"], said["step"]))
        assert told == fire_at.keys(), "fired and not told"
        assert len(aloud) == len({*aloud}), "people heard twice of what went on in a later round"


@pytest.fixture
async def lives(tracker_alone: Stack, owner: asyncpg.Connection) -> type[Lives]:
    Lives.here, Lives.stack, Lives.owner = asyncio.get_running_loop(), tracker_alone, owner
    Lives.seen = Counter()
    return Lives


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)


def test_random_lives(lives: type[Lives]) -> None:
    run_state_machine_as_test(
        lives, settings=settings(SETTINGS, max_examples=8, stateful_step_count=25, derandomize=True)
    )
    assert lives.seen.keys() >= HAPPENS, HAPPENS - lives.seen.keys()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_random_lives(lives: type[Lives]) -> None:
    run_state_machine_as_test(lives, settings=settings(SETTINGS, max_examples=150, stateful_step_count=60))
