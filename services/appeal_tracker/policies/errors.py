"""What a caller can be told has gone wrong about policies."""

from collections.abc import Sequence
from datetime import date, datetime

from appeal_tracker.calendars import faults
from appeal_tracker.policies.faults import FAULTS
from appeal_tracker.policies.strictness import Laxness
from chassis.web.errors import Conflict, FieldError, NotFound, Unprocessable, Words


class PolicyNotFound(NotFound):
    slug = "policy-not-found"
    title = Words("策略不存在", "No such policy")


class UnknownPolicy(Unprocessable):
    slug = "unknown-policy"
    title = Words("未知的策略", "Unknown policy")
    detail = Words("没有名为 {policy} 的策略。", "There is no policy {policy}.")

    def __init__(self, policy: str) -> None:
        super().__init__(FieldError("/policy", "unknown_policy", self.title), policy=policy)


class PolicyNotInForce(Unprocessable):
    slug = "policy-not-in-force"
    title = Words("策略当时尚未生效", "Policy not in force then")
    detail = Words(
        "策略 {policy} 在该时刻没有生效的版本。", "No version of policy {policy} was in force at that instant."
    )

    def __init__(self, policy: str) -> None:
        super().__init__(FieldError("/policy", "policy_not_in_force", self.title), policy=policy)


class AssignmentInThePast(Unprocessable):
    """What was in force on a day gone by stays what it was; only a stop of work that was known late may be added."""

    slug = "assignment-in-the-past"
    title = Words("不能更改已过去日期的策略", "A policy cannot be assigned to days gone by")
    detail = Words(
        "生效日期最早为今天（{today}）；此前一年内，只能为当时适用的策略改选叠加于当时日历之上的日历。",
        "It takes effect today ({today}) at the earliest; for the year before that, a calendar may be picked that lies "
        "over the one that counted then, for the pack that counted then.",
    )

    def __init__(self, today: date) -> None:
        super().__init__(FieldError("/effective_from", "in_the_past", self.title), today=today.isoformat())


class UnknownCalendar(Unprocessable):
    slug = "unknown-calendar"
    title = Words("未知的日历", "Unknown calendar")
    detail = Words("没有名为 {calendar} 的日历。", "There is no calendar {calendar}.")

    def __init__(self, calendar: str) -> None:
        super().__init__(FieldError("/calendar", "unknown_calendar", self.title), calendar=calendar)


class CalendarElsewhere(Unprocessable):
    """A calendar of another kin would make its own working days the measure of what the pack above promises."""

    slug = "calendar-elsewhere"
    title = Words("日历须为策略的日历或叠加于其上", "The calendar must be the pack's, or lie over it")
    detail = Words("日历 {calendar} 并未叠加于 {below}。", "Calendar {calendar} does not lie over {below}.")

    def __init__(self, calendar: str, below: str) -> None:
        fault = FieldError("/calendar", "calendar_elsewhere", self.title)
        super().__init__(fault, calendar=calendar, below=below)


class PolicyIsWithdrawn(Unprocessable):
    slug = "policy-is-withdrawn"
    title = Words("策略已撤回", "The policy is withdrawn")
    detail = Words("策略 {policy} 已撤回。", "Policy {policy} is withdrawn.")

    def __init__(self, policy: str, pointer: str) -> None:
        super().__init__(FieldError(pointer, "policy_is_withdrawn", self.title), policy=policy)


class PolicyWithdrawnBefore(Conflict):
    slug = "policy-withdrawn-before"
    title = Words("策略此前已撤回", "The policy was withdrawn before")


class UnitHasMerged(Conflict):
    slug = "unit-has-merged"
    title = Words("单位已并入其他单位", "The unit was merged into another")
    detail = Words("{code} 已并入 {into}，适用其策略。", "{code} was merged into {into}, whose policy it goes by.")


class FloorStays(Conflict):
    slug = "floor-stays"
    title = Words("底线策略不能撤回", "The floor cannot be withdrawn")
    detail = Words("未选用其他策略的单位均适用 {policy}。", "Every unit that picked nothing else goes by {policy}.")


class MalformedPack(Unprocessable):
    slug = "malformed-pack"
    title = Words("策略包有误", "The pack is not acceptable")

    def __init__(self, pointer: str, fault: str) -> None:
        super().__init__(FieldError(pointer, "malformed", faults.bilingual(fault, FAULTS)))


class PackagedPolicy(Unprocessable):
    slug = "packaged-policy"
    title = Words("该策略随软件发布，不能另行发布", "That policy comes with the service, and with it only")

    def __init__(self, policy: str) -> None:
        super().__init__(FieldError("/id", "packaged_policy", self.title), policy=policy)


class PolicyWithoutParent(Unprocessable):
    slug = "policy-without-parent"
    title = Words("自有策略须继承另一策略", "A pack of one's own must extend another")

    def __init__(self) -> None:
        super().__init__(FieldError("/extends", "policy_without_parent", self.title))


class UnknownParentPolicy(Unprocessable):
    """Also one of which no version is in force yet when the pack itself takes effect."""

    slug = "unknown-parent-policy"
    title = Words("上级策略不存在或尚未生效", "The pack it extends does not exist, or is not in force by then")
    detail = Words("没有可继承的策略 {parent}。", "There is no policy {parent} to extend.")

    def __init__(self, parent: str) -> None:
        super().__init__(FieldError("/extends", "unknown_parent_policy", self.title), parent=parent)


class CyclicPolicies(Unprocessable):
    """`path` names them in their order, the first one again at the end."""

    slug = "cyclic-policies"
    title = Words("策略相互继承成环", "Packs would extend each other in a circle")

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(FieldError("/extends", "cyclic_policies", self.title), path=[*path])


class NotTheNextVersion(Unprocessable):
    slug = "not-the-next-version"
    title = Words("版本号不是下一个版本", "Not the next version")
    detail = Words("下一个版本是 {expected}。", "The next version is {expected}.")

    def __init__(self, expected: int) -> None:
        super().__init__(FieldError("/version", "not_the_next_version", self.title), expected=expected)


class EffectiveTooEarly(Unprocessable):
    """No appeal received before a version was published may find itself under it."""

    slug = "policy-effective-too-early"
    title = Words("生效日期过早", "It would take effect too early")
    detail = Words(
        "生效日期最早为 {earliest}，发布前已收到的诉求不受影响。",
        "It takes effect on {earliest} at the earliest, so that no appeal received before it is published is touched.",
    )

    def __init__(self, earliest: date) -> None:
        fault = FieldError("/effective_from", "effective_too_early", self.title)
        super().__init__(fault, earliest=earliest.isoformat())


class LaxerPolicy(Unprocessable):
    """`laxer` names each place, and the first start at which it shows where a start shows it."""

    slug = "laxer-policy"
    title = Words("比所继承的策略宽松", "Laxer than what it extends")

    def __init__(self, policy: str, calendar: str, laxer: Sequence[Laxness], pointers: Sequence[str]) -> None:
        errors = [
            FieldError(pointer, "laxer", faults.bilingual(each.fault, FAULTS))
            for each, pointer in zip(laxer, pointers, strict=True)
        ]
        places = [
            {
                "than": each.than,
                "place": each.pointer,
                "start": _text(each.start),
                "own_due_at": _text(each.own_due_at),
                "parent_due_at": _text(each.parent_due_at),
            }
            for each in laxer
        ]
        super().__init__(*errors, policy=policy, calendar=calendar, laxer=places)
        self._said = f"{policy} on {calendar}: {laxer[0]}"

    def __str__(self) -> str:
        return self._said


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
