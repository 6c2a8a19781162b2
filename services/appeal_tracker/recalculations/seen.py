"""What a job finds is to become of a batch."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from appeal_tracker.clocks.replanning import Plan
from appeal_tracker.recalculations.starting import Relabelling, Starting
from appeal_tracker.recalculations.subjects import OpenClock


class Seen(msgspec.Struct):
    """What is to become of a batch: clocks planned anew, clocks whose milestone vanishes, clocks that begin, the plans
    of those that do not run by themselves, and what follows which; the appeals that run by another policy now, and the
    visits, with whether that is assumed; and how many of the batch that settles. The others were held by somebody, and
    are looked at again. `reached`: when clocks are stopped by what was tried before and counts now, and `counting` the
    appeals of which anything does, by the one that speaks for each."""

    plans: list[tuple[OpenClock, Plan]] = []
    ending: list[OpenClock] = []
    starting: list[Starting] = []
    bound: list[tuple[OpenClock, Plan]] = []
    following: dict[UUID, UUID | None] = {}
    relabelled: list[Relabelling] = []
    visits: dict[UUID, bool] = {}
    reached: dict[UUID, datetime] = {}
    counting: dict[UUID, set[UUID]] = {}
    settled: int = 0

    @property
    def changed(self) -> int:
        """How many appeals and visits it changes."""
        return len(self.relabelled) + len(self.visits)

    def see_reached(
        self, appeal: UUID, leader: UUID, found: Mapping[str, datetime], clocks: Mapping[str, UUID]
    ) -> None:
        """Takes in when milestones of an appeal are reached by what was tried; `clocks`: those that time them."""
        self.reached |= {clocks[milestone]: at for milestone, at in found.items() if milestone in clocks}
        if found:
            self.counting.setdefault(leader, set()).add(appeal)

    def is_past(self, clock: UUID, due_at: datetime, now: datetime) -> bool:
        """Whether a clock that runs until then is past with that, or was stopped too late."""
        at = self.reached.get(clock)
        return due_at < (now if at is None else at)

    def __or__(self, other: "Seen") -> "Seen":
        """Both together; they are about different things."""
        return Seen(
            plans=self.plans + other.plans,
            ending=self.ending + other.ending,
            starting=self.starting + other.starting,
            bound=self.bound + other.bound,
            following=self.following | other.following,
            relabelled=self.relabelled + other.relabelled,
            visits=self.visits | other.visits,
            reached=self.reached | other.reached,
            counting=self.counting | other.counting,
            settled=self.settled + other.settled,
        )
