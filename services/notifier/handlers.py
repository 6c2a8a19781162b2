"""Everything the notifier hears."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.handlers import Apply, Handler, Handlers
from chassis.runtime import Runtime
from contracts.absences import AbsenceChanged
from contracts.appeals import (
    AppealAnswered,
    AppealCalledBack,
    AppealClosed,
    AppealContacted,
    AppealFollowedUp,
    AppealHeld,
    AppealOpened,
    AppealReclassified,
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
from contracts.envelope import Event, Message
from contracts.policies import PolicyWithdrawn
from contracts.visits import VisitArchived, VisitCancelled
from notifier.deliveries import service as deliveries
from notifier.directory import service as directory
from notifier.routes.events import ACTS
from notifier.subjects import parties
from notifier.subjects import service as subjects
from notifier.webhooks.hearing import beside


def handlers(runtime: Runtime) -> Handlers:
    """From event to effect. What must be told is told even while an earlier event of its appeal cannot be applied; and
    what makes that pointless is known by when it was said, whenever it is heard."""
    done, moved = Handler(subjects.acted, commutes=True), Handler(subjects.moved, commutes=True)
    table: dict[type[Event], Handler | Apply] = {
        UnitChanged: directory.units_changed,
        UnitRemoved: directory.units_removed,
        StaffChanged: directory.staff_changed,
        StaffRemoved: directory.staff_removed,
        AbsenceChanged: Handler(directory.absences_changed, commutes=True),
        AppealOpened: subjects.opened,
        AppealReclassified: subjects.reclassified,
        AppealContacted: done,
        AppealAnswered: done,
        AppealCalledBack: done,
        AppealFollowedUp: done,
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
    }
    return beside(Handlers(_heard_by_all(table), versioned=["directory.changes"]))


def _heard_by_all(table: dict[type[Event], Handler | Apply]) -> dict[type[Event], Handler | Apply]:
    """`table` where of every act is also learnt whose its subject is by now, and who is to be told; as one effect for
    all acts that nothing else hears."""

    @cache
    def with_others(apply: Apply | None) -> Apply:
        async def heard(tx: AsyncSession, messages: Sequence[Message]) -> None:
            if apply is not None:
                await apply(tx, messages)
            await parties.heard(tx, messages)
            await deliveries.tell_of_acts(tx, messages)

        return heard

    for event in ACTS.values():
        its = table.get(event)
        if isinstance(its, Handler):
            table[event] = Handler(with_others(its.apply), commutes=its.commutes)
        else:
            table[event] = Handler(with_others(its), commutes=its is None)
    return table
