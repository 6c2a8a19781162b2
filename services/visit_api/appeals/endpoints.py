"""Appeals over HTTP: raised on a visit, and their words for the services that handle them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import HotStatements, TheRuntime, Tx
from visit_api.appeals import service
from visit_api.appeals.models import Appeal
from visit_api.appeals.schemas import AppealView, AppealWords, NewAppeal

router = Router(tags=["appeals"])

Hearer = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor", "integration"))]
Service = Annotated[Principal, Depends(require("service"))]


@router.post("/v1/visits/{id}/appeals", status_code=201, response_model=AppealView)
async def raise_appeal(
    id: Id, new: NewAppeal, caller: Hearer, statements: HotStatements, runtime: TheRuntime
) -> Mapping[str, Any]:
    """Records what a customer raised; deadlines run from `received_at`."""
    return await service.raise_appeal(statements, runtime, caller, id, new)


@router.get("/v1/visits/{id}/appeals", response_model=Page[AppealView])
async def list_raised(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: Paging) -> Listing[Appeal]:
    """What was raised on a visit."""
    return await service.list_raised(tx, runtime, caller, id, window)


@router.get("/v1/appeals/{id}", response_model=AppealWords)
async def get_words(id: Id, caller: Service, tx: Tx, runtime: TheRuntime) -> Appeal:
    """The words of an appeal, for a service; they never travel on a topic."""
    return await service.get_words(tx, runtime, caller, id)
