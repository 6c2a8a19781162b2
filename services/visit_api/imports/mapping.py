"""Marketing systems, each as data: which column holds which field of ours, and what its codes mean. Pure."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

SourceName = Literal["sg186", "sg2", "csg", "plain"]
SOURCES: tuple[SourceName, ...] = ("sg186", "sg2", "csg", "plain")
Thing = Literal["customers", "units", "staff"]


class Shape(NamedTuple):
    """What is asked of every line that tells of such a thing, whoever writes it; the first field is what it is known
    by. `patterns`: what a field that is there must look like, or why it is not taken."""

    required: tuple[str, ...]
    lengths: Mapping[str, int]
    patterns: Mapping[str, tuple[str, str]]


_CODE = (r"[^\s\x00-\x1f\x7f-\x9f/\\?#%.][^\s\x00-\x1f\x7f-\x9f/\\?#%]*", "bad_code")
_NOT_MASKED = (r"[^*]*", "masked")

SHAPES: Mapping[Thing, Shape] = {
    "customers": Shape(
        ("customer_no", "name", "unit_code"),
        {"customer_no": 64, "name": 200, "unit_code": 64, "address": 500, "phone": 32, "transformer": 64},
        {"capacity": (r"[0-9]{1,12}(\.[0-9]{1,6})?", "bad_number"), "phone": _NOT_MASKED, "address": _NOT_MASKED},
    ),
    "units": Shape(("code", "name"), {"code": 64, "name": 100, "parent_code": 64}, {"code": _CODE}),
    "staff": Shape(
        ("staff_no", "name", "unit_code"),
        {"staff_no": 64, "name": 100, "unit_code": 64, "post": 64, "phone": 32, "email": 254},
        {"staff_no": _CODE, "phone": _NOT_MASKED, "email": (r"[^@\s*]+@[^@\s*]+", "bad_email")},
    ),
}


class Source(NamedTuple):
    """One style of export: field -> column, and field -> its code -> ours."""

    name: str
    thing: Thing
    columns: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]

    @property
    def shape(self) -> Shape:
        """What is asked of its lines."""
        return SHAPES[self.thing]

    @property
    def required(self) -> list[str]:
        """The columns without which a line is nobody."""
        return [self.columns[field] for field in self.shape.required]

    @property
    def number(self) -> str:
        """The column of what a thing is known by."""
        return self.columns[self.shape.required[0]]


@cache
def source(thing: Thing, name: str) -> Source:
    """How the system called `name` writes such things."""
    import yaml  # of use for imports alone

    place = files(__package__) / "mappings" / thing / f"{name}.yaml"
    document = yaml.safe_load(place.read_text("utf-8"))
    return Source(name, thing, document["columns"], document["codes"])


def told_by(thing: Thing, columns: Collection[str]) -> Source | None:
    """The system whose export has such columns; None where none has, or more than one."""
    fitting = [its for its in (source(thing, name) for name in SOURCES) if set(its.required) <= set(columns)]
    return fitting[0] if len(fitting) == 1 else None
