"""Which materials there are, and which suit a customer."""

from typing import Annotated

from fastapi import Query

from chassis.web.auth import Caller
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.work import TheRuntime, Tx
from visit_api.materials.models import Material
from visit_api.materials.schemas import MaterialView, Topic
from visit_api.proposals import service

router = Router(prefix="/v1/materials", tags=["materials"])


@router.get("", response_model=Page[MaterialView])
async def list_materials(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    topic: Annotated[Topic | None, Query()] = None,
    published: Annotated[bool | None, Query()] = None,
    for_customer: Annotated[
        Id | None, Query(description="those in force that suit this customer, also from units above")
    ] = None,
) -> Listing[Material]:
    """The materials of the caller's unit and of those below it, every edition; or what suits a customer."""
    return await service.list_materials(
        tx,
        runtime,
        caller,
        window,
        unit_code=unit_code,
        topic=topic,
        published=published,
        for_customer=for_customer,
    )
