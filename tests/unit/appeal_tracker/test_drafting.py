"""A calendar version before it is published: what it changes, of itself and of those above it, and what is refused."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from appeal_tracker.calendars.drafting import Prepared, draft
from appeal_tracker.calendars.editions import Edition
from appeal_tracker.calendars.loader import packaged_edition
from appeal_tracker.calendars.refusals import (
    CalendarError,
    CyclicParents,
    DuplicateDay,
    HalfYear,
    LiesElsewhere,
    MalformedNotice,
    NoWorkingDay,
    OutsideYear,
    StandsAlone,
    UnknownParent,
)
from tests.unit.appeal_tracker.test_calendar import notice_2027

NEWEST = {"cn-statutory": packaged_edition()}


def day(text: str, *, off: bool = True, name: str = "台风停工") -> dict[str, Any]:
    return {"name": name, "date": text, "isOffDay": off}


def over(extends: str | None, *days: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What an overlay says of a year."""
    return {"papers": ["鲁应急〔2026〕7号"], "days": [*days], **({"extends": extends} if extends else {}), **more}


def published(*prepared: Prepared) -> dict[str, Edition]:
    return {**NEWEST, **{each.edition.id: each.edition for each in prepared}}


def changed(prepared: Prepared) -> list[tuple[str, bool, bool, str]]:
    return [(str(c.date), c.before.working, c.after.working, c.after.name) for c in prepared.changes]


TYPHOON = draft("qingdao", over("cn-statutory", day("2026-09-21")), NEWEST)


def test_a_notice_makes_the_next_version_and_lists_what_it_changes():
    prepared = draft("cn-statutory", notice_2027(), NEWEST)
    assert prepared.calendar.label == "cn-statutory@2"
    assert prepared.before.label == "cn-statutory@1"
    assert changed(prepared) == [("2027-05-03", True, False, "劳动节"), ("2027-05-08", False, True, "劳动节")]
    assert 2027 in prepared.calendar.published_years


def test_an_overlay_changes_what_it_lists_and_inherits_the_rest():
    assert TYPHOON.calendar.label == "qingdao@1+cn-statutory@1"
    assert changed(TYPHOON) == [("2026-09-21", True, False, "台风停工")]
    assert TYPHOON.calendar.reason(date(2026, 9, 21)).source == "鲁应急〔2026〕7号"
    assert TYPHOON.notice.year == 2026, "of its first day"
    assert list(TYPHOON.calendars) == ["qingdao"]


def test_an_overlay_says_a_year_anew_and_keeps_its_parent_and_its_other_years():
    first = draft("qingdao", over("cn-statutory", day("2026-09-21")), NEWEST)
    second = draft("qingdao", over(None, day("2027-08-02")), published(first))
    assert (second.edition.version, second.edition.extends) == (2, "cn-statutory")
    assert changed(second) == [("2027-08-02", True, False, "台风停工")]
    third = draft("qingdao", over(None, year=2026), published(second))
    assert changed(third) == [("2026-09-21", False, True, "")], "what it took is given back"


def test_those_that_lie_over_it_change_with_it():
    district = draft("district", over("qingdao", day("2026-09-22")), published(TYPHOON))
    prepared = draft("cn-statutory", notice_2027(), published(TYPHOON, district))
    assert {name: each.label for name, each in prepared.calendars.items()} == {
        "cn-statutory": "cn-statutory@2",
        "qingdao": "qingdao@1+cn-statutory@2",
        "district": "district@1+qingdao@1+cn-statutory@2",
    }
    beside = draft("yantai", over("cn-statutory", day("2026-09-23")), published(TYPHOON, district))
    assert list(beside.calendars) == ["yantai"]


def test_a_calendar_may_stand_on_its_own():
    prepared = draft("own", notice_2027(), NEWEST)
    assert (prepared.calendar.label, prepared.calendar.published_years) == ("own@1", {2027})
    assert [text for text, *_ in changed(prepared)] == ["2027-05-03", "2027-05-08"]


