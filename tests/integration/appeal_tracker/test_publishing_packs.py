"""Packs of one's own: published for good, stricter and never laxer, and in force from their day on."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, made, problem
from tests.integration.appeal_tracker.test_publishing_calendars import AUGUST, report, typhoon
from tests.unit.appeal_tracker.test_calendar import notice_2027


def answer(within: str, **fields: Any) -> dict[str, Any]:
    """A pack that restates when a complaint is answered."""
    return {"complaint": [{"milestone": "answer", "within": within, "clause": "企标 3.1", **fields}]}


def pack(**fields: Any) -> dict[str, Any]:
    return {"id": "own", "extends": "t-sdpea", "appeals": answer("3 working days"), **fields}


async def refused(desk: Desk, slug: str, pointer: str, **fields: Any) -> dict[str, Any]:
    found = problem(await desk.admin.post("/policies", json=pack(**fields)), 422, slug)
    assert pointer in [error["pointer"] for error in found["errors"]], found
    return found


async def published(desk: Desk) -> list[tuple[str, int]]:
    rows = await desk.rows("SELECT id, version FROM policies WHERE published_by IS NOT NULL ORDER BY 1, 2")
    return [tuple(row) for row in rows]


async def test_a_pack_is_tried_first_and_then_published(desk: Desk) -> None:
    tried = await got(desk.admin.post("/policies", json=pack(), params={"dry_run": "true"}))
    assert (tried["published"], tried["policy"]["published_at"], await published(desk)) == (False, None, [])
    done = await made(desk.admin.post("/policies", json=pack()))
    assert (done["published"], done["policy"]["published_by"]) == (True, "E009")
    (version,) = (await got(desk.first.get("/policies/own")))["versions"]
    assert version == done["policy"]
    assert {**version, "published_at": None, "published_by": None} == tried["policy"]
    assert version["lineage"] == ["own@1", "t-sdpea@1"]
    contact, its_answer = version["appeals"]["complaint"]
    assert (contact["stated_by"], its_answer["stated_by"], its_answer["clause"]) == ("t-sdpea@1", "own@1", "企标 3.1")


async def test_an_hour_that_no_deadline_ends_at_is_pointed_at(desk: Desk) -> None:
    """Whoever writes one thinks that their days end at it; but they may also write it for packs that extend theirs."""
    idle, early = pack(close_of_business="17:30"), answer("3 working days close of business")
    tried = await got(desk.admin.post("/policies", json=idle, params={"dry_run": "true"}))
    done = await made(desk.admin.post("/policies", json=idle))
    assert tried["without_effect"] == done["without_effect"] == ["/close_of_business"]
    assert done["policy"]["appeals"]["complaint"][1]["within"] == "3 working days"
    child = {"id": "child", "extends": "own"}
    for appeals, hour, without_effect in ((early, "17:00", []), (early, None, []), ({}, None, [])):
        body = {**child, "appeals": appeals, "close_of_business": hour}
        found = await got(desk.admin.post("/policies", json=body, params={"dry_run": "true"}))
        assert found["without_effect"] == without_effect
    await desk.publish(**child, appeals=early)
    body = {"id": "grandchild", "extends": "child", "close_of_business": "17:00"}
    found = await got(desk.admin.post("/policies", json=body, params={"dry_run": "true"}))
    assert found["without_effect"] == [], "what it inherits ends at it"


async def test_what_is_published_is_what_appeals_run_by(desk: Desk) -> None:
    await desk.publish(**pack())
    await desk.assign("37401", "own")
    clocks = await desk.clocks(await desk.raised())
    assert (clocks["answer"]["policy"], clocks["answer"]["due_at"]) == ("own@1", "2026-10-13T16:00:00Z")


async def test_who_follows_the_list_hears_of_a_new_version(desk: Desk) -> None:
    page = await got(desk.first.get("/policies", params={"updated_since": "2020-01-01T00:00:00Z"}))
    assert len(page["items"]) == 4
    await desk.publish(**pack())
    page = await got(desk.first.get("/policies", params={"cursor": page["next"]}))
    assert [(each["id"], each["version"], each["withdrawn_at"]) for each in page["items"]] == [("own", 1, None)]
    await desk.publish(**pack(effective_from="2026-10-12"))
    page = await got(desk.first.get("/policies", params={"cursor": page["next"]}))
    assert [(each["id"], each["version"]) for each in page["items"]] == [("own", 2)]


async def test_only_an_admin_of_a_top_level_unit_publishes(desk: Desk) -> None:
    for caller in (desk.supervisor, desk.client("admin", unit="37401"), desk.client("admin", unit="999")):
        for params in ({}, {"dry_run": "true"}):
            assert (await caller.post("/policies", json=pack(), params=params)).status_code == 403
    assert await published(desk) == []


@pytest.mark.parametrize(
    ("fields", "slug", "pointer"),
    [
        ({"id": "Own"}, "malformed-pack", "/id"),
        ({"appeals": answer("soon")}, "malformed-pack", "/appeals/complaint/0/within"),
        ({"appeals": answer("3 working days close of business")}, "malformed-pack", "/appeals/complaint/0/within"),
        ({"callback": "never"}, "malformed-pack", "/callback"),
        ({"id": "state-grid"}, "packaged-policy", "/id"),
        ({"extends": None}, "policy-without-parent", "/extends"),
        ({"extends": "nowhere"}, "unknown-parent-policy", "/extends"),
        ({"extends": "own"}, "cyclic-policies", "/extends"),
        ({"version": 2}, "not-the-next-version", "/version"),
        ({"effective_from": "2026-10-08"}, "policy-effective-too-early", "/effective_from"),
        ({"calendar": "nowhere"}, "unknown-calendar", "/calendar"),
        ({"appeals": answer("8 working days")}, "laxer-policy", "/appeals/complaint/0/within"),
        ({"appeals": answer("3 working days", holdable=True)}, "laxer-policy", "/appeals/complaint/0/holdable"),
        ({"ladders": {"answer": [{"at": 0.5, "tell": ["owner"]}]}}, "laxer-policy", "/ladders/answer"),
    ],
)
async def test_a_pack_is_refused_with_its_fault(desk: Desk, fields: dict[str, Any], slug: str, pointer: str) -> None:
    await refused(desk, slug, pointer, **fields)
    assert await published(desk) == []


@pytest.mark.clause("7.2.3")
async def test_one_working_day_against_24_hours_is_decided_start_by_start(desk: Desk) -> None:
    contact = {"complaint": [{"milestone": "contact", "within": "1 working day", "clause": "1"}]}
    found = await refused(desk, "laxer-policy", "/appeals/complaint/0/within", appeals=contact)
    (place,) = found["laxer"]
    # Monday 2007-01-01 is New Year, and so are the two days after it: the first start of all is the first that fails.
    assert (place["than"], place["start"]) == ("t-sdpea@1", "2006-12-31T16:00:00Z")
    assert (place["parent_due_at"], place["own_due_at"]) == ("2007-01-01T16:00:00Z", "2007-01-04T16:00:00Z")
    assert (found["policy"], found["calendar"]) == ("own@1", "cn-statutory@1")
    english = await desk.admin.post("/policies", json=pack(appeals=contact), headers={"Accept-Language": "en"})
    assert "1 working day is laxer than 24 hours: started 2006-12-31" in english.json()["errors"][0]["detail"]


async def test_versions_follow_each_other_from_their_days_on(desk: Desk) -> None:
    await desk.publish(**pack())
    await desk.assign("37401", "own")
    opened = await desk.raised()
    await refused(desk, "not-the-next-version", "/version", version=1, effective_from="2026-10-12")
    await refused(desk, "policy-effective-too-early", "/effective_from")  # it would reach back
    second = pack(version=2, effective_from="2026-10-12", appeals=answer("2 working days"))
    await desk.publish(**second)
    early = await refused(desk, "policy-effective-too-early", "/effective_from", effective_from="2026-10-10")
    assert early["earliest"] == "2026-10-12", "the second would come back after the third"
    desk.clock.set(datetime.fromisoformat("2026-10-12T09:00:00+08:00"))
    heard_late = await desk.raised(received_at=datetime.fromisoformat("2026-10-11T23:59:00+08:00"))
    newer = await desk.raised(received_at=desk.clock.now())
    assert [(await desk.appeal(each))["policy"] for each in (opened, heard_late, newer)] == ["own@1", "own@1", "own@2"]
    assert [each["version"] for each in (await got(desk.first.get("/policies/own")))["versions"]] == [2, 1]


async def test_a_later_version_begins_tomorrow_at_the_earliest(desk: Desk) -> None:
    await desk.publish(**pack(effective_from="2026-10-09"))
    await desk.assign("37401", "own")
    stricter = pack(appeals=answer("1 working day"))
    early = await refused(desk, "policy-effective-too-early", "/effective_from", effective_from="2026-10-09")
    assert early["earliest"] == "2026-10-10"
    await desk.publish(**{**stricter, "effective_from": "2026-10-10"})
    heard_after = await desk.raised()
    assert (await desk.appeal(heard_after))["policy"] == "own@1"


async def test_two_who_publish_at_once_follow_each_other(desk: Desk) -> None:
    bodies = [pack(effective_from="2026-10-12", title=f"第{n}稿") for n in range(4)]
    answers = await asyncio.gather(*(desk.admin.post("/policies", json=body) for body in bodies))
    assert [each.status_code for each in answers] == [201] * 4
    assert await published(desk) == [("own", version) for version in (1, 2, 3, 4)]


async def test_a_pack_builds_on_the_version_in_force_when_it_begins(desk: Desk) -> None:
    await desk.publish(**pack())
    await desk.publish(**pack(effective_from="2026-11-02", appeals=answer("2 working days")))
    now = await desk.publish(**pack(id="now", extends="own", appeals=answer("2 working days")))
    later = await desk.publish(**pack(id="later", extends="own", appeals={}, effective_from="2026-11-02"))
    assert (now["lineage"][1], later["lineage"][1]) == ("own@1", "own@2")
    await desk.publish(**pack(id="future", effective_from="2027-01-04"))
    await refused(desk, "unknown-parent-policy", "/extends", id="early", extends="future")


async def test_a_circle_through_another_version_is_refused(desk: Desk) -> None:
    await desk.publish(**pack())
    await desk.publish(**pack(id="child", extends="own", appeals={}))
    found = await refused(desk, "cyclic-policies", "/extends", extends="child", effective_from="2026-10-12")
    assert found["path"] == ["own", "child", "own"]


async def test_a_pack_is_as_strict_as_all_that_it_extends(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    # It is as strict as the pack between; but on its own calendar that one is laxer than what it extends itself.
    child = {"id": "child", "extends": "own", "calendar": "plant"}
    found = await refused(desk, "laxer-policy", "", **child, appeals={})
    assert [place["than"] for place in found["laxer"]] == ["base@1"]
    await desk.publish(**child, appeals=report("1 working day"))


async def test_a_pack_is_as_strict_as_what_those_it_extends_will_demand(desk: Desk) -> None:
    await desk.publish(id="base", appeals=answer("4 working days"))
    await desk.publish(id="between", extends="base")
    stricter = {"id": "base", "appeals": answer("2 working days"), "effective_from": "2026-12-01"}
    await desk.publish(**stricter)
    for begins in (None, "2026-11-30", "2026-12-02"):
        lax = pack(extends="between", effective_from=begins)
        found = await refused(desk, "laxer-policy", "/appeals/complaint/0/within", **lax)
        assert [place["than"] for place in found["laxer"]] == ["base@2"]
    await desk.publish(**pack(extends="between", appeals=answer("2 working days")))


async def test_a_calendar_of_another_kin_is_no_measure(desk: Desk) -> None:
    await desk.publish_days("own-days", notice_2027())
    await refused(desk, "calendar-elsewhere", "/calendar", calendar="own-days")
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    assert (await desk.publish(**pack(calendar="qingdao")))["calendar"] == "qingdao"


async def test_a_new_version_is_as_strict_on_the_calendars_that_units_picked(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("1 working day"))
    await desk.assign("37401", "own", calendar="plant")
    laxer = {"extends": "base", "appeals": report("5 working days"), "effective_from": "2026-10-12"}
    found = await refused(desk, "laxer-policy", "/appeals/report/0/within", **laxer)
    assert (found["calendar"], found["laxer"][0]["start"]) == ("plant@1+cn-statutory@1", "2026-07-27T16:00:00Z")


async def test_a_new_version_counts_on_a_calendar_that_those_lie_over_which_units_picked(desk: Desk) -> None:
    """They would miss its days, and nobody would say so; what a unit picks no more by then plays no part."""
    await desk.publish_days("qingdao", typhoon("2026-10-12"))
    await desk.publish_days("plant", typhoon("2026-10-14"))
    await desk.publish_days("shinan", typhoon("2026-10-13", extends="qingdao"))
    await desk.publish(**pack())
    await desk.assign("37401", "own", calendar="plant")
    elsewhere = pack(calendar="qingdao", effective_from="2026-12-01")
    found = await refused(desk, "calendar-elsewhere", "/calendar", **elsewhere)
    assert (found["calendar"], found["below"]) == ("plant", "qingdao")
    await desk.assign("37401", "own", "2026-12-02", calendar="shinan")
    await refused(desk, "calendar-elsewhere", "/calendar", **elsewhere)
    later = await desk.publish(**{**elsewhere, "effective_from": "2026-12-02"})
    assert (later["version"], later["calendar"]) == (2, "qingdao")


async def test_packs_on_an_older_version_are_named_when_a_stricter_one_comes(desk: Desk) -> None:
    await desk.publish(**pack())
    await desk.publish(**pack(id="child", extends="own", appeals={}))
    stricter = pack(effective_from="2026-10-12", appeals=answer("2 working days"))
    done = await made(desk.admin.post("/policies", json=stricter))
    (left,) = done["laxer"]
    assert (left["policy"], left["places"][0]["than"]) == ("child@1", "own@2")
    assert left["places"][0]["pointer"] == "/appeals/complaint/answer/within"
    assert (await got(desk.first.get("/policies/child")))["versions"][0]["laxer"] == [], "it is not in force yet"
    desk.clock.set(datetime.fromisoformat("2026-10-12T09:00:00+08:00"))
    (marked,) = (await got(desk.first.get("/policies/child")))["versions"][0]["laxer"]
    assert [place["than"] for place in marked["places"]] == ["own@2"]
    picked = await desk.admin.put("/units/37401/policy", json={"policy": "child"}, headers={"If-Match": "*"})
    assert problem(picked, 422, "laxer-policy")["errors"][0]["pointer"] == "/policy"
    await desk.publish(**pack(id="child", extends="own", appeals={}, effective_from="2026-10-13"))
    desk.clock.set(datetime.fromisoformat("2026-10-13T09:00:00+08:00"))
    newer, older = (await got(desk.first.get("/policies/child")))["versions"]
    assert (newer["lineage"][1], newer["laxer"], older["laxer"]) == ("own@2", [], [])
    await desk.assign("37401", "child")


async def test_they_are_named_on_the_calendars_that_units_picked_for_them_too(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("30 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    await desk.assign("37401", "own", calendar="plant")
    picked = {"policy": "own", "calendar": "plant"}
    await got(desk.stranger.put("/units/375/policy", json=picked, headers={"If-Match": "*"}))
    stricter = {"id": "base", "extends": "t-sdpea", "appeals": report("15 calendar days")}
    done = await made(desk.admin.post("/policies", json={**stricter, "effective_from": "2026-10-12"}))
    (left,) = done["laxer"]
    assert (left["policy"], left["calendar"]) == ("own@1", "plant@1+cn-statutory@1")
    assert (left["units"], left["elsewhere"]) == (["37401"], 1), "another company's units are not named"
    assert left["places"][0]["start"] == "2026-07-27T16:00:00Z"
