"""Units of a file in the order in which they can be made."""

from hypothesis import given
from hypothesis import strategies as st

from visit_api.imports.tree import Wanted, order

TREE = {"37": None, "374": "37", "37401": "374", "37402": "374", "375": "37"}


def lines(*wanted: tuple[str, str | None]) -> list[Wanted]:
    return [Wanted(line, *each) for line, each in enumerate(wanted, 1)]


def test_the_one_above_may_come_later() -> None:
    its = order(TREE, lines(("3740101", "374010"), ("374010", "37401"), ("38", None)), "374")
    assert ([each.code for each in its.ready], its.refused) == (["374010", "38", "3740101"], {})


def test_what_can_never_be_made_is_told_from_what_is_below_itself() -> None:
    wanted = lines(("a", "b"), ("b", "a"), ("c", "b"), ("d", "nowhere"), ("e", "d"), ("374", "37401"), ("37402", "a"))
    its = order(TREE, wanted, "374")
    assert its.ready == []
    assert its.refused == {
        **dict.fromkeys((1, 2, 3, 7), "cycle"),
        **dict.fromkeys((4, 5), "unknown_parent"),
        6: "taken",  # its own unit, from under those above it
    }


def test_two_units_change_places() -> None:
    its = order({"a": None, "b": "a", "c": "b"}, lines(("a", "c"), ("c", None)), None)
    assert ([each.code for each in its.ready], its.refused) == (["c", "a"], {})


def test_nobody_names_what_they_do_not_see() -> None:
    its = order(TREE, lines(("375", None), ("x", "375"), ("y", "37"), ("374", "37"), ("37401", "375")), "374")
    assert ([each.code for each in its.ready], its.refused) == (
        ["374"],
        {1: "taken", 2: "unknown_parent", 3: "unknown_parent", 5: "unknown_parent"},
    )
    own = order({"37": None}, lines(("374", "37"), ("37401", "374")), "374")
    assert (len(own.ready), own.refused) == (2, {}), "its own unit may stand below any"


def test_a_closed_unit_is_as_it_is() -> None:
    its = order(TREE, lines(("37401", "37402"), ("3740101", "37401"), ("37402", "37")), None, {"37401"})
    assert ([each.code for each in its.ready], its.refused) == (["37402"], {1: "merged_unit", 2: "merged_parent"})


_CODES = st.sampled_from("abcdef")


@given(st.dictionaries(_CODES, st.none() | st.sampled_from("abcdefx")), st.permutations("abcdef"))
def test_whatever_is_wanted_a_tree_remains(wanted: dict[str, str | None], shuffled: list[str]) -> None:
    its = order({}, lines(*((code, wanted[code]) for code in shuffled if code in wanted)), None)
    tree: dict[str, str | None] = {}
    for each in its.ready:
        assert each.parent_code is None or each.parent_code in tree
        tree[each.code] = each.parent_code
    assert len(its.ready) + len(its.refused) == len(wanted)
    good = {code for code in wanted if _ends(wanted, code)}
    assert set(tree) == good


def _ends(wanted: dict[str, str | None], code: str | None) -> bool:
    for _ in range(10):
        if code is None:
            return True
        code = wanted.get(code, "x")
    return False
