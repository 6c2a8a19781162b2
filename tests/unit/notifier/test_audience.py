"""From an audience to people: those the ladder names, else the nearest above them, never a silent nobody."""

import pytest

from notifier.directory.audience import (
    CALLBACK,
    CUSTOMER,
    FIRST,
    OWNER,
    PARENT,
    UNIT,
    Found,
    Known,
    Matter,
    Members,
    find,
)

LINES = {"37401": ["37401", "374", "37"], "37": ["37"]}
SUPERVISORS = {"37401": ["S1", "S2"], "374": ["P1"], "37": ["T1"]}
KNOWN = Known(LINES, SUPERVISORS)


ROLE = {"role": "supervisor"}


def matter(owner: str | None = None, first_contact: str | None = None, unit: str = "37401") -> Matter:
    return Matter(owner, first_contact, unit)


@pytest.mark.parametrize(
    ("audience", "its", "known", "found"),
    [
        (OWNER, matter("H1", "F1"), KNOWN, Found(["H1"])),
        (OWNER, matter(None, "F1"), KNOWN, Found(["F1"])),
        (OWNER, matter(), KNOWN, Found(["S1", "S2"], "37401", **ROLE)),
        (UNIT, matter("H1"), KNOWN, Found(["S1", "S2"], "37401", **ROLE)),
        (PARENT, matter("H1"), KNOWN, Found(["P1"], "374", **ROLE)),
    ],
)
def test_the_ladder_names_whom_to_tell(audience: str, its: Matter, known: Known, found: Found):
    assert find(audience, its, known) == found


def test_one_who_left_is_passed_over():
    known = Known(LINES, SUPERVISORS, gone={"H1"})
    assert find(OWNER, matter("H1", "F1"), known) == Found(["F1"])
    known = Known(LINES, SUPERVISORS, gone={"H1", "F1"})
    assert find(OWNER, matter("H1", "F1"), known) == Found(["S1", "S2"], "37401", **ROLE)


def test_a_person_the_directory_does_not_know_is_told_all_the_same():
    assert find(OWNER, matter("stranger", unit="unheard"), Known({}, {})) == Found(["stranger"])


def test_where_nobody_is_the_nearest_above_is_told_and_that_is_not_exact():
    orphaned = Known(LINES, {"374": ["P1"], "37": ["T1"]})
    assert find(UNIT, matter(), orphaned) == Found(["P1"], "374", exact=False, **ROLE)
    assert find(OWNER, matter(), orphaned) == Found(["P1"], "374", exact=False, **ROLE)
    headless = Known(LINES, {"37401": ["S1"], "37": ["T1"]})
    assert find(PARENT, matter(), headless) == Found(["T1"], "37", exact=False, **ROLE)


def test_above_a_top_level_unit_its_own_supervisors_are_told():
    assert find(PARENT, matter(unit="37"), KNOWN) == Found(["T1"], "37", exact=False, **ROLE)
    assert find(PARENT, matter(), Known(LINES, {"37401": ["S1"]})) == Found(["S1"], "37401", exact=False, **ROLE)


def test_nobody_at_all_is_said_to_be_nobody():
    for audience in (OWNER, UNIT, PARENT):
        assert find(audience, matter(), Known(LINES, {})) == Found([], exact=False)
        assert find(audience, matter(unit="unheard"), KNOWN) == Found([], exact=False)


def test_an_audience_of_a_newer_tracker_falls_to_the_supervisors():
    assert find("board", matter(), KNOWN) == Found(["S1", "S2"], "37401", exact=False, **ROLE)


def test_whoever_is_on_duty_is_told_for_all_who_hold_the_role():
    known = Known(LINES, SUPERVISORS, duty={("37401", "supervisor"): ["D1"]})
    assert find(UNIT, matter(), known) == Found(["D1"], "37401", on_duty=True, **ROLE)
    assert find(OWNER, matter(), known) == Found(["D1"], "37401", on_duty=True, **ROLE)
    assert find(PARENT, matter(), known).people == ["P1"]
    assert find(OWNER, matter("H1"), known).people == ["H1"]


