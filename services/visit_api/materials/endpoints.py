"""Policy materials over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.materials import service
from visit_api.materials.models import Material
from visit_api.materials.schemas import MaterialView, NewMaterial, Withdrawal

router = Router(prefix="/v1/materials", tags=["materials"])

Editor = Annotated[Principal, Depends(require("supervisor", "integration"))]
Publisher = Annotated[Principal, Depends(require("supervisor"))]


@router.post("", status_code=201, response_model=MaterialView)
async def draft_material(new: NewMaterial, caller: Editor, tx: Tx, runtime: TheRuntime) -> Material:
    """Makes an edition of a policy material; nobody publicises it before it is published."""
    return await service.draft(tx, runtime, caller, new)


@router.get("/{id}", response_model=MaterialView)
async def get_material(id: Id, caller: Caller, tx: Tx) -> Material:
    """One edition, of the caller's unit or one below it, or published by one above it."""
    return await service.get_material(tx, caller, id)


@router.post("/{id}/publish", response_model=MaterialView)
async def publish_material(id: Id, caller: Publisher, tx: Tx, runtime: TheRuntime) -> Material:
    """Lets an edition be publicised by its unit and those below it; an earlier one gives way to it."""
    return await service.publish(tx, runtime, caller, id)


@router.post("/{id}/withdraw", response_model=MaterialView)
async def withdraw_material(id: Id, withdrawal: Withdrawal, caller: Publisher, tx: Tx, runtime: TheRuntime) -> Material:
    """Ends that an edition is publicised; what was publicised before stays on record."""
    return await service.withdraw(tx, runtime, caller, id, withdrawal.reason)
