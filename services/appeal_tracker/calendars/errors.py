"""What a caller can be told has gone wrong about calendars."""

from appeal_tracker.calendars import refusals
from appeal_tracker.calendars.faults import bilingual
from chassis.web.errors import FieldError, NotFound, Problem, Unprocessable, Words


class CalendarNotFound(NotFound):
    slug = "calendar-not-found"
    title = Words("日历不存在", "No such calendar")


class CalendarVersionNotFound(NotFound):
    slug = "calendar-version-not-found"
    title = Words("日历没有该版本", "No such version of the calendar")


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


class MalformedNotice(Unprocessable):
    slug = "malformed-notice"
    title = Words("放假通知格式有误", "Not a notice in the holiday-cn form")


class DuplicateDay(Unprocessable):
    slug = "duplicate-day"
    title = Words("日期重复", "A day is given twice")
    detail = Words("{day} 给出了两次。", "{day} is given twice.")


class OutsideYear(Unprocessable):
    slug = "day-outside-year"
    title = Words("日期不在所述年份内", "A day lies outside the year named")
    detail = Words(
        "{day} 不在 {year} 年内，应列入 {its_year} 年：公布 {its_year} 年全年日历时一并给出。",
        "{day} does not lie in {year}, the year named. It belongs to {its_year}: list it with all days of that year.",
    )


class HalfYear(Unprocessable):
    """`missing` lists the statutory days that are not off; empty where no day was given at all."""

    slug = "half-year"
    title = Words("年份不完整：缺少法定节假日", "A year is given by half: statutory days are missing")


class NoWorkingDay(Unprocessable):
    slug = "no-working-day"
    title = Words("长时间没有工作日", "Too long without a working day")
    detail = Words(
        "日历 {calendar} 在 {after} 之后的 {days} 天内没有工作日。",
        "Calendar {calendar} would have no working day within {days} days after {after}.",
    )


class UnknownParentCalendar(Unprocessable):
    slug = "unknown-parent-calendar"
    title = Words("上级日历不存在", "It would lie over a calendar that does not exist")
    detail = Words("没有名为 {parent} 的日历。", "There is no calendar {parent}.")


class CyclicCalendars(Unprocessable):
    """`path` names them in their order, the first one again at the end."""

    slug = "cyclic-calendars"
    title = Words("日历相互叠加成环", "Calendars would lie over each other in a circle")


class StandsAlone(Unprocessable):
    slug = "calendar-stands-alone"
    title = Words("独立日历不能改为叠加日历", "A calendar that stands on its own cannot become an overlay")


class LiesElsewhere(Unprocessable):
    slug = "calendar-lies-elsewhere"
    title = Words("叠加日历不能改为叠加于其他日历之上", "An overlay stays over the calendar it lies over")
    detail = Words("该日历叠加于 {parent} 之上。", "It lies over {parent}.")


def refusal(refused: refusals.CalendarError, calendar: str) -> Problem:
    """The problem by which whoever would publish `calendar` is told of a refusal."""
    match refused:
        case refusals.DuplicateDay(day=day):
            return _pointed(DuplicateDay, refused, day=str(day))
        case refusals.OutsideYear(day=day, year=year):
            return _pointed(OutsideYear, refused, day=str(day), year=year, its_year=day.year)
        case refusals.HalfYear(year=year, missing=missing):
            return _pointed(HalfYear, refused, year=year, missing=[{"date": str(d), "name": n} for d, n in missing])
        case refusals.NoWorkingDay(after=after):
            whose = refused.calendar or calendar
            return _pointed(NoWorkingDay, refused, calendar=whose, after=str(after), days=refusals.MAX_GAP)
        case refusals.UnknownParent(parent=parent):
            return _pointed(UnknownParentCalendar, refused, parent=parent)
        case refusals.CyclicParents(path=path):
            return _pointed(CyclicCalendars, refused, path=list(path))
        case refusals.StandsAlone():
            return _pointed(StandsAlone, refused)
        case refusals.LiesElsewhere(parent=parent):
            return _pointed(LiesElsewhere, refused, parent=parent)
        case refusals.MalformedNotice(fault=fault):
            return MalformedNotice(FieldError(refused.pointer, "malformed", bilingual(fault)))
    raise refused


def _pointed(kind: type[Unprocessable], refused: refusals.CalendarError, **context: object) -> Unprocessable:
    return kind(FieldError(refused.pointer, kind.slug.replace("-", "_"), kind.title), **context)
