"""What is wrong with a pack: found in the pack as it was written, and said in both languages."""

import re
from typing import Any

import pytest

from appeal_tracker.calendars.faults import bilingual
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.policies.faults import FAULTS
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.loader import packaged_packs, packaged_policies
from appeal_tracker.policies.pack import PolicyError, parse_pack
from appeal_tracker.policies.pointing import place
from appeal_tracker.policies.strictness import laxer

CHINESE = re.compile("[\u4e00-\u9fff]")
OWN = {"id": "own", "extends": "state-grid", "appeals": {}}


def limit(milestone: str = "answer", **fields: Any) -> dict[str, Any]:
    return {"milestone": milestone, **fields}


def complaint(*limits: dict[str, Any], **pack: Any) -> dict[str, Any]:
    return {"appeals": {"complaint": [*limits]}, **pack}


WRITTEN: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "/colour"),
    ({"id": "own\n"}, "/id"),
    ({"id": None}, "/id"),
    ({"title": ""}, "/title"),
    ({"title": "x" * 201}, "/title"),
    ({"version": 0}, "/version"),
    ({"version": "1"}, "/version"),
    ({"effective_from": "2026-02-30"}, "/effective_from"),
    ({"callback": "never"}, "/callback"),
    ({"callback": "required", "callback_for": []}, "/callback_for"),
    ({"quiet": {"from": "21:00", "to": "21:00", "clause": "1"}}, "/quiet/to"),
    ({"close_of_business": "00:00"}, "/close_of_business"),
    ({"reopen_for": ["report"]}, "/reopen_for"),
    ({"reopen": "restart", "reopen_for": []}, "/reopen_for"),
    ({"targets": [{"name": "a", "at_least": 0.5, "clause": "1"}] * 2}, "/targets/1/name"),
    (complaint(limit(within="soon", clause="1")), "/appeals/complaint/0/within"),
    (complaint(limit(within="1001 hours", clause="1")), "/appeals/complaint/0/within"),
    (complaint(limit(within="9 hours close of business", clause="1")), "/appeals/complaint/0/within"),
    (complaint(limit(within="9 hours")), "/appeals/complaint/0/clause"),
    (complaint(limit(), limit()), "/appeals/complaint/1/milestone"),
    (complaint(limit(starts="appointed")), "/appeals/complaint/0/starts"),
    (complaint(limit(ladder=[{"at": 0.0, "tell": ["owner"]}])), "/appeals/complaint/0/ladder/0/at"),
    (complaint(limit(ladder=[{"at": "0.0", "tell": ["owner"]}])), "/appeals/complaint/0/ladder/0/at"),
    (complaint(limit(ladder=[{"at": "+1001h", "tell": ["owner"]}])), "/appeals/complaint/0/ladder/0/at"),
    (
        complaint(limit(ladder=[{"at": "every 1000wd, at most 50", "tell": ["owner"]}])),
        "/appeals/complaint/0/ladder/0/at",
    ),
    (complaint(limit(ladder=[{"at": "soon", "tell": ["owner"]}])), "/appeals/complaint/0/ladder/0/at"),
    # Found only in the policy that inheritance makes of it.
    (complaint(limit("contact"), limit("survey", holdable=True)), "/appeals/complaint/1/within"),
    (
        complaint(limit("contact"), limit(within="5 working days close of business", clause="1")),
        "/appeals/complaint/1/within",
    ),
    (complaint(limit("arrival", within="1 hour", clause="1")), "/appeals/complaint/0"),
]

LAX: list[tuple[dict[str, Any], str]] = [
    (complaint(limit("contact"), limit(within="6 working days", clause="1")), "/appeals/complaint/1/within"),
    (complaint(limit(holdable=True)), "/appeals/complaint/0/holdable"),
    (complaint(limit(starts="contacted")), "/appeals/complaint/0/starts"),
    (complaint(limit(ladder=[{"at": 0.5, "tell": ["owner"]}])), "/appeals/complaint/0/ladder"),
    ({"ladders": {"contact": [{"at": 0.5, "tell": ["owner"]}]}}, "/ladders/contact"),
    ({"quiet": {"from": "12:00", "to": "12:01", "clause": "1"}}, "/quiet"),
    ({"contact": {"accepts": ["no_answer"], "attempts": 3, "hours_apart": 2}}, "/contact/accepts"),
    ({"contact": {"accepts": ["reached"], "attempts": 1, "hours_apart": 2}}, "/contact/attempts"),
    ({"reopen": "restart"}, "/reopen"),
    ({"callback": "optional"}, "/callback"),
    ({"callback_by": "anyone"}, "/callback_by"),
    (
        {"extends": "service-window", "targets": [{"name": "callback_rate", "at_least": 0.8, "clause": "1"}]},
        "/targets/0/at_least",
    ),
]


def said(fault: str) -> None:
    words = bilingual(fault, FAULTS)
    assert CHINESE.search(words.say("zh")), fault
    assert not words.say("zh").startswith("不符合要求"), f"{fault!r} has no words of its own"
    assert not CHINESE.search(words.say("en")), fault


@pytest.mark.parametrize(("fields", "pointer"), WRITTEN)
def test_a_fault_is_found_where_it_was_written_and_said_in_both_languages(fields: dict[str, Any], pointer: str):
    pack = None
    with pytest.raises(PolicyError) as refused:
        pack = parse_pack(OWN | fields)
        resolve(pack, packaged_packs())
    assert (place(pack, refused.value.pointer) if pack else refused.value.pointer) == pointer
    said(refused.value.fault)


@pytest.mark.parametrize(("fields", "pointer"), LAX)
def test_what_is_laxer_is_found_where_it_was_written_and_said_in_both_languages(fields: dict[str, Any], pointer: str):
    pack = parse_pack(OWN | fields)
    assert pack.extends is not None
    (found, *_) = laxer(resolve(pack, packaged_packs()), packaged_policies()[pack.extends], cn_statutory())
    assert place(pack, found.pointer) == pointer
    said(found.fault)


@pytest.mark.parametrize(
    ("terms", "pack", "pointer"),
    [
        ({"holdable": True}, {}, "/appeals/report/0/holdable"),
        ({}, {"reopen": "continue", "reopen_for": ["report"]}, "/reopen"),
    ],
)
def test_what_waits_in_another_unit_is_said_in_both_languages(terms: Any, pack: Any, pointer: str):
    def over(id: str, extends: str, within: str) -> Any:
        its = limit(within=within, clause="1", **terms)
        return parse_pack({"id": id, "extends": extends, "appeals": {"report": [its]}, **pack})

    packs = {**packaged_packs(), "above": over("above", "t-sdpea", "9 working days")}
    own = over("own", "above", "7 calendar days")
    (found,) = laxer(resolve(own, packs), resolve(packs["above"], packs), cn_statutory())
    assert place(own, found.pointer) == pointer
    said(found.fault)


def test_that_no_hours_are_quiet_is_said_in_both_languages():
    said("no hours are quiet, its parent keeps 21:00–08:00")


def test_a_fault_of_another_form_is_said_as_it_is():
    words = bilingual("a fault {like} no other", FAULTS)
    assert (words.say("zh"), words.say("en")) == ("不符合要求：a fault {like} no other", "a fault {like} no other")


def test_a_callers_text_is_not_repeated():
    with pytest.raises(PolicyError) as refused:
        parse_pack(OWN | {"callback": "机密" * 1000})
    assert "机密" not in str(refused.value)
    with pytest.raises(PolicyError) as refused:
        parse_pack(OWN | {"机密" * 1000: 1})
    assert len(str(refused.value)) < 200
