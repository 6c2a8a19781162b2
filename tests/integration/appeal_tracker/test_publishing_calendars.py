"""Calendars as they are published: version by version, one over the other, and what follows for packs."""

import asyncio
from datetime import date, datetime
from typing import Any

import pytest

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.drafting import Prepared
from appeal_tracker.policies import publishing
from chassis.web.errors import Problem
from tests.integration.appeal_tracker.desk import Desk, got, problem
from tests.unit.appeal_tracker.test_calendar import notice_2027

SOURCE = "鲁应急〔2026〕7号"
AUGUST = [f"2026-08-{n:02}" for n in (3, 4, 5, 6, 7, 10, 11, 12, 13, 14)]  # two weeks without a working day


def day(text: str, *, off: bool = True, name: str = "台风停工") -> dict[str, Any]:
    return {"name": name, "date": text, "isOffDay": off}


def typhoon(*days: str, **more: Any) -> dict[str, Any]:
    """What an overlay of the statutory calendar says of a year."""
    return {"extends": "cn-statutory", "papers": [SOURCE], "days": [day(each) for each in days], **more}


def report(within: str) -> dict[str, Any]:
    """What a pack says of reports, of which the floor says nothing. On the statutory calendar of 2007 to 2026 five
    working days are never later than fifteen calendar days; where work stops for all of `AUGUST` they are."""
    return {"report": [{"milestone": "answer", "within": within, "clause": "企标 3.2"}]}


async def ids(desk: Desk, **params: str) -> list[str]:
    return [each["label"] for each in (await got(desk.first.get("/calendars", params=params)))["items"]]


async def due(desk: Desk, received_at: str) -> tuple[str, bool]:
    """When a complaint must be answered, and whether that may still move."""
    body = {"appeal_type": "complaint", "received_at": received_at}
    answer = (await got(desk.first.post("/deadline-calculations", json=body)))["clocks"][1]
    return answer["due_at"], answer["provisional"]


async def test_a_notice_makes_a_year_certain(desk: Desk) -> None:
    received = "2027-04-28T09:00:00+08:00"
    assert await due(desk, received) == ("2027-05-07T16:00:00Z", True)
    await desk.publish_days("cn-statutory", notice_2027())
    # 05-03 is off, for which Saturday 05-08 works.
    assert await due(desk, received) == ("2027-05-08T16:00:00Z", False)
    (calendar,) = (await got(desk.first.get("/calendars")))["items"]
    assert (calendar["label"], calendar["extends"], calendar["published_years"][-1]) == ("cn-statutory@2", None, 2027)


async def test_a_version_is_kept_with_whom_when_and_by_which_notice(desk: Desk) -> None:
    await desk.publish_days("cn-statutory", notice_2027())
    first, second = (await got(desk.first.get("/calendars/cn-statutory/versions")))["items"]
    assert (first["version"], first["published_by"]) == (1, None)
    assert len(first["sources"]) >= 20
    assert (second["version"], second["published_by"], second["sources"]) == (2, "E009", ["https://www.gov.cn/2027"])
    assert second["published_at"] == desk.clock.now().isoformat().replace("+00:00", "Z")
    params = {"from": "2027-05-08", "to": "2027-05-08"}
    (told,) = (await got(desk.first.get("/calendars/cn-statutory/days", params=params)))["items"]
    assert (told["kind"], told["source"], told["estimated"]) == ("make_up", "https://www.gov.cn/2027", False)


async def test_what_was_published_before_never_changes(desk: Desk) -> None:
    await desk.publish_days("cn-statutory", notice_2027())
    async with desk.runtime.db.transaction() as tx:
        before, after = [await calendars.by_label(tx, f"cn-statutory@{version}") for version in (1, 2)]
    assert [str(each) for each in after.changes_from(before)] == ["2027-05-03", "2027-05-08"]
    assert 2027 not in before.published_years


