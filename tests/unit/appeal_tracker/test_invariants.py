"""What the self-audit expects, without a database."""

from appeal_tracker.audit.invariants import MEANINGS, Invariant, expected
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.loader import packaged_packs, packaged_policies, read_pack
from contracts import fields

OWN = """
id: own
extends: t-sdpea
appeals:
  complaint:
    - {milestone: callback, within: 3 working days, starts: answered, clause: "1"}
    - {milestone: apology, within: 2 working days, starts: contacted, clause: "2"}
"""


def test_an_appeal_has_the_clocks_of_all_that_has_come_true() -> None:
    policy = resolve(read_pack(OWN), packaged_packs())
    clocks: dict[str, set[str]] = {}
    for each in expected([policy]):
        assert each.policy == "own@1"
        if each.appeal_type == "complaint":
            clocks.setdefault(each.state, set()).add(each.milestone)
    from_the_start = {"contact", "answer"}
    assert clocks == {
        "open": from_the_start,
        "contacted": from_the_start | {"apology"},
        "answered": from_the_start | {"apology", "callback"},
        "called_back": from_the_start | {"apology", "callback"},
    }


def test_a_type_without_a_number_has_no_clock_to_miss() -> None:
    assert "report" not in {each.appeal_type for each in expected([packaged_policies()["t-sdpea"]])}


def test_every_invariant_says_what_it_means_in_both_languages_and_in_the_contract() -> None:
    assert {*MEANINGS} == {*Invariant}
    assert all(words.zh and words.en for words in MEANINGS.values())
    (known,) = fields.Invariant.__metadata__
    assert known.examples == [each.value for each in Invariant]
