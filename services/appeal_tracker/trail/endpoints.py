"""`/v1/trail`: who read what, for those who audit."""

from typing import Annotated

from fastapi import Depends, Query

from appeal_tracker.trail import repository
from appeal_tracker.trail.models import Line
from appeal_tracker.trail.schemas import TrailLineView
from chassis.web.auth import require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Text
from chassis.web.tokens import Principal
from chassis.web.work import Tx

router = Router(prefix="/v1", tags=["trail"])

Auditor = Annotated[Principal, Depends(require("auditor"))]
Name = Annotated[str, Text(255)]


@router.get("/trail", response_model=Page[TrailLineView])
async def list_trail(
    caller: Auditor,
    tx: Tx,
    window: Paging,
    thing: Annotated[Name | None, Query(description="a kind of thing: `appeal`")] = None,
    thing_id: Annotated[Name | None, Query()] = None,
    by: Annotated[Name | None, Query(description="a staff number, or a service")] = None,
) -> Listing[Line]:
    """Who read what was said about hidden appeals of your unit and those below it, oldest first."""
    return await repository.find_all(tx, caller.unit, window, thing=thing, thing_id=thing_id, by=by)
