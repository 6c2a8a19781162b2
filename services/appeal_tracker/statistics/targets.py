"""What the standards want reached, beside what was reached: shares of the appeals received in a period.

- `callback_rate` (003 art. 13(5)): of the appeals that were answered, those whose customer was called back since; who
  declined, or is anonymous, is not counted.
- `satisfaction` and `complaint_satisfaction` (004 §6.2): of the appeals, or complaints, that were rated since they were
  answered, those rated 4 or 5. The last rating of an appeal counts; `not_rated` is none.
- `nps` (004 §6.2, which wants it measured and names no figure): the share of those who rated 5 (promoters) less the
  share of those who rated 3 or lower (detractors), in hundredths from -100 to 100; 4 is neither. The customer is asked
  about satisfaction from 1 to 5 and not about recommending from 0 to 10: figures compare with one another, not with
  those of a survey that asks the other question.

An appeal that was void is none; of those merged the one that speaks for them is counted. Pure.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from appeal_tracker.policies.loader import packaged_policies

SHARES = ("callback_rate", "satisfaction", "complaint_satisfaction")
NPS, NPS_PACK, NPS_CLAUSE = "nps", "marketing-guide-2025", "6.2"
_COUNTED = {
    "callback_rate": ("called_back", "to_call_back"),
    "satisfaction": ("satisfied", "rated"),
    "complaint_satisfaction": ("complaints_satisfied", "complaints_rated"),
}


class Reached(msgspec.Struct, frozen=True):
    """One target: `reached` of `counted` appeals, as a share (for `nps` the balance in hundredths), what the clause of
    the standard wants at least, and whether that was met; None where nothing was counted or no figure is wanted."""

    name: str
    standard: str
    clause: str
    at_least: float | None
    counted: int
    reached: int
    value: float | None
    met: bool | None


def reached(counts: Mapping[str, Any]) -> list[Reached]:
    """What was reached of each target."""
    wanted = {
        target.name: (pack, target) for pack, its in packaged_policies().items() for target in its.targets.values()
    }
    found = []
    for name in SHARES:
        pack, target = wanted[name]
        part, whole = (int(counts[field] or 0) for field in _COUNTED[name])
        value = round(part / whole, 4) if whole else None
        met = part / whole >= target.at_least if whole else None
        found.append(Reached(name, pack, target.clause, target.at_least, whole, part, value, met))
    rated, balance = int(counts["rated"] or 0), int(counts["promoters"] or 0) - int(counts["detractors"] or 0)
    nps = round(100 * balance / rated, 1) if rated else None
    found.append(Reached(NPS, NPS_PACK, NPS_CLAUSE, None, rated, int(counts["promoters"] or 0), nps, None))
    return found
