"""Packs as written, what is refused in them, and the policies that inheritance makes of them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from appeal_tracker.calendars.civil import HOUR
from appeal_tracker.calendars.period import Period
from appeal_tracker.policies.inheritance import APPEAL_TYPES, resolve
from appeal_tracker.policies.ladder import Measure, Moment, Phase
from appeal_tracker.policies.loader import packaged_packs, packaged_policies, read_pack
from appeal_tracker.policies.pack import Pack, PolicyError, parse_pack
from appeal_tracker.policies.policy import Limit, Policy, in_force, muted, reigns, usable
from appeal_tracker.policies.quiet import QuietHours
from appeal_tracker.policies.stored import stored_pack

CLAUSES = Path(__file__).parents[2] / "conformance" / "clauses.yaml"
PACKS = packaged_packs()
POLICIES = packaged_policies()
FLOOR = POLICIES["t-sdpea"]


def own(**fields: Any) -> Pack:
    """Write a pack over the floor."""
    return parse_pack({"id": "own", "extends": "t-sdpea", **fields})


def policy(**fields: Any) -> Policy:
    return resolve(own(**fields), PACKS)


def figures(pack: str) -> dict[str, list[tuple[str, str, str, str]]]:
    return {
        appeal_type: [(limit.milestone, str(limit.within), limit.clause, limit.stated_by) for limit in limits]
        for appeal_type, limits in POLICIES[pack].appeals.items()
    }


def _unheard_of(written: Any, name: str = "") -> Any:
    """The same with a field more in each object, but for those that have names of their own as keys."""
    if isinstance(written, list):
        return [_unheard_of(each) for each in written]
    if not isinstance(written, dict):
        return written
    its = {key: _unheard_of(value, key) for key, value in written.items()}
    return its if name in ("appeals", "ladders") else {**its, "unheard_of": {"of": ["next", "year"]}}


class TestPackagedPacks:
    @pytest.mark.clause("7.2.3", "5.5")
    def test_the_floor(self):
        assert figures("t-sdpea") == {
            "complaint": [
                ("contact", "24 hours", "7.2.3", "t-sdpea@1"),
                ("answer", "7 working days", "7.2.3", "t-sdpea@1"),
            ],
            "consultation": [("answer", "7 working days", "7.2.3", "t-sdpea@1")],
            "report": [],
            "opinion": [],
            "suggestion": [],
        }
        assert FLOOR.effective_from is None
        assert FLOOR.calendar == "cn-statutory"
        assert FLOOR.visits == ()

    @pytest.mark.clause("7.2.5.1", "7.2.5.2")
    def test_the_floor_asks_for_callbacks_as_needed_and_not_by_night(self):
        assert not any(FLOOR.callback.is_required(appeal_type) for appeal_type in FLOOR.appeals)
        assert FLOOR.callback.by == "anyone"
        assert FLOOR.quiet == QuietHours(21 * HOUR, 8 * HOUR)

    @pytest.mark.clause("002 6.3.5", "002 6.4.5.1", "002 6.4.5.2")
    def test_state_grid(self):
        answer_in_ten = [("answer", "10 working days", "6.4.5.2", "state-grid@1")]
        assert figures("state-grid") == {
            "complaint": [
                ("contact", "24 hours", "6.4.5.1", "state-grid@1"),
                ("answer", "5 working days", "6.4.5.1", "state-grid@1"),
            ],
            "consultation": [("answer", "5 working days", "6.3.5", "state-grid@1")],
            "report": answer_in_ten,
            "opinion": answer_in_ten,
            "suggestion": answer_in_ten,
        }  # fmt: skip

    @pytest.mark.clause("002 6.4.5.4")
    def test_state_grid_calls_back_who_may_be_called(self):
        callback = POLICIES["state-grid"].callback
        assert callback.by == "acceptor"
        assert callback.required_for == {"complaint", "report", "opinion"}
        assert callback.is_required("complaint")
        assert not callback.is_required("complaint", refused=True)
        assert not callback.is_required("report", anonymous=True)
        assert not callback.is_required("suggestion")

    @pytest.mark.clause("003 13(5)", "003 10(2)7")
    def test_service_window(self):
        assert figures("service-window")["complaint"] == [
            ("contact", "24 hours", "7.2.3", "t-sdpea@1"),
            ("answer", "5 calendar days", "13(5)", "service-window@1"),
        ]
        assert figures("service-window")["report"] == [("answer", "10 calendar days", "13(5)", "service-window@1")]
        (arrival,) = POLICIES["service-window"].visits
        assert (arrival.milestone, str(arrival.within), arrival.starts) == ("arrival", "1 hour", "appointed")
        assert POLICIES["service-window"].targets["callback_rate"].at_least == 0.9

    @pytest.mark.clause("004 3.1", "004 6.2")
    def test_marketing_guide(self):
        assert figures("marketing-guide-2025")["complaint"][1] == (
            "answer",
            "48 hours",
            "3.1",
            "marketing-guide-2025@1",
        )
        assert POLICIES["marketing-guide-2025"].effective_from == date(2025, 1, 1)
        targets = {name: target.at_least for name, target in POLICIES["marketing-guide-2025"].targets.items()}
        assert targets == {"satisfaction": 0.95, "complaint_satisfaction": 0.9}
        said = {each["standard"]: each["clauses"] for each in yaml.safe_load(CLAUSES.read_text(encoding="utf-8"))}
        asked = said["marketing service guide 2025"]
        assert "48 hours" in asked["3.1"]
        assert "of complaint handling 90 %" in asked["6.2"]

    def test_a_type_without_a_number_has_no_clock_and_an_unknown_one_neither(self):
        assert FLOOR.limits("report") == ()
        assert FLOOR.limits("a type of next year") == ()

    @pytest.mark.parametrize("id", PACKS)
    def test_a_pack_survives_being_stored_as_json(self, id: str):
        stored = msgspec.json.encode(PACKS[id])
        assert parse_pack(msgspec.json.decode(stored)) == PACKS[id]

    @pytest.mark.parametrize("id", PACKS)
    def test_what_a_newer_version_stored_besides_is_passed_by_and_in_what_is_uploaded_refused(self, id: str):
        newer = _unheard_of(msgspec.json.decode(msgspec.json.encode(PACKS[id])))
        assert stored_pack(newer) == PACKS[id]
        with pytest.raises(PolicyError, match=r"/unheard_of: Object contains unknown field"):
            parse_pack(newer)

    def test_a_stored_pack_that_names_no_type_to_call_back_calls_back_every_type_as_before(self):
        body = {"id": "own", "extends": "t-sdpea", "callback": "required", "callback_for": []}
        assert resolve(stored_pack(body), PACKS).callback.required_for == {*APPEAL_TYPES}

    @pytest.mark.parametrize("id", PACKS)
    def test_every_figure_has_a_clause_and_every_ladder_tells_of_the_breach(self, id: str):
        limits = [limit for of_type in POLICIES[id].appeals.values() for limit in of_type] + [*POLICIES[id].visits]
        for limit in limits:
            assert limit.clause
            assert [step.moment.phase for step in limit.ladder].count(Phase.DUE) == 1


class TestInheritance:
    def test_what_is_not_restated_is_inherited(self):
        inherited = policy()
        assert inherited.lineage == ("own@1", "t-sdpea@1")
        assert (inherited.appeals, inherited.quiet, inherited.contact) == (FLOOR.appeals, FLOOR.quiet, FLOOR.contact)
        assert (inherited.callback, inherited.calendar, inherited.reopen) == (
            FLOOR.callback,
            "cn-statutory",
            dict.fromkeys(APPEAL_TYPES, "new_round"),
        )

    def test_a_limit_is_inherited_field_by_field(self):
        steps = [{"at": 0.25, "tell": ["owner"]}]
        changed = policy(appeals={"complaint": [{"milestone": "answer", "ladder": steps}]})
        contact, answer = changed.limits("complaint")
        assert contact == FLOOR.limits("complaint")[0]
        assert (answer.within, answer.clause, answer.stated_by) == (
            Period.parse("7 working days"),
            "7.2.3",
            "t-sdpea@1",
        )
        assert [step.moment.text for step in answer.ladder] == ["0.25", "due"]

    def test_a_restated_figure_keeps_the_ladder(self):
        stricter = policy(
            appeals={"complaint": [{"milestone": "answer", "within": "3 working days", "clause": "own 1"}]}
        )
        answer = stricter.limits("complaint")[1]
        assert (str(answer.within), answer.stated_by) == ("3 working days", "own@1")
        assert answer.ladder == FLOOR.limits("complaint")[1].ladder

    def test_a_new_milestone_takes_the_ladder_of_its_name_or_tells_at_least_of_the_breach(self):
        limits = policy(
            appeals={
                "report": [
                    {"milestone": "answer", "within": "15 working days", "clause": "own 2", "holdable": True},
                    {"milestone": "survey", "within": "5 calendar days", "clause": "own 3", "starts": "answered"},
                ]
            }
        ).limits("report")
        answer, survey = limits
        assert answer.ladder == FLOOR.limits("complaint")[1].ladder
        assert answer.holdable
        assert (survey.starts, answer.starts) == ("answered", "received")
        assert [(step.moment.text, step.tell, step.mandatory) for step in survey.ladder] == [
            ("due", ("owner", "unit_supervisors"), True)
        ]

    def test_visits_have_their_usual_starts(self):
        visits = policy(
            visits=[
                {"milestone": "arrival", "within": "1 hour", "clause": "own 4"},
                {"milestone": "archive", "within": "5 working days", "clause": "own 5"},
            ]
        ).visits
        assert [limit.starts for limit in visits] == ["appointed", "appeals_closed"]

    def test_the_close_of_business_is_the_nearest_one(self):
        answer = {"milestone": "answer", "within": "7 working days close of business", "clause": "own 6"}
        parent = own(close_of_business="17:00")
        child = parse_pack({"id": "child", "extends": "own", "appeals": {"complaint": [answer]}})
        assert resolve(child, PACKS | {"own": parent}).limits("complaint")[1].within.closes == 17 * HOUR
        with pytest.raises(PolicyError, match="needs the hour of `close_of_business`"):
            policy(appeals={"complaint": [answer]})

    def test_runs_over_several_packs(self):
        child = parse_pack({"id": "city", "extends": "own", "callback": "optional"})
        parent = own(
            callback="required", callback_by="acceptor", quiet={"from": "22:00", "to": "07:30", "clause": "own"}
        )
        city = resolve(child, PACKS | {"own": parent})
        assert city.lineage == ("city@1", "own@1", "t-sdpea@1")
        assert city.quiet == QuietHours(22 * HOUR, 7 * HOUR + HOUR // 2)
        assert (city.callback.required_for, city.callback.by) == (frozenset(), "acceptor")
        assert resolve(parent, PACKS).callback.required_for == set(FLOOR.appeals)

    def test_an_unknown_parent_is_refused(self):
        with pytest.raises(PolicyError, match="/extends: own extends nobody, which does not exist"):
            policy(extends="nobody")

    def test_a_circle_is_refused(self):
        a, b = (parse_pack({"id": pair[0], "extends": pair[1], "calendar": "x"}) for pair in ("ab", "ba"))
        with pytest.raises(PolicyError, match="a -> b -> a"):
            resolve(a, {"a": a, "b": b})
        with pytest.raises(PolicyError, match="a -> a"):
            resolve(parse_pack({"id": "a", "extends": "a"}), {"a": a})

    def test_a_milestone_without_a_figure_is_refused(self):
        with pytest.raises(PolicyError) as refused:
            policy(appeals={"report": [{"milestone": "answer", "holdable": True}]})
        assert refused.value.pointer == "/appeals/report/0/within"

    def test_without_any_calendar_it_is_refused(self):
        with pytest.raises(PolicyError, match="/calendar"):
            resolve(parse_pack({"id": "alone"}), {})


REPEATED = ("every 1wd, at most 2", "every 12h, at most 2", "every 1wd, at most 5")  # two fire as `every 1wd#1`


class TestForm:
    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"id": "Own"}, "/id"),
            ({"version": 0}, "/version"),
            ({"colour": "red"}, "/colour"),
            ({"effective_from": "soon"}, "/effective_from"),
            ({"callback": "never"}, "/callback"),
            ({"callback_by": "nobody"}, "/callback_by"),
            ({"callback_for": ["wish"]}, "/callback_for/0"),
            ({"close_of_business": "5 pm"}, "/close_of_business"),
            ({"close_of_business": "00:00"}, "/close_of_business"),
            ({"quiet": {"from": 75600, "to": "08:00", "clause": "x"}}, "/quiet/from"),  # YAML reads 21:00 as a number
            ({"quiet": {"from": "24:00", "to": "08:00", "clause": "x"}}, "/quiet/from"),
            ({"quiet": {"from": "08:00", "to": "08:00", "clause": "x"}}, "/quiet/to"),
            ({"contact": {"accepts": ["maybe"], "attempts": 3, "hours_apart": 2}}, "/contact/accepts/0"),
            ({"contact": {"accepts": ["reached"], "attempts": 0, "hours_apart": 2}}, "/contact/attempts"),
            ({"targets": [{"name": "callback_rate", "at_least": 90, "clause": "x"}]}, "/targets/0/at_least"),
            ({"appeals": {"complaints": []}}, "/appeals/complaints"),
            ({"appeals": {"complaint": {}}}, "/appeals/complaint"),
            ({"appeals": []}, "/appeals"),
            ({"ladders": {"Contact": []}}, "/ladders/Contact"),
            ({"ladders": {"contact": [{"at": "due", "tell": []}]}}, "/ladders/contact/0/tell"),
            ({"ladders": {"contact": [{"at": "due", "tell": ["the boss"]}]}}, "/ladders/contact/0/tell/0"),
            ({"ladders": {"contact": [{"at": "soon", "tell": ["owner"]}]}}, "/ladders/contact/0/at"),
            ({"ladders": {"contact": [{"at": a, "tell": ["owner"]} for a in (0.5, "0.50")]}}, "/ladders/contact/1/at"),
            ({"ladders": {"contact": [{"at": a, "tell": ["owner"]} for a in REPEATED]}}, "/ladders/contact/2/at"),
            ({"visits": [{"milestone": "arrival", "starts": "received"}]}, "/visits/0/starts"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_refused_with_its_place(self, fields: dict[str, Any], pointer: str):
        with pytest.raises(PolicyError) as refused:
            own(**fields)
        assert refused.value.pointer == pointer
        assert refused.value.fault

    @pytest.mark.parametrize(
        ("limit", "place"),
        [
            ({"milestone": "Answer"}, "/milestone"),
            ({}, "/milestone"),
            ({"milestone": "answer", "within": "1 day", "clause": "x"}, "/within"),
            ({"milestone": "answer", "within": 24, "clause": "x"}, "/within"),
            ({"milestone": "answer", "within": "24 hours"}, "/clause"),
            ({"milestone": "answer", "within": "24 hours", "clause": ""}, "/clause"),
            ({"milestone": "answer", "withn": "24 hours"}, "/withn"),
            ({"milestone": "answer", "holdable": "yes"}, "/holdable"),
            ({"milestone": "answer", "starts": "appointed"}, "/starts"),
            ({"milestone": "answer", "ladder": [{"at": 1.5, "tell": ["owner"]}]}, "/ladder/0/at"),
        ],
    )
    def test_a_limit_that_is_wrong_is_refused_with_its_place(self, limit: dict[str, Any], place: str):
        with pytest.raises(PolicyError) as refused:
            own(appeals={"complaint": [{"milestone": "contact"}, limit]})
        assert refused.value.pointer == f"/appeals/complaint/1{place}"

    def test_a_milestone_twice_is_refused(self):
        with pytest.raises(PolicyError, match="/appeals/complaint/1/milestone: contact is given twice"):
            own(appeals={"complaint": [{"milestone": "contact"}, {"milestone": "contact"}]})

    def test_an_arrival_that_is_no_visit_s_is_refused(self):
        with pytest.raises(PolicyError, match="nothing under /appeals/report starts when appointed"):
            policy(appeals={"report": [{"milestone": "arrival", "within": "1 hour", "clause": "x"}]})

    @pytest.mark.parametrize("document", [None, [], "text", 1])
    def test_what_is_no_pack_at_all_is_refused(self, document: object):
        with pytest.raises(PolicyError, match="the pack"):
            parse_pack(document)

    def test_a_key_twice_is_refused_where_yaml_would_keep_the_last(self):
        with pytest.raises(PolicyError, match="line 3: callback is given twice"):
            read_pack("id: own\ncallback: required\ncallback: optional\n")

    def test_what_is_no_yaml_is_refused(self):
        with pytest.raises(PolicyError, match="not YAML"):
            read_pack("id: [own\n")
        with pytest.raises(PolicyError, match="not YAML"):
            read_pack("!!python/object/apply:os.system [true]")


class TestMoments:
    @pytest.mark.parametrize(
        ("text", "measure", "amount", "phase", "times"),
        [
            ("0.5", Measure.PARTS, 5000, Phase.BEFORE, 1),
            ("0.0001", Measure.PARTS, 1, Phase.BEFORE, 1),
            ("-4h", Measure.HOURS, -4, Phase.BEFORE, 1),
            ("-1wd", Measure.WORKING_DAYS, -1, Phase.BEFORE, 1),
            ("due", Measure.HOURS, 0, Phase.DUE, 1),
            ("+2h", Measure.HOURS, 2, Phase.AFTER, 1),
            ("+1wd", Measure.WORKING_DAYS, 1, Phase.AFTER, 1),
            ("every 1wd, at most 5", Measure.WORKING_DAYS, 1, Phase.AFTER, 5),
            ("every 20wd, at most 50", Measure.WORKING_DAYS, 20, Phase.AFTER, 50),
        ],
    )
    def test_are_read(self, text: str, measure: Measure, amount: int, phase: Phase, times: int):
        assert Moment.parse(text) == Moment(text, measure, amount, phase, times)

    @pytest.mark.parametrize("times", [1, 2, 50])
    def test_that_repeat_are_numbered_however_often_and_their_names_hold_no_comma(self, times: int):
        names = Moment.parse(f"every 2wd, at most {times}").names
        assert names == tuple(f"every 2wd#{time}" for time in range(1, times + 1))

    def test_that_do_not_repeat_are_called_as_they_are_written(self):
        for text in ("0.5", "-4h", "-1wd", "due", "+2h"):
            assert Moment.parse(text).names == (text,)

    def test_are_the_same_however_a_fraction_is_written(self):
        assert Moment.parse("0.50") == Moment.parse("0.5")

    @pytest.mark.parametrize(
        "text",
        ["", "0", "1", "0.0", "1.0", "0.00001", ".5", "50%", "-0h", "4h", "-4d", "+1001h", "before", "-4h, at most 5",
         "every 1wd", "every 0wd, at most 5", "every 1wd, at most 51",
         "every 21wd, at most 48", "every 1000h, at most 2"],
    )  # fmt: skip
    def test_that_say_nothing_clear_are_refused(self, text: str):
        with pytest.raises(ValueError, match=r"is no moment|reaches too far|is the start itself"):
            Moment.parse(text)


class TestVersions:
    VERSIONS = [
        own(version=1, effective_from="2025-01-01"),
        own(version=2, effective_from="2026-10-10"),
        own(version=3, effective_from="2026-10-10"),
        own(version=4, effective_from="2027-01-01"),
    ]

    @pytest.mark.parametrize(
        ("at", "version"),
        [
            ("2024-12-31T23:59:59+08:00", None),
            ("2025-01-01T00:00:00+08:00", 1),
            ("2024-12-31T16:00:00Z", 1),  # the same instant
            ("2026-10-09T23:59:59+08:00", 1),
            ("2026-10-10T00:00:00+08:00", 3),  # two from the same day: the newer
            ("2030-01-01T00:00:00+08:00", 4),
        ],
    )
    def test_the_one_in_force_is_that_of_the_civil_day(self, at: str, version: int | None):
        for versions in (self.VERSIONS, self.VERSIONS[::-1]):
            found = in_force(versions, datetime.fromisoformat(at))
            assert (found and found.version) == version

    def test_one_without_a_date_has_no_lower_bound(self):
        assert in_force([own(version=1)], datetime.fromisoformat("2007-01-01T00:00:00+08:00")) is not None
        assert (
            in_force([own(version=9), *self.VERSIONS], datetime.fromisoformat("2025-06-01T00:00:00+08:00"))
            == self.VERSIONS[0]
        )


def test_a_policy_cannot_be_changed():
    for thing, field in ((FLOOR, "version"), (FLOOR.limits("complaint")[0], "within"), (PACKS["t-sdpea"], "id")):
        with pytest.raises(AttributeError):
            setattr(thing, field, None)
    assert isinstance(FLOOR.limits("complaint")[0], Limit)


class TestUsable:
    VERSIONS = [
        policy(version=1),
        policy(version=2, effective_from="2026-10-12"),
        policy(version=3, effective_from="2026-11-01"),
    ]

    @pytest.mark.parametrize(
        ("since", "expected"), [("2026-10-11", [1, 2, 3]), ("2026-10-12", [2, 3]), ("2026-12-01", [3])]
    )
    def test_a_version_is_usable_until_the_next_one_begins(self, since: str, expected: list[int]):
        assert [each.version for each in usable(self.VERSIONS, date.fromisoformat(since))] == expected

    def test_its_days_end_before_the_next_one_begins(self):
        days = [(str(since), str(until)) for _, since, until in reigns(self.VERSIONS, date(2026, 10, 9))]
        assert days == [("2026-10-09", "2026-10-11"), ("2026-10-12", "2026-10-31"), ("2026-11-01", "9999-12-31")]

    def test_one_that_begins_after_the_days_in_question_is_left_out(self):
        assert [each.version for each in usable(self.VERSIONS, date(2026, 10, 9), date(2026, 10, 31))] == [1, 2]

    def test_one_that_gives_way_before_it_begins_is_never_usable(self):
        instead = policy(version=4, effective_from="2026-11-01")
        assert [each.version for each in usable([*self.VERSIONS, instead], date(2026, 10, 9))] == [1, 2, 4]

    def test_one_that_has_not_begun_is_usable_from_its_day_on(self):
        assert [each.version for each in usable(self.VERSIONS[1:], date(2026, 10, 1))] == [2, 3]


class TestMuted:
    def test_only_the_breach_is_left_and_it_tells_nobody(self):
        silent = muted(POLICIES["service-window"])
        limits = [*silent.limits("complaint"), *silent.limits("report"), *silent.visits]
        assert len(limits) == 4
        for limit in limits:
            assert [(step.moment.text, step.tell) for step in limit.ladder] == [("due", ())]

    def test_its_deadlines_and_its_name_stay(self):
        silent = muted(FLOOR)
        assert silent.label == FLOOR.label
        assert [each.within for each in silent.limits("complaint")] == [
            each.within for each in FLOOR.limits("complaint")
        ]
