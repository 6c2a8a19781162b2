"""Of which events people can be told: all that says something of an appeal or a visit, with the unit it belongs to."""

import contracts.appeals
import contracts.deadlines
import contracts.visits  # noqa: F401 - declares what is read from the registry below
from contracts.appeals import AppealAct, AppealOpened, AppealRaised
from contracts.deadlines import DeadlineEvent, LadderEvent
from contracts.envelope import Event, registered
from contracts.visits import VisitAppointed, VisitMoment, VisitPlan

_SAYING = (AppealAct, AppealOpened, AppealRaised, DeadlineEvent, VisitPlan, VisitAppointed, VisitMoment)


def stem(event: type[Event]) -> str:
    """The type without its version, as routes and templates name it."""
    return event.type.rpartition(".v")[0]


# What a ladder says names its audience itself; of everything else a route names whom to tell.
LADDER = {stem(event): event for event in registered() if issubclass(event, LadderEvent)}
ACTS = {stem(event): event for event in registered() if issubclass(event, _SAYING) and stem(event) not in LADDER}
TELLABLE = tuple(sorted({*LADDER, *ACTS}))
# After these the subject has come to its end, and that is what they tell.
ENDS = frozenset({"appeal.closed", "visit.cancelled", "visit.archived"})
# What these say is no longer so once the visit is planned for another time, appointed anew, the appeal answered, or
# the customer called back.
PLANS = frozenset({"visit.planned", "visit.replanned"})
APPOINTMENTS = frozenset({"visit.appointed"})
UNTIL_ANSWERED = frozenset({"appeal.urged", "appeal.reopened"})
CALLBACKS = frozenset({"appeal.callback_asked", "appeal.callback_scheduled"})
