"""Merged appeals of which some get clocks that they lacked: those follow the leader's, as after a merge."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks.states import ClockState
from appeal_tracker.recalculations import concerned
from appeal_tracker.recalculations.starting import Starting
from appeal_tracker.recalculations.subjects import Milestone, OpenClock


class Families(msgspec.Struct, frozen=True):
    """The leaders of merged appeals, by those; the clocks on all of them; and those that somebody holds."""

    leaders: Mapping[UUID, UUID]
    standing: Mapping[UUID, Sequence[Milestone]]
    held: frozenset[UUID]

    def open_of(self, lacks: Mapping[UUID, Collection[str]]) -> set[UUID]:
        """The open clocks that will be merged with those of what appeals lack."""
        return {
            clock.id
            for appeal, milestones in lacks.items()
            for other in self._beside(appeal)
            for clock in self.standing[other]
            if clock.milestone in milestones and clock.state in (ClockState.RUNNING, ClockState.HELD)
        }

    def waiting(self, appeals: Collection[UUID], busy: Collection[UUID]) -> set[UUID]:
        """Those of `appeals` that are merged with some that somebody holds."""
        leaders = {self.leaders[each] for each in {*busy, *self.held} if each in self.leaders}
        return {each for each in appeals if self.leaders.get(each) in leaders}

    def follow(
        self, clocks: Mapping[UUID, OpenClock], starting: Sequence[Starting], new: Mapping[UUID, OpenClock]
    ) -> dict[UUID, UUID | None]:
        """Has merged clocks follow their leader's, of which either begins now; returns what follows which."""
        following: dict[UUID, UUID | None] = {each.clock.id: None for each in starting if each.again}
        running = [each for each in starting if each.done_at is None and each.on.id in self.leaders]
        its = {(clock.subject_id, clock.milestone): clock for clock in clocks.values()}
        its |= {(each.on.id, each.clock.milestone): new[each.clock.id] for each in running}
        for each in running:
            appeal, leader = each.on.id, self.leaders[each.on.id]
            leading = its.get((leader, each.clock.milestone))
            for member in self._beside(appeal) if appeal == leader else [appeal]:
                clock = its.get((member, each.clock.milestone))
                if leading is not None and clock is not None:
                    clock.follows = following[clock.id] = leading.id
        return following

    def _beside(self, appeal: UUID) -> list[UUID]:
        """For a leader those merged into it, for one of those the leader."""
        leader = self.leaders.get(appeal)
        if leader != appeal:
            return [] if leader is None else [leader]
        return [each for each, its in self.leaders.items() if its == leader and each != leader]


async def families(
    tx: AsyncSession, appeals: Collection[UUID], known: Mapping[UUID, Sequence[Milestone]], *, lock: bool
) -> Families:
    """Those that `appeals` are merged with; `lock` holds them, so that of two jobs that would start what belongs
    together one does it. `known`: the clocks on the appeals that are held already."""
    if not appeals:
        return Families({}, {}, frozenset())
    leaders = await concerned.families(tx, appeals)
    others = leaders.keys() - known.keys()
    found = {each.id for each in await concerned.open_appeals(tx, others, lock=lock)} if others else set()
    standing = {**known, **(await concerned.milestones(tx, others) if others else {})}
    return Families(leaders, standing, frozenset(others - found))
