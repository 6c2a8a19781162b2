"""What becomes of some lines of a file."""

from collections.abc import Sequence
from typing import NamedTuple

from visit_api.imports.mapping import Source
from visit_api.imports.reading import Fault, Said

Found = Sequence[tuple[int, Said]]  # good lines, by number


class Outcome(NamedTuple):
    """How many are stored now, how many were already, and which are not taken."""

    stored: int
    same: int
    faults: dict[int, Fault]


def once(source: Source, found: Found, named: set[str]) -> tuple[list[tuple[int, Said]], dict[int, Fault]]:
    """Those of `found` whose thing the file has not `named` before; the others are faults."""
    number_is, column = source.shape.required[0], source.number
    first, faults, seen = [], {}, set(named)
    for number, said in found:
        if said[number_is] in seen:
            faults[number] = Fault(column, "duplicate")
        else:
            seen.add(said[number_is])
            first.append((number, said))
    return first, faults
