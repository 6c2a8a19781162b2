"""What the tracker tells of an appeal, taken over into what is known of it here, however late and often it comes.

When a customer was contacted and answered, and which deadlines were kept, is known of the last round. What was done in
a round that was not heard of yet says that there is one: the appeal was reopened.
"""

from datetime import datetime
from uuid import UUID

from contracts.appeals import (
    AppealAct,
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealReclassified,
    AppealReopened,
)
from contracts.deadlines import DeadlineBreached, DeadlineCorrected, DeadlineEvent, DeadlineMet
from visit_api.appeals.models import Appeal

Told = AppealAct | DeadlineEvent

# What changes what is archived of an appeal; the rest leads up to its end, whose entry has it.
ENTERED = (AppealClosed, AppealReopened, AppealCalledBack, AppealReclassified)
FOLLOWED = (*ENTERED, AppealContacted, AppealAnswered, DeadlineMet, DeadlineBreached, DeadlineCorrected)

_RATINGS = frozenset("12345")
_GOT_THROUGH = frozenset({"reached", "refused"})  # the customer heard us, and talked or would not


def appeal_of(event: Told) -> UUID:
    """The appeal that is told of; of a deadline of a visit, the visit."""
    return event.subject_id if isinstance(event, DeadlineEvent) else event.appeal_id


def took_over(appeal: Appeal, event: Told) -> bool:
    """Whether what was told changed what is known of an appeal; what is replayed late says nothing new."""
    if isinstance(event, AppealCalledBack):
        return _heard_back(appeal, event)
    if event.round < appeal.round:
        return False
    begins = event.round > appeal.round
    appeal.round = event.round
    if isinstance(event, AppealReclassified):  # of that type from the beginning: its old deadlines were not its own
        appeal.reclassified_to = None if event.appeal_type == appeal.type else event.appeal_type
        appeal.deadlines = {}
        return True
    if begins:
        appeal.contacted_at = appeal.answered_at = appeal.closed_at = None
        appeal.deadlines = {}
    match event:
        case AppealContacted():
            return _contacted(appeal, event) or begins
        case AppealAnswered():  # which is also a contact
            before = appeal.contacted_at, appeal.answered_at
            appeal.contacted_at = _first(appeal.contacted_at, event.at)
            appeal.answered_at = _first(appeal.answered_at, event.at)
            return begins or before != (appeal.contacted_at, appeal.answered_at)
        case DeadlineEvent():
            return _deadline(appeal, event) or begins
        case AppealClosed():
            appeal.state, appeal.outcome, appeal.closed_at = "closed", event.outcome, event.at
        case _:
            appeal.state, appeal.outcome, appeal.closed_at = "open", None, None
    return True


def _contacted(appeal: Appeal, event: AppealContacted) -> bool:
    """An attempt is none, and whoever is not responsible contacts nobody (§7.2.3)."""
    before = appeal.contacted_at
    if event.counts and event.result in _GOT_THROUGH:
        appeal.contacted_at = _first(before, event.at)
    return appeal.contacted_at != before


def _deadline(appeal: Appeal, event: DeadlineEvent) -> bool:
    clock, kept = str(event.clock_id), not isinstance(event, DeadlineBreached)
    known = appeal.deadlines.get(clock)
    if known is not None and known["kept"] >= kept:  # a breach that was corrected is none, whichever is heard first
        return False
    its = {"milestone": event.milestone, "due_at": event.due_at.isoformat(), "kept": kept}
    appeal.deadlines = {**appeal.deadlines, clock: its}
    return True


def _first(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


def _heard_back(appeal: Appeal, event: AppealCalledBack) -> bool:
    last = appeal.called_back_at is None or event.at >= appeal.called_back_at
    # Who could not be reached again has not taken back what was said before.
    rates = event.satisfaction in _RATINGS and (appeal.rated_at is None or event.at >= appeal.rated_at)
    if last:
        appeal.callback_result, appeal.called_back_at = event.result, event.at
    if rates:
        appeal.satisfaction, appeal.rated_at = event.satisfaction, event.at
    return last or rates
