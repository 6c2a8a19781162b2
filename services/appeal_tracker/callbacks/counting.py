"""Which of the recorded callbacks count: those about an answer that had been given by then (000 §7.2.5.1). Others are
kept as they were told. Pure.

What is recorded of late may have been: so that is asked anew each time, of the answers that are known by now.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol


class Recorded(Protocol):
    """What is asked about an answer, or a callback."""

    @property
    def round(self) -> int: ...
    @property
    def at(self) -> datetime: ...


def counting(answers: Sequence[Recorded], counts_from: int) -> Callable[[Recorded], bool]:
    """Tells of each callback whether it counts: in the present round, whose acts are those of `counts_from` on, or in
    an earlier one, about its own answers, or else about those before it, for it was of another type."""

    def counts(call: Recorded) -> bool:
        own = [each.at for each in answers if each.round == call.round]
        if call.round >= counts_from:
            own = [each.at for each in answers if each.round >= counts_from]
        return call.at >= min(own or [each.at for each in answers if each.round < call.round], default=call.at)

    return counts
