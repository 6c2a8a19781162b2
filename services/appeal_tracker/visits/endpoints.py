"""`/v1/visits/{id}/deadlines`: the clocks on a visit; visits themselves are visit_api's."""

from appeal_tracker.clocks.schemas import DeadlineView
from appeal_tracker.visits import service
from chassis.web.auth import Caller
from chassis.web.paging import Page, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.work import Tx

router = Router(prefix="/v1/visits", tags=["deadlines"])


@router.get("/{id}/deadlines")
async def show_visit_deadlines(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Page[DeadlineView]:
    """The clocks on a visit, the limits they were set by, and their ladders; none where its unit's policy sets none."""
    its = await service.deadlines(tx, caller, id, window)
    return Page(items=[*map(DeadlineView.of, its.items)], next=its.next)
