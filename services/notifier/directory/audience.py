"""From an audience, as a ladder names it, to people. Pure."""

from collections.abc import Mapping, Sequence, Set

import msgspec

OWNER, UNIT, PARENT = "owner", "unit_supervisors", "parent_unit_supervisors"


class Known(msgspec.Struct, frozen=True):
    """What the directory knows of the units and people that some events name."""

    lines: Mapping[str, Sequence[str]]  # a unit → itself and the units above it, nearest first
    supervisors: Mapping[str, Sequence[str]]  # a unit → its supervisors' staff numbers
    gone: Set[str] = frozenset()  # staff known to have left


class Matter(msgspec.Struct, frozen=True):
    """Who may be meant by an audience: the people an event names, and the unit at work."""

    owner: str | None
    first_contact: str | None
    unit: str


class Found(msgspec.Struct, frozen=True):
    """The people, and the unit whose supervisors they are; `exact` if they are whom the ladder names, not those next
    above them. Nobody at all: no people."""

    people: Sequence[str]
    unit: str | None = None
    exact: bool = True


def find(audience: str, matter: Matter, known: Known) -> Found:
    """The people to tell. Where those named are missing, the nearest above them who has supervisors.

    Owner: the event's owner, else the first-contact person, else the unit's supervisors; neither needs to be in the
    directory, but one known to have left is passed over. Above a top-level unit there is nobody: its own supervisors
    are told. An audience that is not known here is answered by the unit's supervisors, as never exact.
    """
    if audience == OWNER:
        for person in (matter.owner, matter.first_contact):
            if person is not None and person not in known.gone:
                return Found([person])
    units = list(known.lines.get(matter.unit, [matter.unit]))
    if audience == PARENT:
        units = [*units[1:], *units[:1]]
    for steps, unit in enumerate(units):
        if people := known.supervisors.get(unit):
            named = audience in (OWNER, UNIT) or (audience == PARENT and unit != matter.unit)
            return Found(people, unit, exact=named and steps == 0)
    return Found([], exact=False)
