"""Importance over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.importance import service
from visit_api.importance.models import Determination
from visit_api.importance.schemas import DeterminationView, DocumentView, NewDocument

router = Router(tags=["importance"])

Bringer = Annotated[Principal, Depends(require("supervisor", "integration"))]


@router.post("/v1/importance-documents", status_code=201, response_model=DocumentView)
async def bring_importance(new: NewDocument, caller: Bringer, tx: Tx, runtime: TheRuntime) -> DocumentView:
    """Imports whom a local government determined to be important, from its document: all of it or nothing."""
    return await service.bring(tx, runtime, caller, new)


@router.get("/v1/importance-documents/{id}", response_model=DocumentView)
async def get_importance_document(id: Id, caller: Caller, tx: Tx) -> DocumentView:
    """A document as it was imported, with what it says of customers that the caller sees."""
    return await service.get_document(tx, caller, id)


@router.get("/v1/customers/{id}/importance", response_model=Page[DeterminationView])
async def list_importance(id: Id, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[Determination]:
    """What was ever determined of a customer, oldest first; the one determined last holds."""
    return await service.history(tx, caller, id, window)
