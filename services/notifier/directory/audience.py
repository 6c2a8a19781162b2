"""From an audience, as a ladder or a route names it, to people. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

OWNER, FIRST, UNIT, PARENT = "owner", "first_contact", "unit_supervisors", "parent_unit_supervisors"
CALLBACK, CUSTOMER, GROUP = "callback_group", "customer", "group:"
AUDIENCES = (OWNER, FIRST, UNIT, PARENT, CALLBACK, CUSTOMER)
LADDER_AUDIENCES = frozenset({OWNER, UNIT, PARENT})
SUPERVISOR = "supervisor"


class Members(msgspec.Struct, frozen=True):
    """A named group: the unit it belongs to, and its people in their order."""

    unit: str
    people: Sequence[str]


class Known(msgspec.Struct, frozen=True):
    """What the directory knows of the units and people that some events name, at one moment."""

    lines: Mapping[str, Sequence[str]]  # a unit → itself and the units above it, nearest first
    supervisors: Mapping[str, Sequence[str]]  # a unit → its supervisors' staff numbers
    gone: Set[str] = frozenset()  # staff known to have left
    callbacks: Mapping[str, Sequence[str]] = {}  # a unit → who calls back there
    duty: Mapping[tuple[str, str], Sequence[str]] = {}  # a unit and a role → who is on duty, in their order
    away: Mapping[str, str | None] = {}  # who is away → who stands in for them, if anybody
    groups: Mapping[str, Members] = {}

    missed: bool = True  # whether one who is away, and for whom nobody stands in, is passed over

    def stand_in(self, person: str) -> str:
        """Who acts for `person` now: themselves, unless somebody stands in for them who is there."""
        chain = [person]
        while (other := self.away.get(chain[-1])) is not None and other not in chain:
            chain.append(other)
        return person if chain[-1] in self.away or chain[-1] in self.gone else chain[-1]

    def is_there(self, person: str) -> bool:
        """Whether there is somebody to tell for `person`."""
        if person in self.gone:
            return False
        return not self.missed or person not in self.away or self.stand_in(person) != person

    def on_duty(self, unit: str, role: str) -> list[str]:
        """Who is on duty in a unit, in a role, and is there."""
        return [person for person in self.duty.get((unit, role), ()) if self.is_there(person)]

    def holders(self, unit: str, role: str) -> tuple[Sequence[str], bool]:
        """Who is told where the holders of `role` in `unit` are meant: those on duty; all, if there is no roster."""
        if on_duty := self.on_duty(unit, role):
            return on_duty, True
        all_of_them = (self.callbacks if role == "callback" else self.supervisors).get(unit, ())
        return [person for person in all_of_them if self.is_there(person)], False


class Matter(msgspec.Struct, frozen=True):
    """Who may be meant by an audience: the people an event names, the unit at work, and the customer; `withheld`: who
    that is must not be known, or is not."""

    owner: str | None
    first_contact: str | None
    unit: str
    customer: str | None = None
    withheld: bool = False
    handed: bool = False  # it is about whose it is now, so that nobody but the owner stands for the owner
    caller: str | None = None  # who is to call the customer back, where that is one person's
    asked: bool = False  # it may be about those who took it, so that only the supervisors of `unit` are asked to call


class Found(msgspec.Struct, frozen=True):
    """The people, and the unit whose they are; `exact` if they are whom the ladder names, not those next above them.
    Nobody at all: no people. `instead_of` says for whom somebody stands in; `on_duty`, that a roster named them."""

    people: Sequence[str]
    unit: str | None = None
    exact: bool = True
    kind: str = "staff"
    role: str | None = None  # as the holders of which they are told
    on_duty: bool = False
    instead_of: Mapping[str, str] = {}


def find(audience: str, matter: Matter, known: Known) -> Found:
    """The people to tell, as they are now. Where those named are missing, the nearest above them who has supervisors.
    Whoever is away is told where there is nobody else: better they than nobody.

    Owner: the event's owner, else the first-contact person, else the unit's supervisors; neither needs to be in the
    directory, but one known to have left is passed over. Above a top-level unit there is nobody: its own supervisors
    are told. An audience that is not known here is answered by the unit's supervisors, as never exact.
    """
    found = _find(audience, matter, known)
    return found if found.people else _find(audience, matter, msgspec.structs.replace(known, missed=False))


def _find(audience: str, matter: Matter, known: Known) -> Found:
    if audience == CUSTOMER:
        sure = matter.customer is not None or matter.withheld
        return Found([matter.customer] if matter.customer else [], exact=sure, kind="customer")
    if (person := by_name(audience, matter, known)) is not None:
        return _told([person], known)
    unit = matter.unit
    group = known.groups.get(audience.removeprefix(GROUP)) if audience.startswith(GROUP) else None
    if group is not None and _one_company(unit, group.unit, known):
        if members := [person for person in group.people if known.is_there(person)]:
            return _told(members, known, group.unit)
        unit = group.unit
    if audience == CALLBACK:
        # Of what may be about a unit, the supervisors above may call by any pack, and it is in their day.
        return _supervisors(UNIT, unit, known) if matter.asked else _callers(unit, known)
    return _supervisors(audience, unit, known)


def by_name(audience: str, matter: Matter, known: Known) -> str | None:
    """Whom an audience means by name, if anybody: the first who is there."""
    named: tuple[str | None, ...] = ()
    if audience == OWNER:
        named = (matter.owner,) if matter.handed else (matter.owner, matter.first_contact)
    elif audience == FIRST:
        named = (matter.first_contact,)
    elif audience == CALLBACK:
        named = (matter.caller,)
    return next((each for each in named if each and known.is_there(each)), None)


def _callers(unit: str, known: Known) -> Found:
    for each in _line(unit, known):
        people, on_duty = known.holders(each, "callback")
        if people:
            return _told(people, known, each, exact=each == unit, role="callback", on_duty=on_duty)
    return _supervisors(CALLBACK, unit, known)


def _supervisors(audience: str, unit: str, known: Known) -> Found:
    units = _line(unit, known)
    if audience == PARENT:
        units = [*units[1:], *units[:1]]
    for steps, each in enumerate(units):
        people, on_duty = known.holders(each, SUPERVISOR)
        if people:
            meant = audience in (OWNER, UNIT) or (audience == PARENT and each != unit)
            return _told(people, known, each, exact=meant and steps == 0, role=SUPERVISOR, on_duty=on_duty)
    return Found([], exact=False)


def _one_company(unit: str, other: str, known: Known) -> bool:
    """Whether a group of `other` may be told what `unit` does: another company's may not, whatever a route says."""
    line = _line(unit, known)
    return other in line or line[-1] == _line(other, known)[-1]


def _line(unit: str, known: Known) -> list[str]:
    return list(known.lines.get(unit, [unit]))


def _told(
    people: Iterable[str],
    known: Known,
    unit: str | None = None,
    *,
    exact: bool = True,
    role: str | None = None,
    on_duty: bool = False,
) -> Found:
    acting = {person: known.stand_in(person) for person in people}
    instead_of = {other: person for person, other in acting.items() if other != person}
    return Found([*dict.fromkeys(acting.values())], unit, exact, role=role, on_duty=on_duty, instead_of=instead_of)