def test_whoever_is_away_is_told_by_way_of_who_stands_in_for_them():
    away = {"H1": "H2", "H2": "H3", "S1": "G1", "X": "Y", "Y": "X", "N": None, "M": "N"}
    known = Known(LINES, SUPERVISORS, gone={"G1"}, away=away)
    assert find(OWNER, matter("H1"), known) == Found(["H3"], instead_of={"H3": "H1"})
    assert find(UNIT, matter(), known).people == ["S2"], "nobody stands in who has left"
    for person in ("X", "N", "M"):
        assert find(OWNER, matter(person, "F1"), known).people == ["F1"], "nobody is there for them"
        assert find(OWNER, matter(person), known).people == ["S2"]


def test_whoever_is_away_is_told_where_nobody_else_is_there():
    known = Known({"37401": ["37401"]}, {"37401": ["S1"]}, away={"S1": None, "H1": None})
    assert find(UNIT, matter(), known).people == ["S1"]
    assert find(OWNER, matter("H1"), known).people == ["H1"]


def test_those_who_call_back_are_those_of_the_unit_or_the_nearest_above_else_its_supervisors():
    assert find(CALLBACK, matter(), Known(LINES, SUPERVISORS, callbacks={"37401": ["C1"]})) == Found(
        ["C1"], "37401", role="callback"
    )
    assert find(CALLBACK, matter(), Known(LINES, SUPERVISORS, callbacks={"37": ["C2"]})).people == ["C2"]
    assert find(CALLBACK, matter(), KNOWN).people == ["S1", "S2"]


def test_whose_a_callback_is_makes_it_and_those_who_call_back_only_without_them():
    known = Known(LINES, SUPERVISORS, callbacks={"37401": ["C1"]}, gone={"V2"}, away={"V3": None})
    its = {who: find(CALLBACK, Matter("H1", "F1", "37401", caller=who), known).people for who in ("V1", "V2", "V3")}
    assert its == {"V1": ["V1"], "V2": ["C1"], "V3": ["C1"]}


def test_where_those_outside_are_asked_it_is_their_supervisors_unless_one_person_is_named():
    known = Known(LINES, SUPERVISORS, callbacks={"37401": ["C1"]})
    asked = Matter("H1", "F1", "37401", asked=True)
    assert find(CALLBACK, asked, known) == Found(["S1", "S2"], "37401", **ROLE)
    headless = Known(LINES, {"374": ["P1"]}, callbacks={"37401": ["C1"]})
    assert find(CALLBACK, asked, headless) == Found(["P1"], "374", exact=False, **ROLE)
    assert find(CALLBACK, Matter(None, None, "37401", caller="V1", asked=True), known) == Found(["V1"])


def test_a_group_is_told_in_its_order_and_without_anybody_left_the_supervisors_of_its_unit():
    known = Known({**LINES, "374": ["374", "37"]}, SUPERVISORS, gone={"G2"}, groups={"g": Members("374", ["G3", "G2"])})
    assert find("group:g", matter(), known) == Found(["G3"], "374")
    emptied = Known(LINES, SUPERVISORS, gone={"G3"}, groups={"g": Members("374", ["G3"])})
    assert find("group:g", matter(), emptied).people == ["P1"]
    assert find("group:none", matter(), known).people == ["S1", "S2"], "one that is not there is answered all the same"
    abroad = Known({**LINES, "99": ["99"]}, SUPERVISORS, groups={"g": Members("99", ["X1"])})
    assert find("group:g", matter(), abroad).people == ["S1", "S2"], "no other company is told"


def test_the_first_contact_person_is_told_whoever_handles_it_now():
    assert find(FIRST, matter("H1", "F1"), KNOWN).people == ["F1"]
    assert find(FIRST, matter("H1"), KNOWN).people == ["S1", "S2"]


def test_whose_it_has_become_is_the_owner_alone():
    handed = Matter(None, "F1", "37401", handed=True)
    assert find(OWNER, handed, KNOWN).people == ["S1", "S2"]


def test_the_customer_is_told_if_one_is_known_and_may_be():
    assert find(CUSTOMER, Matter(None, None, "37401", "c1"), KNOWN) == Found(["c1"], kind="customer")
    assert find(CUSTOMER, Matter(None, None, "37401"), KNOWN) == Found([], exact=False, kind="customer")
    assert find(CUSTOMER, Matter(None, None, "37401", None, withheld=True), KNOWN) == Found([], kind="customer")
