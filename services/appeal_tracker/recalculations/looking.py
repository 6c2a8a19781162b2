"""What a job is about, batch by batch: what is concerned, and what is to become of it.

A dry run looks and writes nothing; a job looks under lock and writes what it saw (see `writing`): both find the same.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, instant_of
from appeal_tracker.clocks.planning import Planner, limit_of
from appeal_tracker.clocks.recalculation import Replanner, Target
from appeal_tracker.clocks.service import may_be_met
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Policy
from appeal_tracker.recalculations import concerned
from appeal_tracker.recalculations.concerned import Scope, Touched
from appeal_tracker.recalculations.families import families
from appeal_tracker.recalculations.models import Recalculation
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.starting import Relabelling, Starting, begun, lacking
from appeal_tracker.recalculations.subjects import NOTHING_DONE, Milestone, OpenAppeal, OpenClock
from appeal_tracker.recalculations.touching import Stretch, changed_days, touched
from appeal_tracker.recalculations.tried import tried
from appeal_tracker.recalculations.visiting import Visiting

FIRST = UUID(int=0)  # before every id
MOST_UNDONE = 1000  # of a turn: where more cannot be done, it is not they that are wrong
_OPEN = (ClockState.RUNNING, ClockState.HELD)


class Errand(Protocol):
    """One turn of a job: passes by all that it is about, in the order of ids."""

    most: int  # looked at in one transaction
    repeats: bool  # whether a turn meets again what the one before has settled

    async def count(self, tx: AsyncSession) -> tuple[int, UUID | None]:
        """How much there is to look at, and the first of it."""
        ...

    async def next(self, tx: AsyncSession, after: UUID, most: int) -> list[UUID]:
        """What comes after an id."""
        ...

    async def look(self, tx: AsyncSession, ids: Sequence[UUID], now: datetime, *, lock: bool) -> Seen:
        """What is to become of these."""
        ...

    def place(self, clock: OpenClock) -> UUID:
        """The id by which a clock would be passed by, where the errand is about it."""
        ...


class OnCalendar:
    """Brings the open clocks that a calendar's changed days touch, on itself or on those that lie over it, to the
    newest version."""

    most = 500  # clocks: whoever acts on what they run on waits for that long, and so do others in this process
    repeats = False

    def __init__(self, shelf: policies.Shelf, newest: Mapping[str, Calendar], its: Touched) -> None:
        self._replanner, self._touched = Replanner(shelf, newest), its

    @classmethod
    async def begin(cls, tx: AsyncSession, calendar: str, newest: Mapping[str, Calendar]) -> "OnCalendar":
        """`newest` may hold versions that are not published yet."""
        shelf, stretches, held = await policies.shelf(tx), list[Stretch](), dict[str, datetime]()
        for kin, first, last in await concerned.kins(tx):
            if not _lies_over(kin.calendar, calendar):
                continue
            old = await calendars.published(tx, kin.calendar)
            limit = limit_of(shelf.labelled(kin.policy), kin) if shelf.published(kin.policy) else None
            if old is None or limit is None:  # nobody knows what touches them: each is looked at, and found wanting
                stretches.append(Stretch(kin, first, last + timedelta.resolution))
                continue
            its = newest[kin.calendar.partition("@")[0]]
            if changed := changed_days(old, its):
                held[kin.calendar] = instant_of((changed[-1] + 1) * DAY)
                stretches += touched(kin, limit, first, last, old, its)
        return cls(shelf, newest, Touched(stretches, [*held.items()]))

    async def count(self, tx: AsyncSession) -> tuple[int, UUID | None]:
        return await concerned.count_touched(tx, self._touched) if self._touched else (0, None)

    async def next(self, tx: AsyncSession, after: UUID, most: int) -> list[UUID]:
        return await concerned.next_touched(tx, self._touched, after, most) if self._touched else []

    async def look(self, tx: AsyncSession, ids: Sequence[UUID], now: datetime, *, lock: bool) -> Seen:
        clocks, _ = await _with_merged(tx, ids, lock=lock)
        plans = await self._replanner.plan(tx, clocks.values(), {}, _held(clocks), _merged(clocks))
        # A deadline that passed before its appeal ended is broken, whoever says so, and when.
        its = [(clocks[clock], plan) for clock, plan in plans.items() if not clocks[clock].is_over]
        return Seen(its, settled=len({*ids} & clocks.keys()))

    def place(self, clock: OpenClock) -> UUID:
        return clock.id


class OnPolicy:
    """Brings open appeals and visits to another policy: a `target` version, or where none is given what counts for
    their units. Visits run by what counted when their facts came true; see `visiting`.

    A milestone that the other policy does not time ends, one that it times besides begins where it would have begun.
    """

    most = 500  # appeals and visits
    repeats = True

    def __init__(
        self, shelf: policies.Shelf, newest: Mapping[str, Calendar], scope: Scope, target: Policy | None
    ) -> None:
        self._newest, self._scope, self._target = newest, scope, target
        self._replanner, self._planner = Replanner(shelf, newest), Planner(newest)
        self._visiting = Visiting(newest, scope, self._replanner, self._planner, target)

    @classmethod
    async def begin(cls, tx: AsyncSession, job: Recalculation) -> "OnPolicy":
        shelf = await policies.shelf(tx)
        target = None if job.target is None else shelf.labelled(job.target)
        return cls(shelf, await calendars.newest(tx), await scope_of(tx, job, shelf), target)

    async def count(self, tx: AsyncSession) -> tuple[int, UUID | None]:
        counted = [await concerned.count_appeals(tx, self._scope), await self._visiting.count(tx)]
        return sum(count for count, _ in counted), min((first for _, first in counted if first), default=None)

    async def next(self, tx: AsyncSession, after: UUID, most: int) -> list[UUID]:
        appeals = await concerned.next_appeals(tx, self._scope, after, most)
        return sorted([*appeals, *await self._visiting.next(tx, after, most)])[:most]

    async def look(self, tx: AsyncSession, ids: Sequence[UUID], now: datetime, *, lock: bool) -> Seen:
        return await self._appeals(tx, ids, now, lock=lock) | await self._visiting.look(tx, ids, now, lock=lock)

    async def _appeals(self, tx: AsyncSession, ids: Sequence[UUID], now: datetime, *, lock: bool) -> Seen:
        appeals = await concerned.open_appeals(tx, ids, lock=lock)
        shelf = await policies.shelf(tx, {appeal.on.unit_code for appeal in appeals})
        standing = await concerned.milestones(tx, [appeal.id for appeal in appeals])
        chosen = {appeal.id: self._policy(shelf, appeal) for appeal in appeals}
        differing = [each for each in appeals if _differs(each, *chosen[each.id], standing[each.id])]
        changing = [Relabelling(each, *chosen[each.id]) for each in differing]
        lacks = {each.appeal.id: its for each in changing if (its := lacking(each, standing[each.appeal.id]))}
        attempts = await tried(tx, shelf, changing, standing)
        together = lacks.keys() | attempts.keys()
        merged = await families(tx, together, standing, lock=lock)
        running = {m.id for each in differing for m in standing[each.id] if m.state in _OPEN}
        clocks, busy = await _with_merged(tx, running | merged.open_of(lacks), lock=lock)
        busy |= merged.waiting(together, busy)
        seen = Seen(settled=len(appeals) - len(busy & chosen.keys()))
        seen.relabelled = [each for each in changing if each.appeal.id not in busy]
        targets: dict[UUID, Target] = {}
        own = {each.appeal.id: each.policy for each in seen.relabelled}
        for clock in [each for each in clocks.values() if each.subject_id in own and each.id in running]:
            policy = own[clock.subject_id]
            if limit_of(policy, clock) is not None:
                targets[clock.id] = Target(policy, self._newest[policy.calendar])
            elif may_be_met(clock, now):  # what is past is breached by the rules it has
                seen.ending.append(clocks.pop(clock.id))
        ended = {clock.id for clock in seen.ending}
        for clock in [each for each in clocks.values() if each.follows in ended]:
            clock.follows = seen.following[clock.id] = None  # from now on it runs by itself
        starting = await self._starting(tx, seen.relabelled, lacks, standing, now)
        new = {each.clock.id: each.as_open() for each in starting}
        for each in starting:
            targets[each.clock.id] = Target(each.policy, self._newest[each.policy.calendar])
        seen.following |= merged.follow(clocks, starting, new)
        every = clocks | new
        plans = await self._replanner.plan(tx, every.values(), targets, _held(every), _merged(clocks))
        seen.plans = [(clocks[clock], plan) for clock, plan in plans.items() if clock in clocks]
        seen.starting = [each.by(plans[each.clock.id], now) for each in starting]
        tied = {*seen.following, *seen.following.values()}
        seen.bound = [
            (new[each.clock.id], plans[each.clock.id]) for each in starting if each.is_bound(plans[each.clock.id], tied)
        ]
        for brought in [each for each in seen.relabelled if each.appeal.id in attempts]:
            subject = brought.appeal.id
            timed = {clock.milestone: clock.id for clock in every.values() if clock.subject_id == subject}
            on_way = {milestone: plans[clock] for milestone, clock in timed.items() if clock in plans}
            found = attempts[subject].reached(brought, standing[subject], on_way, now)
            seen.see_reached(subject, merged.leaders.get(subject, subject), found, timed)
        return seen

    def place(self, clock: OpenClock) -> UUID:
        return clock.subject_id

    def _policy(self, shelf: policies.Shelf, appeal: OpenAppeal) -> tuple[Policy, bool]:
        """What an appeal is to run by, on the calendar that counts for its unit; and whether that is assumed."""
        unit, at = appeal.on.unit_code, appeal.received_at
        choice = shelf.chosen(unit, at, anew=True)
        if self._target is None:
            return choice.policy, shelf.assumes(unit, at, anew=True)
        return choice.calls_for(self._target, self._newest), False

    async def _starting(
        self,
        tx: AsyncSession,
        relabelled: Sequence[Relabelling],
        lacks: Mapping[UUID, set[str]],
        standing: Mapping[UUID, Sequence[Milestone]],
        now: datetime,
    ) -> list[Starting]:
        lacking = [each for each in relabelled if each.appeal.id in lacks]
        moved_on = [each.appeal.id for each in lacking if each.appeal.has_moved_on]
        done = await concerned.deeds(tx, moved_on) if moved_on else {}
        return [
            starting
            for each, its in ((each, each.appeal.id) for each in lacking)
            for starting in begun(self._planner, each, lacks[its], standing[its], done.get(its, NOTHING_DONE), now)
        ]


async def scope_of(tx: AsyncSession, job: Recalculation, shelf: policies.Shelf) -> Scope:
    """Which open appeals a job is about."""
    units = None if job.unit_code is None else await directory.under(tx, job.unit_code)
    left = None if job.policy is None else [each.label for each in shelf.versions(job.policy)]
    return Scope(left and [label for label in left if label != job.target], job.assumed, units)


def _differs(appeal: OpenAppeal, policy: Policy, assumed: bool, standing: Sequence[Milestone]) -> bool:
    if (policy.label, assumed) != (appeal.policy, appeal.assumed) or appeal.calendar not in (None, policy.calendar):
        return True
    return any(each.state in _OPEN and each.calendar.partition("@")[0] != policy.calendar for each in standing)


async def _with_merged(
    tx: AsyncSession, ids: Collection[UUID], *, lock: bool
) -> tuple[dict[UUID, OpenClock], set[UUID]]:
    """Open clocks with all that are merged with them; and the subjects of those left out, for somebody holds them, or
    something that they are merged with. A subject is left out with all its clocks."""
    clocks = {clock.id: clock for clock in await concerned.open_clocks(tx, ids, lock=lock)}
    wanted = {*ids}
    if merged := [clock.id for clock in clocks.values() if clock.is_merged]:
        others = {*await concerned.merged_with(tx, merged)} - clocks.keys()
        clocks |= {clock.id: clock for clock in await concerned.open_clocks(tx, others, lock=lock)}
        wanted |= others
    missing = wanted - clocks.keys()
    if not missing:
        return clocks, set()
    places = await concerned.places(tx, wanted)
    busy: set[UUID] = set()
    while missing:
        leaders = {places[clock].leader for clock in missing}
        busy |= {its.subject_id for its in places.values() if its.leader in leaders}
        missing = {clock for clock in clocks if places[clock].subject_id in busy}
        for clock in missing:
            del clocks[clock]
    return clocks, busy


def _held(clocks: Mapping[UUID, OpenClock]) -> set[UUID]:
    return {clock.subject_id for clock in clocks.values() if clock.was_held}


def _merged(clocks: Mapping[UUID, OpenClock]) -> set[UUID]:
    return {clock.id for clock in clocks.values() if clock.is_merged}


def _lies_over(label: str, calendar: str) -> bool:
    return any(version.partition("@")[0] == calendar for version in label.split("+"))


async def errand_of(tx: AsyncSession, job: Recalculation) -> Errand:
    """The next turn of a job, by the rules as they are now."""
    if job.calendar is not None:
        return await OnCalendar.begin(tx, job.calendar, await calendars.newest(tx))
    return await OnPolicy.begin(tx, job)
