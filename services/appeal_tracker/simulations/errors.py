"""What a caller can be told has gone wrong about a simulation."""

from chassis.web.errors import FieldError, NotFound, Unprocessable, Words


class SimulationNotFound(NotFound):
    slug = "simulation-not-found"
    title = Words("模拟不存在", "No such simulation")


class NoCandidate(Unprocessable):
    slug = "no-candidate"
    title = Words("未指明候选方案", "Nothing to run the past against")
    detail = Words(
        "须指明策略（policy 或 pack）、日历（calendar，可附 notice），或两者。",
        "Name a policy (`policy` or `pack`), a calendar (`calendar`, with a `notice` or without), or both.",
    )


class TwoPolicies(Unprocessable):
    slug = "two-candidate-policies"
    title = Words("policy 与 pack 只能择一", "Either `policy` or `pack`, not both")

    def __init__(self) -> None:
        super().__init__(FieldError("/pack", "two_candidate_policies", self.title))


class NoticeWithoutCalendar(Unprocessable):
    slug = "notice-without-calendar"
    title = Words("须指明通知所属的日历", "A notice needs the calendar it is for")

    def __init__(self) -> None:
        super().__init__(FieldError("/calendar", "notice_without_calendar", self.title))


class UnknownVersion(Unprocessable):
    """Of a calendar or a policy."""

    slug = "unknown-version"
    title = Words("未发布的版本", "No such version has been published")
    detail = Words("没有已发布的 {label}。", "There is no published {label}.")

    def __init__(self, pointer: str, label: str) -> None:
        super().__init__(FieldError(pointer, "unknown_version", self.title), label=label)


class UnknownScope(Unprocessable):
    """Also a unit that the caller does not see."""

    slug = "unknown-scope"
    title = Words("未知的单位", "Unknown unit")

    def __init__(self) -> None:
        super().__init__(FieldError("/unit_code", "unknown_unit", self.title))


class NotPast(Unprocessable):
    slug = "not-past"
    title = Words("须为已过去的区间", "Not a period of the past")
    detail = Words(
        "区间不得早于 2007-01-01、晚于今天（{today}），结束日期不得早于开始日期。",
        "It must not end before it begins, nor begin before 2007-01-01 or end after today ({today}).",
    )

    def __init__(self, pointer: str, today: str) -> None:
        super().__init__(FieldError(pointer, "not_past", self.title), today=today)
