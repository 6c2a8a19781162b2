"""What a record lacks, and whether it can be archived so: a pure rule (T/SDPEA §7.2.6).

What an ordinary visit lacks is asked: it is archived all the same, the gap in its record, to be filled or given its
reason later. What a directed or special visit lacks, and anything where the unit is strict, is demanded: it is there,
or a supervisor has said why not. What is still open (the visit itself, an appeal, an obligation) no reason replaces.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from visit_api.visits.lifecycle import Form, Unmet


class Reason(NamedTuple):
    """Why something is not there, and who said so."""

    reason: str
    given_by: str
    given_at: datetime


class Gap(NamedTuple):
    """Something a clause asks for that is not there. `open`: no reason takes its place; `named`: what it is about."""

    clause: str
    what: str
    demanded: bool
    open: bool = False
    reason: Reason | None = None
    named: Mapping[str, Any] = {}

    @property
    def hinders(self) -> bool:
        """Whether the visit cannot be archived so."""
        return self.open or (self.demanded and self.reason is None)

    def shown(self) -> dict[str, Any]:
        """As JSON, for the caller and for the archive."""
        return {
            "clause": self.clause,
            "what": self.what,
            "demanded": self.demanded,
            "open": self.open,
            "reason": self.reason and self.reason.reason,
            "given_by": self.reason and self.reason.given_by,
            "given_at": self.reason and self.reason.given_at.isoformat(),
            **self.named,
        }


def judged(
    unmet: Iterable[Unmet],
    form: Form,
    *,
    strict: bool,
    reasons: Mapping[Unmet, Reason],
    named: Mapping[str, Mapping[str, Any]],
) -> list[Gap]:
    """The gaps of a visit, each once, in the order in which they were found; `named`: what some of them are called."""
    demanded = strict or form is not Form.ORDINARY
    return [
        Gap(*each, demanded=demanded, reason=reasons.get(each), named=named.get(each.what, {}))
        for each in dict.fromkeys(unmet)
    ]
