"""What a caller can be told has gone wrong about absences."""

from chassis.web.errors import FieldError, Forbidden, NotFound, Unprocessable, Words


class AbsenceNotFound(NotFound):
    slug = "absence-not-found"
    title = Words("没有该缺勤记录", "No such absence")


class UnknownStaff(Unprocessable):
    slug = "unknown-staff"
    title = Words("未知的人员", "Unknown member of staff")

    def __init__(self, field: str) -> None:
        super().__init__(FieldError(f"/{field}", "unknown_staff", self.title))


class StandsInForThemselves(Unprocessable):
    slug = "stands-in-for-themselves"
    title = Words("不能由本人代理本人", "Nobody stands in for themselves")

    def __init__(self) -> None:
        super().__init__(FieldError("/substitute", "stands_in_for_themselves", self.title))


class EndsBeforeItBegins(Unprocessable):
    slug = "ends-before-it-begins"
    title = Words("结束时间须晚于开始时间", "It ends before it begins")

    def __init__(self) -> None:
        super().__init__(FieldError("/until", "ends_before_it_begins", self.title))


class NotYourAbsence(Forbidden):
    slug = "not-your-absence"
    title = Words("他人的缺勤由主管登记", "The absence of somebody else is recorded by a supervisor")
