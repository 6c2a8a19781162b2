"""Checklists over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.checklists import service
from visit_api.checklists.schemas import ChecklistView, NewAnswers

router = Router(prefix="/v1/visits", tags=["checklists"])

Visiting = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]


@router.get("/{id}/checklist", response_model=ChecklistView)
async def get_checklist(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> ChecklistView:
    """What is asked after a visit by its channel, of conduct and of confidence, and what is answered so far."""
    return await service.get_checklist(tx, runtime, caller, id)


@router.post("/{id}/checklist", response_model=ChecklistView)
async def answer_checklist(id: Id, new: NewAnswers, caller: Visiting, tx: Tx, runtime: TheRuntime) -> ChecklistView:
    """Answers the items that are named and leaves the others; the same answer again changes nothing, another one
    follows the first, which is kept."""
    return await service.answer(tx, runtime, caller, id, new)
