"""Profiles over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.profiles import service
from visit_api.profiles.schemas import NewProfile, ProfileView

router = Router(prefix="/v1/customers", tags=["profiles"])

Keeper = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]


@router.get("/{id}/profile", response_model=ProfileView)
async def get_profile(id: Id, caller: Caller, tx: Tx) -> ProfileView:
    """A customer's industry and traits of use, by which policies are proposed."""
    return await service.get_profile(tx, caller, id)


@router.put("/{id}/profile", response_model=ProfileView)
async def note_profile(
    id: Id, new: NewProfile, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime
) -> ProfileView:
    """Notes a customer's industry and traits of use."""
    return await service.note_profile(tx, runtime, caller, id, new, match.on(ProfileView))
