"""`/v1/policies` and `/v1/units/{code}/policy`: which rules there are, and which a unit goes by."""

from typing import Annotated

from fastapi import Depends

from appeal_tracker.policies import service
from appeal_tracker.policies.schemas import (
    AssignedPolicy,
    AssignPolicy,
    Policies,
    PolicySummary,
    PolicyVersions,
    PolicyView,
)
from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["policies"])
Admin = Annotated[Principal, Depends(require(ADMIN))]


@router.get("/policies")
async def list_policies(caller: Caller, tx: Tx) -> Policies:
    """Every pack, at its newest version."""
    return Policies(items=[PolicySummary.model_validate(versions[0]) for versions in await service.shelf(tx)])


@router.get("/policies/{policy}")
async def show_policy(policy: Code, caller: Caller, tx: Tx) -> PolicyVersions:
    """A pack with all its rules, every published version of it."""
    versions = (await service.shelf(tx)).versions(policy)
    return PolicyVersions(id=policy, versions=[*map(PolicyView.of, versions)])


@router.get("/units/{code}/policy", response_model=AssignedPolicy)
async def show_unit_policy(code: Code, caller: Caller, tx: Tx, runtime: TheRuntime) -> service.Assigned:
    """Which policy counts for a unit today, and why."""
    return await service.assigned(tx, caller, code, runtime.clock.now())


@router.put("/units/{code}/policy", response_model=AssignedPolicy)
async def assign_unit_policy(
    code: Code, body: AssignPolicy, caller: Admin, match: Match, tx: Tx, runtime: TheRuntime
) -> service.Assigned:
    """Has a unit, and those below it that picked none, go by a pack from a civil day on."""
    now = runtime.clock.now()
    unchanged = match.on(AssignedPolicy)
    return await service.assign(tx, caller, code, body.policy, body.effective_from, now, unchanged)
