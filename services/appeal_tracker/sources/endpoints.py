"""`/v1/code-tables`: what systems that send appeals mean by their codes, for whoever may read at all."""

from typing import Annotated

from fastapi import Depends

from appeal_tracker.sources import service
from appeal_tracker.sources.models import CodeTable
from appeal_tracker.sources.schemas import CodeTableView, Source, WriteCodeTable
from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/code-tables", tags=["code tables"])
Admin = Annotated[Principal, Depends(require(ADMIN))]


@router.get("", response_model=Page[CodeTableView])
async def list_code_tables(caller: Caller, tx: Tx, paging: CommonPaging) -> Listing[CodeTable]:
    """The code table of each source system, as it counts now."""
    return await service.listing(tx, paging)


@router.get("/{source}", response_model=CodeTableView)
async def show_code_table(source: Source, caller: Caller, tx: Tx) -> CodeTable:
    """The code table of a source system, as it counts now."""
    return await service.show(tx, source)


@router.put("/{source}", response_model=CodeTableView)
async def write_code_table(
    source: Source, body: WriteCodeTable, caller: Admin, match: Match, tx: Tx, runtime: TheRuntime
) -> CodeTable:
    """Has a source system's codes mean what is said from now on: all of them, in the place of those before."""
    unchanged = match.on(CodeTableView)
    return await service.write(tx, runtime, caller, source, body.model_dump(), unchanged)
