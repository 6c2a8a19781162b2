"""The statutory days off of a year: what the law alone gives, before the yearly notice moves weekends around them."""

from datetime import date, timedelta

import msgspec

FIRST_YEAR, LAST_YEAR = 2007, 2060


class CalendarDay(msgspec.Struct, frozen=True):
    """One listed day: off or working, by which name, on whose word (the address of a notice, or a law)."""

    date: date
    working: bool
    name: str
    source: str = ""


class _Law(msgspec.Struct, frozen=True):
    """One version of the regulation on days off (全国年节及纪念日放假办法) and what differs between versions."""

    since: int
    order: int
    spring: range  # days of Spring Festival, 0 = the first day of the lunar year
    labour: int
    folk: bool = True  # Qingming, Dragon Boat and Mid-Autumn are days off


_LAWS = (
    _Law(since=2025, order=795, spring=range(-1, 3), labour=2),
    _Law(since=2014, order=644, spring=range(3), labour=1),
    _Law(since=2008, order=513, spring=range(-1, 2), labour=1),
    _Law(since=2000, order=270, spring=range(3), labour=3, folk=False),
)


def statutory_days(year: int) -> tuple[CalendarDay, ...]:
    """Return the days off that the law in force gives to a year of 2007-2060, in order; 13 of them since 2025.

    Two festivals on one day share it; a festival on a weekend is not made up for, since only the notice says when.
    """
    law = next(law for law in _LAWS if law.since <= year)
    spring, qingming, dragon_boat, mid_autumn = (date(year, *divmod(day, 100)) for day in _FESTIVALS[year])
    days = [("元旦", date(year, 1, 1))]
    days += [("春节", spring + timedelta(days=offset)) for offset in law.spring]
    days += [("劳动节", date(year, 5, 1 + offset)) for offset in range(law.labour)]
    days += [("国庆节", date(year, 10, 1 + offset)) for offset in range(3)]
    if law.folk:
        days += [("清明节", qingming), ("端午节", dragon_boat), ("中秋节", mid_autumn)]
    names: dict[date, list[str]] = {}
    for name, day in days:
        names.setdefault(day, []).append(name)
    source = f"全国年节及纪念日放假办法 (国务院令第{law.order}号)"
    return tuple(CalendarDay(day, False, "、".join(names[day]), source) for day in sorted(names))


# Spring Festival, Qingming, Dragon Boat and Mid-Autumn of each year as month * 100 + day.
_FESTIVALS = {
    2007: (218, 405, 619, 925),
    2008: (207, 404, 608, 914),
    2009: (126, 404, 528, 1003),
    2010: (214, 405, 616, 922),
    2011: (203, 405, 606, 912),
    2012: (123, 404, 623, 930),
    2013: (210, 404, 612, 919),
    2014: (131, 405, 602, 908),
    2015: (219, 405, 620, 927),
    2016: (208, 404, 609, 915),
    2017: (128, 404, 530, 1004),
    2018: (216, 405, 618, 924),
    2019: (205, 405, 607, 913),
    2020: (125, 404, 625, 1001),
    2021: (212, 404, 614, 921),
    2022: (201, 405, 603, 910),
    2023: (122, 405, 622, 929),
    2024: (210, 404, 610, 917),
    2025: (129, 404, 531, 1006),
    2026: (217, 405, 619, 925),
    2027: (206, 405, 609, 915),
    2028: (126, 404, 528, 1003),
    2029: (213, 404, 616, 922),
    2030: (203, 405, 605, 912),
    2031: (123, 405, 624, 1001),
    2032: (211, 404, 612, 919),
    2033: (131, 404, 601, 908),
    2034: (219, 405, 620, 927),
    2035: (208, 405, 610, 916),
    2036: (128, 404, 530, 1004),
    2037: (215, 404, 618, 924),
    2038: (204, 405, 607, 913),
    2039: (124, 405, 527, 1002),
    2040: (212, 404, 614, 920),
    2041: (201, 404, 603, 910),
    2042: (122, 404, 622, 928),
    2043: (210, 405, 611, 917),
    2044: (130, 404, 531, 1005),
    2045: (217, 404, 619, 925),
    2046: (206, 404, 608, 915),
    2047: (126, 405, 529, 1004),
    2048: (214, 404, 615, 922),
    2049: (202, 404, 604, 911),
    2050: (123, 404, 623, 930),
    2051: (211, 405, 613, 919),
    2052: (201, 404, 601, 907),
    2053: (219, 404, 620, 926),
    2054: (208, 404, 610, 916),
    2055: (128, 405, 530, 1005),
    2056: (215, 404, 617, 924),
    2057: (204, 404, 606, 913),
    2058: (124, 404, 625, 1002),
    2059: (212, 405, 614, 921),
    2060: (202, 404, 603, 909),
}
