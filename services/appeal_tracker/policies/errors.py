"""What a caller can be told has gone wrong about policies."""

from datetime import date

from chassis.web.errors import FieldError, NotFound, Unprocessable, Words


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
    """What was in force on a day gone by stays what it was."""

    slug = "assignment-in-the-past"
    title = Words("不能更改已过去日期的策略", "A policy cannot be assigned to days gone by")
    detail = Words("生效日期最早为今天（{today}）。", "It takes effect today ({today}) at the earliest.")

    def __init__(self, today: date) -> None:
        super().__init__(FieldError("/effective_from", "in_the_past", self.title), today=today.isoformat())
