"""Rows with words of people in them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Mapped


class Worded:
    """A row that holds what people said. Each column named in `sealed_in` has the words of some others, sealed
    together; what an earlier version wrote stands open in those. Whoever shows a row has it opened before.

    `once` are the columns that the function `seal_<table>` of the tables' owner fills, in the order of its arguments:
    nobody else may touch what was said, and it does so once.
    """

    sealed_in: ClassVar[Mapping[str, tuple[str, ...]]]
    once: ClassVar[tuple[str, ...]]

    if TYPE_CHECKING:
        __tablename__: str
        id: Mapped[UUID]
        unit_code: Mapped[str]

    @classmethod
    def without_words(cls, said: Mapping[str, Any]) -> dict[str, Any]:
        """What stands open beside the words that are sealed: nothing."""
        return dict.fromkeys(said)
