"""`/v1/invariants`: what must always hold, and whether it does."""

from typing import Annotated

from fastapi import Depends

from appeal_tracker.audit import service
from appeal_tracker.audit.schemas import Invariants, LookNow
from chassis.web.auth import ADMIN, require
from chassis.web.route import Router
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/invariants", tags=["invariants"])
Admin = Annotated[Principal, Depends(require(ADMIN))]  # an auditor may read whatever an admin may


@router.get("")
async def list_invariants(caller: Admin, tx: Tx) -> Invariants:
    """What must always hold, and what was found that does not."""
    return Invariants.of(await service.report(tx, caller))


@router.post("")
async def look_now(body: LookNow, caller: Admin, tx: Tx, runtime: TheRuntime) -> Invariants:
    """Look now, and say how things stand: at all that is due, at what was found before, and at the next five thousand
    appeals and visits on the way through them all."""
    await service.look(tx, runtime, service.ON_DEMAND)
    return Invariants.of(await service.report(tx, caller))
