"""Everything this service hears, in one table.

Removals of units and staff are not heard: a unit that is gone keeps its place in the tree for the appeals it raised.
"""

from functools import partial

from appeal_tracker.appeals import opening
from appeal_tracker.appeals.repository import on_visits
from appeal_tracker.directory import service as directory
from appeal_tracker.leaving import service as leaving
from appeal_tracker.recalculations import service as recalculations
from appeal_tracker.visits import service as visits
from appeal_tracker.visits.hearing import HEARD
from chassis.messaging.handlers import Handler, Handlers
from chassis.runtime import Runtime
from contracts.appeals import AppealRaised
from contracts.directory import StaffChanged, StaffHandedOver, UnitChanged


def handlers(runtime: Runtime) -> Handlers:
    """The table: what takes effect how. An appeal is opened whatever became of earlier events about its visit; what is
    told of visits is taken in together, whatever it is."""
    followed = partial(visits.heard, runtime, on_visits)
    return Handlers(
        {
            **dict.fromkeys(HEARD, followed),
            AppealRaised: Handler(partial(opening.appeals_raised, runtime), commutes=True),
            UnitChanged: partial(recalculations.units_changed, runtime),
            StaffChanged: directory.staff_changed,
            StaffHandedOver: leaving.staff_handed_over,
        },
        versioned=["directory.changes"],
    )
