"""`/v1/policies` and `/v1/units/{code}/policy`: which rules there are, and which a unit goes by."""

from typing import Annotated

from fastapi import Depends, Query, Response

from appeal_tracker.policies import assigning, publishing, service
from appeal_tracker.policies.schemas import (
    AssignedPolicy,
    AssignPolicy,
    PackDocument,
    PolicySummary,
    PolicyVersions,
    PolicyView,
    PublishedPolicy,
)
from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["policies"])
Admin = Annotated[Principal, Depends(require(ADMIN))]
DryRun = Annotated[bool, Query(description="say what would come of it, and store nothing")]


@router.get("/policies", response_model=Page[PolicySummary])
async def list_policies(caller: Caller, tx: Tx, paging: CommonPaging) -> Listing[service.Summary]:
    """Every pack, at its newest version. With `updated_since` those published or withdrawn from then on."""
    return await service.listed(tx, paging)


@router.post("/policies", status_code=201, responses={200: {"model": PublishedPolicy, "description": "Dry run"}})
async def publish_policy(
    body: PackDocument, caller: Admin, tx: Tx, runtime: TheRuntime, response: Response, dry_run: DryRun = False
) -> PublishedPolicy:
    """Publishes a version of a pack of one's own, for good: in the form of the packaged ones, as JSON. It extends
    another pack, and is refused where it is laxer than any it extends, on its own calendar or one that units picked for
    it. Without a `version` it is the next one."""
    now = runtime.clock.now()
    prepared = await publishing.prepare(tx, caller, body, now, lock=not dry_run)
    if dry_run:
        response.status_code = 200
    else:
        await publishing.publish(tx, prepared, caller.sub, now)
    return PublishedPolicy.of(prepared, caller.sub, now, published=not dry_run)


@router.get("/policies/{policy}")
async def show_policy(policy: Code, caller: Caller, tx: Tx, runtime: TheRuntime) -> PolicyVersions:
    """A pack with all its rules, every published version of it."""
    withdrawal, versions = await service.history(tx, policy, runtime.clock.now(), caller.unit)
    return PolicyVersions(id=policy, withdrawal=withdrawal, versions=[*map(PolicyView.of, versions)])


@router.get("/units/{code}/policy", response_model=AssignedPolicy)
async def show_unit_policy(code: Code, caller: Caller, tx: Tx, runtime: TheRuntime) -> assigning.Assigned:
    """Which policy counts for a unit today, and why."""
    return await assigning.assigned(tx, caller, code, runtime.clock.now())


@router.put("/units/{code}/policy", response_model=AssignedPolicy)
async def assign_unit_policy(
    code: Code, body: AssignPolicy, caller: Admin, match: Match, tx: Tx, runtime: TheRuntime
) -> assigning.Assigned:
    """Has a unit, and those below it that picked none, go by a pack from a civil day on, counted on a calendar; refused
    where the pack is laxer there than what it extends."""
    now = runtime.clock.now()
    unchanged = match.on(AssignedPolicy)
    return await assigning.assign(tx, caller, code, body.policy, body.calendar, body.effective_from, now, unchanged)
