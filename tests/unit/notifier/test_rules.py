"""Which route counts: conditions in a declarative form, the nearest unit first, never no way at all."""

from typing import Any

import msgspec
import pytest

from notifier.routes.rules import Condition, Facts, RouteTable, Rule, Way, condition

LINE = ("37401", "374", "37")


def facts(**more: Any) -> Facts:
    its = {
        "event_type": "deadline.breached",
        "line": LINE,
        "appeal_type": "complaint",
        "milestone": "contact",
        "step": "due",
        "policy": "state-grid@2",
        "source": "95598",
    }
    return Facts(**its | more)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({}, True),
        ({"units": ["37401"]}, True),
        ({"units": ["38", "37"]}, True),
        ({"units": ["3740"]}, False),
        ({"appeal_types": ["report", "complaint"]}, True),
        ({"appeal_types": ["report"]}, False),
        ({"milestones": ["contact"], "appeal_types": ["report"]}, False),
        ({"policies": ["state-grid"]}, True),
        ({"policies": ["state-grid@2"]}, True),
        ({"policies": ["state-grid@1", "t-sdpea"]}, False),
        ({"steps": ["due"]}, True),
        ({"sources": ["visit"]}, False),
        ({"late": False}, True),
        ({"late": True}, False),
        ({"from_round": 1}, True),
        ({"from_round": 2}, False),
    ],
)
def test_all_that_is_asked_must_hold_and_of_a_list_one(asked: dict[str, Any], holds: bool):
    assert condition(asked).holds(facts()) is holds


def test_what_is_not_known_of_an_event_holds_of_nothing_that_is_asked():
    unknown = facts(appeal_type=None, policy=None)
    assert not condition({"appeal_types": ["complaint"]}).holds(unknown)
    assert not condition({"policies": ["state-grid"]}).holds(unknown)


def test_a_condition_of_a_form_nobody_knows_is_no_condition():
    with pytest.raises(msgspec.ValidationError):
        condition({"weather": ["rain"]})


def rule(label: str, unit: str | None, channels: tuple[str, ...], **more: Any) -> Rule:
    its: dict[str, Any] = {"event_type": "deadline.breached", "audience": "owner", "condition": Condition()}
    return Rule(label=label, unit=unit, channels=channels, **its | more)


def channels(table: RouteTable, **more: Any) -> list[str]:
    return [way.channel for way in table.ways(facts(**more), "owner")]


def test_the_routes_of_the_nearest_unit_count_before_common_ones():
    common, county, station = (rule(unit or "common", unit, (f"by-{unit}",)) for unit in (None, "374", "37401"))
    assert channels(RouteTable([common, county, station])) == ["by-37401"]
    assert channels(RouteTable([common, county])) == ["by-374"]
    assert channels(RouteTable([common, rule("38", "38", ("pigeon",))])) == ["by-None"]
    reports = Condition(appeal_types=("report",))
    assert channels(RouteTable([common, rule("s", "37401", ("sms",), condition=reports)])) == ["by-None"]


def test_of_several_that_are_as_near_all_count_and_no_channel_twice():
    table = RouteTable([rule("a", None, ("mailbox", "sms")), rule("b", None, ("sms", "email"))])
    assert channels(table) == ["mailbox", "sms", "email"]


def test_what_no_route_speaks_of_is_told_in_the_mailbox():
    assert RouteTable([]).ways(facts(), "owner") == [Way(channel="mailbox")]


def test_a_fallback_begins_after_the_last_channel_of_those_that_go_at_once():
    ways = RouteTable([rule("a@1", None, ("mailbox", "sms"), fallback=("email",), passes="always")]).ways(
        facts(), "owner"
    )
    assert [(way.channel, way.fallback, way.route, way.passes) for way in ways] == [
        ("mailbox", (), "a@1", "always"),
        ("sms", ("email",), "a@1", "always"),
    ]


def test_of_an_act_the_routes_name_the_audience_where_their_conditions_hold():
    late = Condition(from_round=2)
    table = RouteTable(
        [
            rule("a", None, ("mailbox",), event_type="appeal.urged"),
            rule("b", None, ("mailbox",), event_type="appeal.urged", audience="callback_group", condition=late),
            rule("c", "38", ("mailbox",), event_type="appeal.urged", audience="first_contact"),
        ]
    )
    assert table.audiences(facts(event_type="appeal.urged")) == ["owner"]
    assert table.audiences(facts(event_type="appeal.urged", round=2)) == ["callback_group", "owner"]
    assert table.audiences(facts(event_type="appeal.closed")) == []
