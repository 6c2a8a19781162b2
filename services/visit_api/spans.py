"""What a caller can be told has gone wrong about a question for figures."""

from chassis.web.errors import FieldError, Unprocessable, Words


class BadPeriod(Unprocessable):
    slug = "bad-period"
    title = Words("统计期间不合法", "Not a period that can be counted")
    detail = Words(
        "from 不晚于 to，最多 {days} 天，且在 1900 至 9000 年之间。",
        "`from` is not after `to`, {days} days at most, between the years 1900 and 9000.",
    )

    def __init__(self, *, days: int) -> None:
        super().__init__(FieldError("/from", "bad_period", self.title, "query"), days=days)
