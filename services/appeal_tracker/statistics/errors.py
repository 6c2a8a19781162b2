"""What a caller can be told has gone wrong about a question for statistics."""

from chassis.web.errors import FieldError, Unprocessable, Words


class TwoPeriods(Unprocessable):
    slug = "two-periods"
    title = Words("day、week、month 只能择一", "One of day, week and month at most")

    def __init__(self) -> None:
        super().__init__(FieldError("/by", "two_periods", self.title, "query"))


class TooManyRows(Unprocessable):
    slug = "too-many-rows"
    title = Words("结果行数过多", "Too many rows")
    detail = Words("结果超过 {most} 行，请缩小范围。", "More than {most} rows: ask for less at once.")
