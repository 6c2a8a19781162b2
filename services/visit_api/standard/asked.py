"""What the clauses ask to be on record of a visit, by its channel, direction and form: one table.

A customer's own call is not ours to fill with policies and promotion; what is then asked for is how it was answered.
"""

from collections.abc import Iterator
from typing import NamedTuple

_CHANNELS = frozenset({"on_site", "phone", "online"})
_DIRECTIONS = frozenset({"outbound", "inbound"})
_FORMS = frozenset({"ordinary", "directed", "special"})
_OURS = frozenset({"outbound"})


class Asked(NamedTuple):
    """A clause, the sheet of a checklist or the kind of step that answers to it, and of which visits it is asked."""

    clause: str
    what: str
    channels: frozenset[str] = _CHANNELS
    directions: frozenset[str] = _DIRECTIONS
    forms: frozenset[str] = _FORMS
    where_needs_were_heard: bool = False

    def concerns(self, channel: str, direction: str, form: str) -> bool:
        """Whether it is asked of such a visit."""
        return channel in self.channels and direction in self.directions and form in self.forms


CHECKLISTS = (
    Asked("6.1.3", "on_site", frozenset({"on_site"})),
    Asked("6.2.2", "phone", frozenset({"phone"})),
    Asked("6.3.2", "online", frozenset({"online"})),
    Asked("8.2", "conduct"),
    Asked("8.1.4", "confidentiality"),
)
STEPS = (
    Asked("5.2", "publicise", directions=_OURS),
    Asked("5.1", "needs", directions=_OURS),
    # §7.2.1: a directed visit comes with a solution, which is what is promoted.
    Asked("5.3", "promotion", directions=_OURS, forms=frozenset({"directed"})),
    Asked("5.5", "appeals"),
    # What an appeal justly asks for is solved by its answer, without which it is not closed, nor the visit archived;
    # what is needed besides by a strategy.
    Asked("7.2.4", "strategy", forms=frozenset({"directed", "special"})),
    Asked("7.2.4", "strategy", forms=frozenset({"ordinary"}), where_needs_were_heard=True),
)
ONLINE = (
    Asked("6.3.2.2", "name_card", frozenset({"online"})),
    Asked("6.3.2.3", "inquiries_answered", frozenset({"online"})),
)


def asked(table: tuple[Asked, ...], channel: str, direction: str, form: str) -> Iterator[Asked]:
    """The rows of `table` that concern such a visit."""
    return (row for row in table if row.concerns(channel, direction, form))
