"""Code tables as callers see and write them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from appeal_tracker.sources.codes import CategoryName, TypeName
from chassis.web.schemas import Body, Code, Instant, View

# A system's name is ours to choose: it stands in paths, and before its own codes.
Source = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
Types = Annotated[dict[Code, TypeName], Field(max_length=1000)]
Categories = Annotated[dict[Code, CategoryName], Field(max_length=1000)]


class CodeTableView(View):
    """What a source system means by its codes; a code that is not here is nobody's guess."""

    source: str
    version: int
    types: dict[str, str]
    categories: dict[str, str]
    updated_at: Instant
    recorded_by: str


class WriteCodeTable(Body):
    """All codes of the system, in the place of those before."""

    types: Types
    categories: Categories = {}
