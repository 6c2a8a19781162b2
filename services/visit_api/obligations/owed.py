"""What is owed after a customer's call, as data (T/SDPEA §6.2.2.3–4). Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["missed_call", "out_of_hours_call", "untaken_call"]
How = Literal["called_back", "handled", "texted", "waived"]


class Owed(NamedTuple):
    """By which clause something is owed, and how it is done."""

    clause: str
    how: How


OWED: Mapping[str, Owed] = {
    "missed_call": Owed("6.2.2.3", "called_back"),
    "out_of_hours_call": Owed("6.2.2.4", "handled"),
    "untaken_call": Owed("6.2.2.4", "texted"),
}
