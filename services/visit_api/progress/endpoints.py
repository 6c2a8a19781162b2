"""The progress of plans over HTTP."""

from chassis.web.auth import Caller
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.work import TheRuntime, Tx
from visit_api.progress import service
from visit_api.progress.schemas import ProgressView

router = Router(tags=["plans"])


@router.get("/v1/plans/{id}/progress")
async def get_progress(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> ProgressView:
    """How much of a plan was made, missed, and is open, by kind of customer and by channel."""
    return await service.get_progress(tx, runtime, caller, id)
