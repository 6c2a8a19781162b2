"""In which order the units of a file can be made, whatever their order in it. Pure."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

_DEEPEST = 32  # levels


class Wanted(NamedTuple):
    """A unit as a line has it."""

    line: int
    code: str
    parent_code: str | None


class Order(NamedTuple):
    """What can be made or moved now, each after what it stands below; and why the others never can, by line."""

    ready: list[Wanted]
    refused: dict[int, str]


def order(
    there: Mapping[str, str | None], wanted: Sequence[Wanted], unit: str | None, closed: Container[str | None] = ()
) -> Order:
    """How the tree `there` (unit -> the one above it) takes in what somebody of `unit` wants, who sees that and what is
    below it: `taken` is another's unit, `unknown_parent` one that nobody has or sees, `cycle` one below itself;
    `merged_unit` is one of the `closed`, `merged_parent` one below such."""
    tree, waiting = dict(there), list(wanted)
    its = Order([], {})
    while True:
        left = []
        for each in waiting:
            reason = _refused(tree, each, unit) or _is_closed(each, closed)
            if reason is not None:
                its.refused[each.line] = reason
            elif _must_wait(tree, each):
                left.append(each)
            else:
                tree[each.code] = each.parent_code
                its.ready.append(each)
        if len(left) == len(waiting):
            break
        waiting = left
    coming = {each.code for each in waiting}
    while lost := {each.code for each in waiting if each.code in coming and _is_unknown(tree, each, coming)}:
        coming -= lost
    its.refused.update({each.line: "cycle" if each.code in coming else "unknown_parent" for each in waiting})
    return its


def _refused(tree: Mapping[str, str | None], each: Wanted, unit: str | None) -> str | None:
    if each.code in tree:
        if not _is_below(tree, each.code, unit):
            return "taken"
        before = tree[each.code]
        if before == each.parent_code:
            return None
        # Whoever moves a unit sees both ends: nobody takes their own unit from under those above it.
        if before is not None and not _is_below(tree, before, unit):
            return "taken"
    if each.parent_code in tree and each.code != unit and not _is_below(tree, each.parent_code, unit):
        return "unknown_parent"
    return None


def _is_closed(each: Wanted, closed: Container[str | None]) -> str | None:
    if each.code in closed:
        return "merged_unit"
    return "merged_parent" if each.parent_code in closed else None


def _must_wait(tree: Mapping[str, str | None], each: Wanted) -> bool:
    parent = each.parent_code
    return parent is not None and (parent not in tree or _is_below(tree, parent, each.code))


def _is_unknown(tree: Mapping[str, str | None], each: Wanted, coming: set[str]) -> bool:
    return each.parent_code not in tree and each.parent_code not in coming


def _is_below(tree: Mapping[str, str | None], code: str | None, top: str | None) -> bool:
    """Whether `code` is `top` or below it; whoever has no unit sees everything."""
    if top is None:
        return True
    for _ in range(_DEEPEST):
        if code == top:
            return True
        if code is None:
            return False
        code = tree.get(code)
    return False
