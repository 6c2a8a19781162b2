"""A policy pack as it is written: plain data, checked for form. `inheritance` makes a policy of it.

What a pack does not restate it inherits from the pack it extends; hence the many optional fields.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appeal_tracker.calendars.civil import HOUR
from appeal_tracker.calendars.period import Period
from appeal_tracker.calendars.pointers import END, LINE, locate
from appeal_tracker.policies.ladder import Moment

AppealType = Literal["complaint", "report", "opinion", "suggestion", "consultation"]
Audience = Literal["owner", "unit_supervisors", "parent_unit_supervisors"]
ContactResult = Literal["reached", "refused", "no_answer"]
Reopening = Literal["new_round", "continue", "restart"]
Start = Literal["received", "contacted", "answered", "appointed", "completed", "appeals_closed"]

APPEAL_STARTS: frozenset[str] = frozenset({"received", "contacted", "answered"})
VISIT_STARTS: frozenset[str] = frozenset({"appointed", "completed", "appeals_closed"})
VISITS = "/visits"
MANY = 50  # of anything a pack lists; every one of them is checked day by day

_Id = Annotated[str, Meta(pattern=f"^[a-z0-9][a-z0-9-]{{0,63}}{END}")]
_Name = Annotated[str, Meta(pattern=f"^[a-z][a-z0-9_]{{0,31}}{END}")]
_Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
_Hour = Annotated[str, Meta(pattern=f"^([01][0-9]|2[0-3]):[0-5][0-9]{END}")]


class PolicyError(ValueError):
    """A pack that is refused; `pointer` (RFC 6901) says where, `fault` what is wrong there."""

    def __init__(self, pointer: str, fault: str) -> None:
        super().__init__(f"{pointer or 'the pack'}: {fault}")
        self.pointer = pointer
        self.fault = fault


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything a pack writes: an unknown key is a typing mistake, and refused."""


class WrittenStep(_Written, frozen=True):
    at: Annotated[str, Meta(max_length=50)] | float
    tell: Annotated[tuple[Audience, ...], Meta(min_length=1, max_length=3)]
    mandatory: bool = False


_Ladder = Annotated[tuple[WrittenStep, ...], Meta(max_length=MANY)]


class WrittenLimit(_Written, frozen=True):
    milestone: _Name
    within: Annotated[str, Meta(max_length=50)] | None = None
    clause: _Text | None = None
    ladder: _Ladder | None = None
    holdable: bool | None = None
    starts: Start | None = None


class WrittenQuiet(_Written, frozen=True, rename={"begins": "from", "ends": "to"}):
    begins: _Hour
    ends: _Hour
    clause: _Text


class WrittenContact(_Written, frozen=True):
    """What stops a contact clock: a result accepted at once, or so many unanswered attempts so many hours apart."""

    accepts: Annotated[tuple[ContactResult, ...], Meta(min_length=1, max_length=3)]
    attempts: Annotated[int, Meta(ge=1, le=20)]
    hours_apart: Annotated[int, Meta(ge=0, le=168)]


class WrittenTries(_Written, frozen=True):
    """How many unanswered calls, so many hours apart, are a callback that failed."""

    attempts: Annotated[int, Meta(ge=1, le=20)]
    hours_apart: Annotated[int, Meta(ge=0, le=168)]


class Target(_Written, frozen=True):
    """A share to reach, for statistics; no clock hangs on it."""

    name: _Name
    at_least: Annotated[float, Meta(gt=0, le=1)]
    clause: _Text


class Pack(_Written, frozen=True):
    """One version of a pack, immutable once published. No `effective_from`: it has no lower bound; no `reopen_for`:
    what it says of reopening counts for all types. `close_of_business` is the hour at which those limits end that are
    written as `7 working days close of business`, here or in packs that extend it; all others end with their day."""

    id: _Id
    version: Annotated[int, Meta(ge=1)] = 1
    title: _Text = ""
    extends: _Id | None = None
    effective_from: date | None = None
    calendar: _Id | None = None
    close_of_business: _Hour | None = None
    quiet: WrittenQuiet | None = None
    contact: WrittenContact | None = None
    callback: Literal["optional", "required"] | None = None
    callback_for: Annotated[tuple[AppealType, ...], Meta(min_length=1, max_length=5)] | None = None
    callback_by: Literal["anyone", "acceptor", "not_the_handler"] | None = None
    callback_clause: _Text | None = None
    callback_tries: WrittenTries | None = None
    dissatisfied: Literal["follow_up", "new_round"] | None = None
    repeat_days: Annotated[int, Meta(ge=1, le=366)] | None = None
    reopen: Reopening | None = None
    reopen_for: Annotated[tuple[AppealType, ...], Meta(min_length=1, max_length=5)] | None = None
    ladders: Annotated[Mapping[_Name, _Ladder], Meta(max_length=MANY)] = {}
    appeals: Mapping[AppealType, Annotated[tuple[WrittenLimit, ...], Meta(max_length=MANY)]] = {}
    visits: Annotated[tuple[WrittenLimit, ...], Meta(max_length=MANY)] = ()
    targets: Annotated[tuple[Target, ...], Meta(max_length=MANY)] = ()

    @property
    def label(self) -> str:
        return f"{self.id}@{self.version}"


