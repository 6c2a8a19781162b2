"""Rows with words of people in them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Mapped


class Worded:
    """A row that holds what people said. Each column named in `sealed_in` has the words of some others, sealed
    together; what an earlier version wrote stands open in those. Whoever shows a row has it opened before.

    `silent` is what a column of words has where nothing is said, if it is not null. `once` are what the function
    `seal_<table>` of the tables' owner takes, in the order of its arguments: it seals what was said, once, and where
    nobody else may touch it.
    """

    sealed_in: ClassVar[Mapping[str, tuple[str, ...]]]
    silent: ClassVar[Mapping[str, Any]] = {}
    once: ClassVar[tuple[str, ...]]

    if TYPE_CHECKING:
        __tablename__: str
        id: Mapped[UUID]
        unit_code: Mapped[str]

    @classmethod
    def without_words(cls, said: Mapping[str, Any]) -> dict[str, Any]:
        """What stands open beside the words that are sealed: nothing."""
        return dict.fromkeys(said)