async def test_an_overlay_counts_on_the_newest_it_lies_over_and_a_label_names_what_was_used(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    assert await ids(desk) == ["cn-statutory@1", "qingdao@1+cn-statutory@1"]
    await desk.publish_days("cn-statutory", notice_2027())
    await desk.publish_days("shinan", typhoon("2026-10-13", extends="qingdao"))
    assert await ids(desk) == [
        "cn-statutory@2",
        "qingdao@1+cn-statutory@2",
        "shinan@1+qingdao@1+cn-statutory@2",
    ]
    async with desk.runtime.db.transaction() as tx:
        older = await calendars.by_label(tx, "qingdao@1+cn-statutory@1")
    assert (older.label, older.is_working(date(2026, 10, 12))) == ("qingdao@1+cn-statutory@1", False)
    assert 2027 not in older.published_years
    for calendar, working in (("cn-statutory", True), ("qingdao", False), ("shinan", False)):
        params = {"from": "2026-10-12", "to": "2026-10-13"}
        days = (await got(desk.first.get(f"/calendars/{calendar}/days", params=params)))["items"]
        assert [each["working"] for each in days] == [working, calendar != "shinan"]


async def test_who_follows_the_list_hears_of_what_lies_over_what_was_published(desk: Desk) -> None:
    for calendar in ("qingdao", "yantai"):
        await desk.publish_days(calendar, typhoon("2026-10-12"))
    since = {"updated_since": "2020-01-01T00:00:00Z"}
    page = await got(desk.first.get("/calendars", params=since))
    assert len(page["items"]) == 3
    following = {"cursor": page["next"]}
    assert (await got(desk.first.get("/calendars", params=following)))["items"] == []
    await desk.publish_days("shinan", typhoon("2026-10-13", extends="qingdao"))
    changed = await got(desk.first.get("/calendars", params=following))
    assert [each["label"] for each in changed["items"]] == ["shinan@1+qingdao@1+cn-statutory@1"]
    await desk.publish_days("qingdao", typhoon("2026-10-14"))
    changed = await got(desk.first.get("/calendars", params={"cursor": changed["next"]}))
    assert {each["label"] for each in changed["items"]} == {
        "qingdao@2+cn-statutory@1",
        "shinan@1+qingdao@2+cn-statutory@1",
    }


async def test_what_an_older_version_said_can_still_be_looked_up(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    await desk.publish_days("cn-statutory", notice_2027())
    await desk.publish_days("qingdao", typhoon("2026-10-13"))
    path, festival = "/calendars/qingdao/days", "2027-01-01"

    async def told(version: str | None) -> list[bool]:
        """Whether the two stops of work, and New Year's Day, are known."""
        named = {"version": version} if version else {}
        found = []
        for day in ("2026-10-12", "2026-10-13", festival):
            (its,) = (await got(desk.first.get(path, params={"from": day, "to": day, **named})))["items"]
            found.append(not its["estimated"] if day == festival else not its["working"])
        return found

    assert await told(None) == await told("2") == await told("qingdao@2+cn-statutory@2") == [False, True, True]
    assert await told("1") == [True, False, True]
    assert await told("qingdao@1+cn-statutory@1") == await told("qingdao@1 cn-statutory@1") == [True, False, False]
    params = {"from": festival, "to": festival}
    for unknown in ("3", "qingdao@1", "cn-statutory@1", "qingdao@1+cn-statutory@3", "qingdao@1+qingdao@1"):
        refused = await desk.first.get(path, params={**params, "version": unknown})
        problem(refused, 404, "calendar-version-not-found")
    for malformed in ("0", "qingdao", "qingdao@1+"):
        problem(await desk.first.get(path, params={**params, "version": malformed}), 422, "unprocessable")


async def test_a_day_of_another_year_is_refused_with_the_year_it_belongs_to(desk: Desk) -> None:
    days = [{"name": "元旦", "date": "2026-12-31", "isOffDay": True}, *notice_2027()["days"]]
    with pytest.raises(Problem) as refused:
        await desk.publish_days("cn-statutory", notice_2027() | {"days": days})
    for language, words in (("zh", "应列入 2026 年"), ("en", "It belongs to 2026")):
        assert words in refused.value.body(language)["detail"]


async def test_lists_come_in_pages(desk: Desk) -> None:
    for calendar in ("qingdao", "yantai"):
        await desk.publish_days(calendar, typhoon("2026-10-12"))
    await desk.publish_days("qingdao", typhoon("2026-10-13"))
    for path, key, expected in (
        ("/calendars", "id", ["cn-statutory", "qingdao", "yantai"]),
        ("/calendars/qingdao/versions", "version", [1, 2]),
    ):
        found, params = [], {"limit": "1"}
        while True:
            page = await got(desk.first.get(path, params=params))
            found += [each[key] for each in page["items"]]
            if page["next"] is None:
                break
            params = {"limit": "1", "cursor": page["next"]}
        assert found == expected


@pytest.mark.parametrize(
    ("document", "slug", "pointer"),
    [
        (typhoon("2026-09-21", "2026-09-21"), "duplicate-day", "/days/1/date"),
        (typhoon("2026-09-21", year=2027), "day-outside-year", "/days/0/date"),
        (typhoon("2061-01-03"), "malformed-notice", "/days/0/date"),
        (typhoon("2026-09-21", extends="nowhere"), "unknown-parent-calendar", "/extends"),
        (typhoon("2026-09-21", extends="new"), "cyclic-calendars", "/extends"),
        (typhoon("2026-09-21", papers=[]), "malformed-notice", "/papers"),
        (typhoon(*(f"2026-03-{n:02}" for n in range(1, 32))), "no-working-day", "/days/0/date"),
        (notice_2027() | {"days": notice_2027()["days"][1:]}, "half-year", "/days"),
    ],
)
async def test_a_document_is_refused_with_its_fault_in_both_languages(
    desk: Desk, document: dict[str, Any], slug: str, pointer: str
) -> None:
    with pytest.raises(Problem) as refused:
        await desk.publish_days("new", document)
    for language in ("zh", "en"):
        body = refused.value.body(language)
        assert (body["status"], body["type"]) == (422, f"/problems/{slug}")
        assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert await ids(desk) == ["cn-statutory@1"]


async def test_an_overlay_is_not_laid_over_another_calendar(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    await desk.publish_days("shinan", typhoon("2026-10-13", extends="qingdao"))
    with pytest.raises(Problem) as refused:
        await desk.publish_days("shinan", typhoon("2026-10-13"))
    for language, parent in (("zh", "叠加于 qingdao 之上"), ("en", "lies over qingdao")):
        body = refused.value.body(language)
        assert (body["type"], body["errors"][0]["pointer"]) == ("/problems/calendar-lies-elsewhere", "/extends")
        assert parent in body["detail"]
    assert "shinan@1+qingdao@1+cn-statutory@1" in await ids(desk)


async def test_two_who_publish_at_once_follow_each_other(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    published: list[Prepared] = await asyncio.gather(
        *(desk.publish_days("qingdao", typhoon(f"{year}-06-30")) for year in range(2027, 2032))
    )
    assert sorted(each.edition.version for each in published) == [2, 3, 4, 5, 6]
    last = max(published, key=lambda each: each.edition.version)
    assert [str(each.date) for each in last.edition.days] == [
        "2026-10-12",
        *(f"{year}-06-30" for year in range(2027, 2032)),
    ], "each had all those before it"


async def test_packs_that_a_calendar_leaves_laxer_are_named_and_marked_and_do_not_stop_it(desk: Desk) -> None:
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.assign("37401", "own", calendar="plant")
    async with desk.runtime.db.transaction() as tx:
        prepared = await calendars.prepare(tx, "plant", typhoon(*AUGUST))
        (relaxed,) = await publishing.relaxed_by(tx, prepared.calendars, desk.clock.now())
    assert (relaxed.policy, relaxed.calendar, relaxed.units) == ("own@1", "plant@2+cn-statutory@1", ("37401",))
    assert [place.pointer for place in relaxed.places] == ["/appeals/report/answer/within"]
    assert (await got(desk.admin.get("/units/37401/policy")))["laxer"] == [], "nothing was published yet"
    await desk.publish_days("plant", typhoon(*AUGUST))
    (marked,) = (await got(desk.admin.get("/units/37401/policy")))["laxer"]
    (place,) = marked["places"]
    assert (marked["policy"], place["than"], place["start"]) == ("own@1", "base@1", "2026-07-27T16:00:00Z")
    assert (place["parent_due_at"], place["own_due_at"]) == ("2026-08-17T16:00:00Z", "2026-08-18T16:00:00Z")
    for caller, units, elsewhere in ((desk.admin, ["37401"], 0), (desk.stranger, [], 1)):
        (version,) = (await got(caller.get("/policies/own")))["versions"]
        (its,) = version["laxer"]  # on its own calendar it is as strict as before
        assert (its["calendar"], its["places"]) == ("plant@2+cn-statutory@1", marked["places"])
        assert (its["units"], its["elsewhere"]) == (units, elsewhere), "another company's are not named"
    async with desk.runtime.db.transaction() as tx:
        prepared = await calendars.prepare(tx, "cn-statutory", notice_2027())
        moved = await publishing.relaxed_by(tx, prepared.calendars, desk.clock.now())
    assert [each.calendar for each in moved] == ["plant@2+cn-statutory@2"], "it is said again of what lies over it"
    await desk.assign("37401", "own")
    (version,) = (await got(desk.admin.get("/policies/own")))["versions"]
    assert version["laxer"] == [], "nobody picked that calendar any more"


@pytest.fixture
async def plant(desk: Desk) -> Desk:
    """The desk, with a pack on a plant's own calendar, over another pack."""
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.publish(id="base", appeals=report("30 calendar days"))
    await desk.publish(id="own", extends="base", calendar="plant", appeals=report("5 working days"))
    await desk.assign("37401", "own")
    return desk


async def laxer_by_august(desk: Desk) -> list[tuple[str, list[str]]]:
    """The packs that a stop of work in August would leave laxer, and than what."""
    document = typhoon("2026-10-12", *AUGUST)
    answered = await got(desk.admin.post("/calendars/plant/versions", json=document, params={"dry_run": "true"}))
    return [(each["policy"], [place["than"] for place in each["places"]]) for each in answered["laxer"]]


async def test_a_pack_is_measured_by_what_it_will_extend_while_it_lasts(plant: Desk) -> None:
    assert await laxer_by_august(plant) == []
    await plant.publish(id="base", appeals=report("15 calendar days"), effective_from="2026-12-01")
    assert await laxer_by_august(plant) == [("own@1", ["base@2"])]
    await plant.publish(id="own", extends="base", appeals=report("1 working day"), effective_from="2026-12-01")
    assert await laxer_by_august(plant) == [], "the first is not in force any more by then"


async def test_a_version_by_which_something_still_runs_is_named_though_nothing_begins_under_it(plant: Desk) -> None:
    await plant.publish(id="base", appeals=report("15 calendar days"), effective_from="2026-10-12")
    await plant.publish(
        id="own", extends="base", calendar="plant", appeals=report("1 working day"), effective_from="2026-10-13"
    )
    plant.clock.set(datetime.fromisoformat("2026-10-12T09:00:00+08:00"))
    case = await plant.raised(appeal_type="report", received_at=plant.clock.now())
    plant.clock.set(datetime.fromisoformat("2026-10-14T09:00:00+08:00"))
    assert await laxer_by_august(plant) == [("own@1", ["base@2"])]
    await plant.answer(case, "10-14T08:00")
    assert await laxer_by_august(plant) == [("own@1", ["base@2"])], "a clock of it may still begin"
    await got(plant.first.post(f"/appeals/{case}/close", json={}))
    assert await laxer_by_august(plant) == []