def test_the_files_of_holiday_cn_are_taken_as_they_are():
    document = {"$schema": "https://raw.githubusercontent.com/NateScarlet/holiday-cn/master/schema.json", "$id": "x"}
    assert draft("cn-statutory", {**document, **notice_2027()}, NEWEST).calendar.version == 2


@pytest.mark.parametrize(
    ("document", "refusal", "pointer"),
    [
        (over("cn-statutory", day("2026-09-21"), day("2026-09-21", off=False)), DuplicateDay, "/days/1/date"),
        (over("cn-statutory", day("2027-01-04"), year=2026), OutsideYear, "/days/0/date"),
        (over("cn-statutory", day("2026-09-21"), day("2027-09-21")), OutsideYear, "/days/1/date"),
        (over("nowhere", day("2026-09-21")), UnknownParent, "/extends"),
        (over("new", day("2026-09-21")), CyclicParents, "/extends"),
        (over("cn-statutory"), MalformedNotice, "/year"),
        (over("cn-statutory", day("2006-12-31"), day("2006-12-30")), MalformedNotice, "/days/0/date"),
        (over("cn-statutory", day("2061-01-03")), MalformedNotice, "/days/0/date"),
        (over("cn-statutory", day("2026-09-21"), papers=[]), MalformedNotice, "/papers"),
        (over("cn-statutory", day("2026-09-21"), extend="x"), MalformedNotice, "/extend"),
        (over("cn-statutory", {**day("2026-09-21"), "isOff": True}), MalformedNotice, "/days/0/isOff"),
        (
            over("cn-statutory", day("2026-01-05"), *(day(f"2026-03-{n:02}") for n in range(1, 32)), day("2026-04-01")),
            NoWorkingDay,
            "/days/1/date",
        ),
        (notice_2027() | {"days": notice_2027()["days"][1:]}, HalfYear, "/days"),
        ("text", MalformedNotice, ""),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(document: object, refusal: type[CalendarError], pointer: str):
    with pytest.raises(refusal) as refused:
        draft("new", document, NEWEST)
    assert refused.value.pointer == pointer


def test_calendars_never_come_to_lie_over_each_other():
    district = draft("district", over("qingdao", day("2026-09-22")), published(TYPHOON))
    with pytest.raises(CyclicParents) as refused:
        draft("qingdao", over("district", day("2026-09-21")), published(TYPHOON, district))
    assert refused.value.path == ("qingdao", "district", "qingdao")


def test_an_overlay_stays_over_what_it_lies_over():
    district = draft("district", over("qingdao", day("2026-09-22")), published(TYPHOON))
    with pytest.raises(LiesElsewhere) as refused:
        draft("district", over("cn-statutory", day("2026-09-22")), published(TYPHOON, district))
    assert (refused.value.parent, refused.value.pointer) == ("qingdao", "/extends")
    named = draft("district", over("qingdao", day("2026-09-23")), published(TYPHOON, district))
    assert (named.edition.version, named.edition.extends) == (2, "qingdao")


def test_the_calendar_that_others_stand_on_stands_alone():
    own = draft("own", notice_2027(), NEWEST)
    with pytest.raises(StandsAlone):
        draft("cn-statutory", over("own", day("2026-09-21")), published(own))


def test_a_version_that_would_leave_an_overlay_without_working_days_is_refused():
    closed = [day(f"2026-03-{n:02}", name="停工") for n in range(2, 30)]
    overlay = draft("plant", over("cn-statutory", *closed), NEWEST)
    newest: Mapping[str, Edition] = published(overlay)
    days_2026 = [
        {"name": each.name, "date": str(each.date), "isOffDay": not each.working}
        for each in NEWEST["cn-statutory"].days
        if each.date.year == 2026
    ]
    longer = {"year": 2026, "papers": ["国办发明电"], "days": [*days_2026, day("2026-03-30", name="假")]}
    assert draft("cn-statutory", longer, NEWEST).calendar.version == 2, "by itself it may be"
    with pytest.raises(NoWorkingDay) as refused:
        draft("cn-statutory", longer, newest)
    assert (refused.value.calendar, refused.value.pointer) == ("plant", "/days")
