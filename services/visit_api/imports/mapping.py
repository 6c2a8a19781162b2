"""Marketing systems, each as data: which column holds which field of ours, and what its codes mean. Pure."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

SourceName = Literal["sg186", "sg2", "csg", "plain"]
SOURCES: tuple[SourceName, ...] = ("sg186", "sg2", "csg", "plain")
REQUIRED = ("customer_no", "name", "unit_code")


class Source(NamedTuple):
    """One style of export: field -> column, and field -> its code -> ours."""

    name: str
    columns: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]

    @property
    def required(self) -> list[str]:
        """The columns without which a line is nobody."""
        return [self.columns[field] for field in REQUIRED]


@cache
def source(name: str) -> Source:
    """The mapping called `name`."""
    import yaml  # of use for imports alone

    document = yaml.safe_load((files(__package__) / "mappings" / f"{name}.yaml").read_text("utf-8"))
    return Source(name, document["columns"], document["codes"])


def told_by(columns: Collection[str]) -> Source | None:
    """The system whose export has such columns; None where none has, or more than one."""
    fitting = [its for its in map(source, SOURCES) if set(its.required) <= set(columns)]
    return fitting[0] if len(fitting) == 1 else None
