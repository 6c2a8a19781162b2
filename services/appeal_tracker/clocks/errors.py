"""What a caller can be told has gone wrong about a calculation."""

from chassis.web.errors import FieldError, Unprocessable, Words


class OutsideCalendars(Unprocessable):
    slug = "outside-calendars"
    title = Words("超出日历覆盖的年份", "Outside the years the calendars cover")
    detail = Words("日历覆盖 {first_year} 年至 {last_year} 年。", "Calendars cover {first_year} to {last_year}.")

    def __init__(self, first_year: int, last_year: int) -> None:
        fault = FieldError("/received_at", "not_covered", self.title)
        super().__init__(fault, first_year=first_year, last_year=last_year)