def parse_pack(document: object) -> Pack:
    """Read a pack from plain data; PolicyError points at the first thing that is wrong."""
    if isinstance(document, Mapping):
        # Entry by entry first: the decoder's own path does not name the key of a mapping.
        _convert_entries(document, "appeals", AppealType, Annotated[tuple[WrittenLimit, ...], Meta(max_length=MANY)])
        _convert_entries(document, "ladders", _Name, _Ladder)
    pack: Pack = _convert(document, Pack, "")
    _refuse_twice([target.name for target in pack.targets], "/targets", "name")
    if pack.quiet and pack.quiet.begins == pack.quiet.ends:
        raise PolicyError("/quiet/to", "quiet hours that end as they begin never end")
    if pack.reopen_for and pack.reopen is None:
        raise PolicyError("/reopen_for", "`reopen` does not say what begins again")
    if pack.close_of_business == "00:00":
        raise PolicyError("/close_of_business", "a day that closes at midnight has no business hours")
    for milestone, ladder in pack.ladders.items():
        _check_ladder(ladder, f"/ladders/{milestone}")
    for section, limits in sections(pack):
        _refuse_twice([limit.milestone for limit in limits], section, "milestone")
        for index, limit in enumerate(limits):
            _check_limit(limit, f"{section}/{index}", VISIT_STARTS if section == VISITS else APPEAL_STARTS)
    return pack


def sections(pack: Pack) -> Iterator[tuple[str, tuple[WrittenLimit, ...]]]:
    """Walk the lists of limits a pack writes, each with its pointer: `/appeals/complaint`, ..., `/visits`."""
    for appeal_type, limits in pack.appeals.items():
        yield f"/appeals/{appeal_type}", limits
    yield VISITS, pack.visits


def time_of_day(hour: str) -> int:
    """Read `21:00` as ticks after midnight."""
    return int(hour[:2]) * HOUR + int(hour[3:]) * (HOUR // 60)


def _check_limit(limit: WrittenLimit, pointer: str, starts: frozenset[str]) -> None:
    if limit.within is not None:
        if limit.clause is None:
            raise PolicyError(f"{pointer}/clause", "a figure needs the clause that states it")
        with _pointing_at(f"{pointer}/within"):
            Period.parse(limit.within, close_of_business=0)  # which hour that is, inheritance knows
    if limit.starts is not None and limit.starts not in starts:
        raise PolicyError(f"{pointer}/starts", f"{limit.starts} is none of {', '.join(sorted(starts))}")
    _check_ladder(limit.ladder or (), f"{pointer}/ladder")


def _check_ladder(ladder: Sequence[WrittenStep], pointer: str) -> None:
    taken: set[str] = set()
    for index, step in enumerate(ladder):
        with _pointing_at(f"{pointer}/{index}/at"):
            # Each firing is a timer, known by its name: two lists of `every 1wd` would share their first.
            names = Moment.parse(str(step.at)).names
            if twice := taken.intersection(names):
                raise ValueError(f"{min(twice)} is given twice")
            taken.update(names)


def _refuse_twice(values: Sequence[str], pointer: str, field: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PolicyError(f"{pointer}/{index}/{field}", f"{value} is given twice")


def _convert_entries(document: Mapping[Any, Any], field: str, key_type: Any, entry_type: Any) -> None:
    entries = document.get(field)
    for key, entry in entries.items() if isinstance(entries, Mapping) else ():
        _convert(key, key_type, f"/{field}/{key}")
        _convert(entry, entry_type, f"/{field}/{key}")


def _convert(document: object, type_: Any, pointer: str) -> Any:
    try:
        return msgspec.convert(document, type_)
    except msgspec.ValidationError as error:
        place, fault = locate(error)
        raise PolicyError(pointer + place, fault) from None


@contextmanager
def _pointing_at(pointer: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise PolicyError(pointer, str(error)) from None
