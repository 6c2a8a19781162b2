"""A policy in force: a pack with all it inherits, ready to count by. Pure, immutable."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, Protocol, TypeVar

import msgspec

from appeal_tracker.calendars.civil import DAY, date_of, day_number
from appeal_tracker.calendars.period import Period
from appeal_tracker.policies.ladder import Phase, Step
from appeal_tracker.policies.pack import Reopening, Target
from appeal_tracker.policies.quiet import QuietHours

REPEAT_DAYS = 60
NEW_ROUND: Reopening = "new_round"


class Limit(msgspec.Struct, frozen=True):
    """One deadline a policy sets: what must be done, within which period, on whose word.

    `stated_by` is the pack whose `clause` gives the figure; `starts` the fact the period runs from.
    """

    milestone: str
    within: Period
    clause: str
    stated_by: str
    starts: str
    ladder: tuple[Step, ...]
    holdable: bool = False


class ContactRule(msgspec.Struct, frozen=True):
    """What stops a contact clock: an accepted result, or `attempts` unanswered ones, `hours_apart` or more."""

    accepts: frozenset[str] = frozenset({"reached"})
    attempts: int = 3
    hours_apart: int = 2


class CallbackRule(msgspec.Struct, frozen=True):
    """Which appeals are called back, and by whom; one who refused or is anonymous is never called.

    `attempts` unanswered calls, `hours_apart` or more, are a callback that failed. Who is `dissatisfied` (the lowest
    two ratings) is followed up, or has a new round begin.
    """

    required_for: frozenset[str] = frozenset()
    by: Literal["anyone", "acceptor", "not_the_handler"] = "anyone"
    clause: str = ""
    attempts: int = 3
    hours_apart: int = 2
    dissatisfied: Literal["follow_up", "new_round"] = "follow_up"

    def is_required(self, appeal_type: str, *, refused: bool = False, anonymous: bool = False) -> bool:
        return appeal_type in self.required_for and not refused and not anonymous


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """All the rules that one version of a pack sets, its own and the inherited."""

    id: str
    version: int
    title: str
    lineage: tuple[str, ...]  # labels, this pack first, then those it extends
    effective_from: date | None
    calendar: str
    quiet: QuietHours | None
    contact: ContactRule
    callback: CallbackRule
    reopen: Mapping[str, Reopening]  # what is to be done again, by type of appeal
    appeals: Mapping[str, tuple[Limit, ...]]
    visits: tuple[Limit, ...]
    targets: Mapping[str, Target]
    repeat_days: int = REPEAT_DAYS  # within which the same matter of the same customer is one that came back

    @property
    def label(self) -> str:
        return f"{self.id}@{self.version}"

    def limits(self, appeal_type: str) -> tuple[Limit, ...]:
        """Return the deadlines of an appeal of this type; none where the standard gives no number."""
        return self.appeals.get(appeal_type, ())

    @property
    def closes_early(self) -> bool:
        """Whether any of its deadlines ends at the close of business."""
        limits = (limit for its in (*self.appeals.values(), self.visits) for limit in its)
        return any(limit.within.closes != DAY for limit in limits)

    def reopens(self, appeal_type: str) -> Reopening:
        """Return what is to be done again when an appeal of this type is reopened."""
        return self.reopen.get(appeal_type, NEW_ROUND)


class _Version(Protocol):
    @property
    def version(self) -> int: ...
    @property
    def effective_from(self) -> date | None: ...


V = TypeVar("V", bound=_Version)


def in_force(versions: Iterable[V], at: datetime) -> V | None:
    """Return the version effective on the civil day of an instant: the latest to begin, the newest of those."""
    return _effective(versions, date_of(day_number(at)))


class Reign(NamedTuple):
    """A version of a pack, and the civil days, both included, of which what begins on them begins under it."""

    policy: Policy
    since: date
    until: date


def reigns(versions: Iterable[Policy], since: date, until: date = date.max) -> list[Reign]:
    """Return the versions that something can begin under from one civil day to another, in the order of their days."""
    versions = list(versions)
    starts = {each.effective_from for each in versions if each.effective_from}
    days = [since, *sorted(day for day in starts if since < day <= until)]
    lasts = [*(day - timedelta(days=1) for day in days[1:]), until]
    found = ((_effective(versions, first), first, last) for first, last in zip(days, lasts, strict=True))
    return [Reign(policy, first, last) for policy, first, last in found if policy]


def usable(versions: Iterable[Policy], since: date, until: date = date.max) -> list[Policy]:
    """Return the same versions without their days."""
    return [reign.policy for reign in reigns(versions, since, until)]


def _effective(versions: Iterable[V], day: date) -> V | None:
    begun = [each for each in versions if each.effective_from is None or each.effective_from <= day]
    return max(begun, key=lambda each: (each.effective_from or date.min, each.version), default=None)


def muted(policy: Policy) -> Policy:
    """Return a policy by whose deadlines nobody is told of anything; a breach is recorded all the same."""
    appeals = {each: tuple(map(_muted, limits)) for each, limits in policy.appeals.items()}
    return msgspec.structs.replace(policy, appeals=appeals, visits=tuple(map(_muted, policy.visits)))


def _muted(limit: Limit) -> Limit:
    ladder = tuple(Step(step.moment, ()) for step in limit.ladder if step.moment.phase is Phase.DUE)
    return msgspec.structs.replace(limit, ladder=ladder)
