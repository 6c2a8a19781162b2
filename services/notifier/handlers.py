"""Everything the notifier hears."""

from chassis.messaging.handlers import Handler, Handlers
from chassis.runtime import Runtime
from contracts.appeals import (
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealHeld,
    AppealOpened,
    AppealReopened,
    AppealResumed,
)
from contracts.deadlines import (
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineCorrected,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineRecalculated,
    DeadlineWarned,
)
from contracts.directory import StaffChanged, StaffRemoved, UnitChanged, UnitRemoved
from contracts.policies import PolicyWithdrawn
from contracts.visits import VisitArchived, VisitCancelled
from notifier.deliveries import service as deliveries
from notifier.directory import service as directory
from notifier.subjects import service as subjects
from notifier.webhooks.hearing import beside


def handlers(runtime: Runtime) -> Handlers:
    """From event to effect. What must be told is told even while an earlier event of its appeal cannot be applied; and
    what makes that pointless is known by when it was said, whenever it is heard."""
    done, moved = Handler(subjects.acted, commutes=True), Handler(subjects.moved, commutes=True)
    its = Handlers(
        {
            UnitChanged: directory.units_changed,
            UnitRemoved: directory.units_removed,
            StaffChanged: directory.staff_changed,
            StaffRemoved: directory.staff_removed,
            AppealOpened: subjects.opened,
            AppealContacted: done,
            AppealAnswered: done,
            AppealCalledBack: done,
            AppealClosed: subjects.closed,
            AppealReopened: subjects.reopened,
            VisitCancelled: subjects.visits_ended,
            VisitArchived: subjects.visits_ended,
            DeadlineMet: done,
            DeadlineCorrected: done,
            AppealHeld: Handler(subjects.held, commutes=True),
            AppealResumed: Handler(deliveries.resumed, commutes=True),
            DeadlineRecalculated: moved,
            DeadlineCancelled: moved,
            PolicyWithdrawn: Handler(subjects.withdrawn, commutes=True),
            DeadlineWarned: Handler(deliveries.tell, commutes=True),
            DeadlineBreached: Handler(deliveries.tell, commutes=True),
            DeadlineEscalated: Handler(deliveries.tell, commutes=True),
        },
        versioned=["directory.changes"],
    )
    return beside(its)
