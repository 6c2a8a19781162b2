"""What becomes of some lines of a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from visit_api.imports.mapping import Source
from visit_api.imports.reading import Fault, Said

Found = Sequence[tuple[int, Said]]  # good lines, by number
# A customer's words as they are stored: the name, open or sealed; number, by what it is found, and address, sealed.
Words = tuple[str | None, bytes | None, bytes | None, bytes | None, bytes | None]


class Prepared(NamedTuple):
    """What of a line costs most, worked out while the lines before it are stored: by what it is known again, and,
    should its customer be new, its id and its words, sealed for that."""

    digest: bytes
    id: UUID
    words: Words


Prepare = Callable[[Found], Mapping[int, Prepared]]
# Called once all that was asked for some lines is answered, and writing begins: has those to come be read meanwhile,
# and prepared, if they are likely to be new; safe twice.
GoOn = Callable[[Prepare | None], None]


class Outcome(NamedTuple):
    """How many are stored now, how many were already, and which are not taken."""

    stored: int
    same: int
    faults: dict[int, Fault]


def once(source: Source, found: Found, named: set[str]) -> tuple[Found, dict[int, Fault]]:
    """Those of `found` whose thing the file has not `named` before; the others are faults."""
    number_is, column = source.shape.required[0], source.number
    its = {said[number_is] for _, said in found}
    if len(its) == len(found) and its.isdisjoint(named):  # as it should be, and as it mostly is
        return found, {}
    first, faults, seen = [], {}, set(named)
    for number, said in found:
        if said[number_is] in seen:
            faults[number] = Fault(column, "duplicate")
        else:
            seen.add(said[number_is])
            first.append((number, said))
    return first, faults
