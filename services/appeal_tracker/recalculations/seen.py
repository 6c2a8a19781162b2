"""What a job finds is to become of a batch."""

from uuid import UUID

import msgspec

from appeal_tracker.clocks.replanning import Plan
from appeal_tracker.recalculations.starting import Relabelling, Starting
from appeal_tracker.recalculations.subjects import OpenClock


class Seen(msgspec.Struct):
    """What is to become of a batch: clocks planned anew, clocks whose milestone vanishes, clocks that begin, the plans
    of those that do not run by themselves, and what follows which; the appeals that run by another policy now, and the
    visits, with whether that is assumed; and how many of the batch that settles. The others were held by somebody, and
    are looked at again."""

    plans: list[tuple[OpenClock, Plan]] = []
    ending: list[OpenClock] = []
    starting: list[Starting] = []
    bound: list[tuple[OpenClock, Plan]] = []
    following: dict[UUID, UUID | None] = {}
    relabelled: list[Relabelling] = []
    visits: dict[UUID, bool] = {}
    settled: int = 0

    @property
    def changed(self) -> int:
        """How many appeals and visits it changes."""
        return len(self.relabelled) + len(self.visits)

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
            settled=self.settled + other.settled,
        )
