"""What a caller can be told has gone wrong about calendars."""

from chassis.web.errors import NotFound, Unprocessable, Words


class CalendarNotFound(NotFound):
    slug = "calendar-not-found"
    title = Words("日历不存在", "No such calendar")


class DayNotCovered(Unprocessable):
    slug = "day-not-covered"
    title = Words("日期超出日历范围", "Outside the years the calendars cover")
    detail = Words("日历覆盖 {first_year} 年至 {last_year} 年。", "Calendars cover {first_year} to {last_year}.")


class BadRange(Unprocessable):
    slug = "bad-date-range"
    title = Words("日期区间无效", "Not an acceptable range of dates")
    detail = Words(
        "结束日期不得早于开始日期，区间最长 {days} 天。",
        "The range must not end before it begins, nor pass {days} days.",
    )
