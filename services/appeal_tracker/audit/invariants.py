"""What must always hold. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from appeal_tracker.policies.policy import Policy
from chassis.web.errors import Words


class Invariant(StrEnum):
    """One thing that must never be found."""

    CLOCK_MISSING = "clock_missing"
    TIMER_UNFIRED = "timer_unfired"
    DEADLINE_WRONG = "deadline_wrong"
    BREACH_UNTOLD = "breach_untold"
    STEP_FIRED_TWICE = "step_fired_twice"
    CANARY_SILENT = "canary_silent"
    RECALCULATION_FAILING = "recalculation_failing"


MEANINGS: dict[Invariant, Words] = {
    Invariant.CLOCK_MISSING: Words(
        "未办结的诉求或走访缺少其策略规定的时限", "An open appeal or visit lacks a clock that its policy gives it"
    ),
    Invariant.TIMER_UNFIRED: Words("到期提醒超过五分钟仍未触发", "A timer that is due has not fired for five minutes"),
    Invariant.DEADLINE_WRONG: Words(
        "时限与其策略、日历版本及中止记录推算的结果不符",
        "A deadline is not what the versions of its policy and calendar, and its holds, give",
    ),
    Invariant.BREACH_UNTOLD: Words("已超时的时限没有超时记录", "A breached clock whose breach was never recorded"),
    Invariant.STEP_FIRED_TWICE: Words("同一提醒步骤触发了两次", "A step of a ladder fired twice"),
    Invariant.CANARY_SILENT: Words(
        "自检定时器没有按时触发，或已无人设定", "The canary timer did not fire in time, or nobody arms it any more"
    ),
    Invariant.RECALCULATION_FAILING: Words(
        "日历或单位变更引起的重算失败，或其中某项时限、诉求、走访无法重算，正在重试",
        "A recalculation that follows from a calendar, a choice or a unit has failed, or cannot do one thing that is"
        " named, and is tried again",
    ),
}

# The facts that have come true when an appeal has come so far, held there or not; a policy lets clocks run from them.
_COME_TRUE: Mapping[str, frozenset[str]] = {
    "open": frozenset({"received"}),
    "contacted": frozenset({"received", "contacted"}),
    "answered": frozenset({"received", "contacted", "answered"}),
    "called_back": frozenset({"received", "contacted", "answered"}),
}


class Finding(msgspec.Struct, frozen=True):
    """Something that was found of a subject; `place` tells it from what else is found of the same one."""

    invariant: Invariant
    subject_kind: str
    subject_id: UUID
    place: str
    clock_id: UUID | None
    milestone: str | None


class Expected(msgspec.Struct, frozen=True):
    """A clock that every appeal of a policy and a type has that came as far as a state."""

    policy: str
    appeal_type: str
    state: str
    milestone: str


def expected(policies: Iterable[Policy]) -> list[Expected]:
    """The clocks that `policies` give, by how far an appeal has come; a closed one may have had none of them."""
    return [
        Expected(policy.label, appeal_type, state, limit.milestone)
        for policy in policies
        for appeal_type, limits in policy.appeals.items()
        for limit in limits
        for state, facts in _COME_TRUE.items()
        if limit.starts in facts
    ]
