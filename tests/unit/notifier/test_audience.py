"""From an audience to people: those the ladder names, else the nearest above them, never a silent nobody."""

import pytest

from notifier.directory.audience import OWNER, PARENT, UNIT, Found, Known, Matter, find

LINES = {"37401": ["37401", "374", "37"], "37": ["37"]}
SUPERVISORS = {"37401": ["S1", "S2"], "374": ["P1"], "37": ["T1"]}
KNOWN = Known(LINES, SUPERVISORS)


def matter(owner: str | None = None, first_contact: str | None = None, unit: str = "37401") -> Matter:
    return Matter(owner, first_contact, unit)


@pytest.mark.parametrize(
    ("audience", "its", "known", "found"),
    [
        (OWNER, matter("H1", "F1"), KNOWN, Found(["H1"])),
        (OWNER, matter(None, "F1"), KNOWN, Found(["F1"])),
        (OWNER, matter(), KNOWN, Found(["S1", "S2"], "37401")),
        (UNIT, matter("H1"), KNOWN, Found(["S1", "S2"], "37401")),
        (PARENT, matter("H1"), KNOWN, Found(["P1"], "374")),
    ],
)
def test_the_ladder_names_whom_to_tell(audience: str, its: Matter, known: Known, found: Found):
    assert find(audience, its, known) == found


def test_one_who_left_is_passed_over():
    known = Known(LINES, SUPERVISORS, gone={"H1"})
    assert find(OWNER, matter("H1", "F1"), known) == Found(["F1"])
    known = Known(LINES, SUPERVISORS, gone={"H1", "F1"})
    assert find(OWNER, matter("H1", "F1"), known) == Found(["S1", "S2"], "37401")


def test_a_person_the_directory_does_not_know_is_told_all_the_same():
    assert find(OWNER, matter("stranger", unit="unheard"), Known({}, {})) == Found(["stranger"])


def test_where_nobody_is_the_nearest_above_is_told_and_that_is_not_exact():
    orphaned = Known(LINES, {"374": ["P1"], "37": ["T1"]})
    assert find(UNIT, matter(), orphaned) == Found(["P1"], "374", exact=False)
    assert find(OWNER, matter(), orphaned) == Found(["P1"], "374", exact=False)
    headless = Known(LINES, {"37401": ["S1"], "37": ["T1"]})
    assert find(PARENT, matter(), headless) == Found(["T1"], "37", exact=False)


def test_above_a_top_level_unit_its_own_supervisors_are_told():
    assert find(PARENT, matter(unit="37"), KNOWN) == Found(["T1"], "37", exact=False)
    assert find(PARENT, matter(), Known(LINES, {"37401": ["S1"]})) == Found(["S1"], "37401", exact=False)


def test_nobody_at_all_is_said_to_be_nobody():
    for audience in (OWNER, UNIT, PARENT):
        assert find(audience, matter(), Known(LINES, {})) == Found([], exact=False)
        assert find(audience, matter(unit="unheard"), KNOWN) == Found([], exact=False)


def test_an_audience_of_a_newer_tracker_falls_to_the_supervisors():
    assert find("callback_group", matter(), KNOWN) == Found(["S1", "S2"], "37401", exact=False)
