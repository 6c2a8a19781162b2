"""`/v1/appeals/{id}/<verb>`: what people do about an appeal; each is one transaction with its event."""

from typing import Annotated

from fastapi import Depends

from appeal_tracker.appeals import (
    correcting,
    ending,
    handing,
    holding,
    judging,
    merging,
    pressing,
    reclassifying,
    reopening,
    service,
)
from appeal_tracker.appeals.bodies import (
    Accept,
    Close,
    Correct,
    Dispatch,
    Hold,
    Judge,
    Merge,
    Reclassify,
    Reopen,
    Resume,
    Return,
    Supervise,
    Transfer,
    Unmerge,
    Urge,
    Void,
    Withdraw,
)
from appeal_tracker.appeals.endpoints import Worker
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.schemas import AppealView
from chassis.web.auth import require
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["appeals"])
Dispatcher = Annotated[Principal, Depends(require("handler", "supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@router.post("/appeals/{id}/accept", response_model=AppealView)
async def accept_appeal(id: Id, body: Accept, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Accept an appeal (受理), and say of a complaint what it is about; that moves no clock."""
    return await service.accept(tx, runtime, caller, id, **body.model_dump())


@router.post("/appeals/{id}/dispatch", response_model=AppealView)
async def dispatch_appeal(id: Id, body: Dispatch, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Hand an appeal to a handler, a unit, or both (派发); that moves no clock."""
    to = {"handler": body.handler, "unit": body.handling_unit_code}
    return await handing.dispatch(tx, runtime, caller, id, **to, note=body.note)


@router.post("/appeals/{id}/transfer", response_model=AppealView)
async def transfer_appeal(id: Id, body: Transfer, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Hand an appeal on to another handler, unit, or both, for a reason (转派); that moves no clock."""
    to = {"handler": body.handler, "unit": body.handling_unit_code}
    return await handing.transfer(tx, runtime, caller, id, **to, reason=body.reason)


@router.post("/appeals/{id}/return", response_model=AppealView)
async def return_appeal(id: Id, body: Return, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Give an appeal back to whoever handed it on, or else to the unit that raised it (退回); that moves no clock."""
    return await handing.give_back(tx, runtime, caller, id, reason=body.reason)


@router.post("/appeals/{id}/urge", response_model=AppealView)
async def urge_appeal(id: Id, body: Urge, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Have an appeal hurried (催办): whoever is at work on it is told."""
    return await pressing.urge(tx, runtime, caller, id, customer=body.by_customer, note=body.note)


@router.post("/appeals/{id}/supervise", response_model=AppealView)
async def supervise_appeal(id: Id, body: Supervise, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Watch over an appeal (督办): whoever is at work on it is told, and by when they are to report."""
    return await pressing.supervise(tx, runtime, caller, id, report_by=body.report_by, note=body.note)


@router.post("/appeals/{id}/hold", response_model=AppealView)
async def hold_appeal(id: Id, body: Hold, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Have what the policy lets wait stand still; an answer ends that as well as resuming does."""
    return await holding.hold(
        tx, runtime, caller, id, reason=body.reason, milestones=body.milestones, at=body.at, note=body.note
    )


@router.post("/appeals/{id}/resume", response_model=AppealView)
async def resume_appeal(id: Id, body: Resume, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Have what is held go on; each deadline moves by what was held of its own unit."""
    return await holding.resume(tx, runtime, caller, id, at=body.at, note=body.note)


@router.post("/appeals/{id}/merge", response_model=AppealView)
async def merge_appeal(id: Id, body: Merge, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Merge an appeal into another of the same customer (合并), which speaks for both; the earliest promise is kept."""
    return await merging.merge(tx, runtime, caller, id, into=body.into, note=body.note)


@router.post("/appeals/{id}/unmerge", response_model=AppealView)
async def unmerge_appeal(id: Id, body: Unmerge, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Take a merged appeal out again: it speaks for itself, by its own deadlines."""
    return await merging.unmerge(tx, runtime, caller, id, note=body.note)


@router.post("/appeals/{id}/finding", response_model=AppealView)
async def judge_appeal(id: Id, body: Judge, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Say whether the facts bear an answered complaint or report out (属实与否); until it is closed."""
    return await judging.judge(tx, runtime, caller, id, finding=body.finding, note=body.note)


@router.post("/appeals/{id}/reclassify", response_model=AppealView)
async def reclassify_appeal(id: Id, body: Reclassify, caller: Dispatcher, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Make it an appeal of another type, by whose deadlines it goes since the customer spoke; what was done counts."""
    return await reclassifying.reclassify(tx, runtime, caller, id, type=body.type, reason=body.reason)


@router.post("/appeals/{id}/correct", response_model=AppealView)
async def correct_appeal(id: Id, body: Correct, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Put right what was recorded wrongly; the timeline keeps what it was."""
    facts = body.model_dump(exclude={"reason"}, exclude_none=True)
    return await correcting.correct(tx, runtime, caller, id, facts, reason=body.reason)


@router.post("/appeals/{id}/close", response_model=AppealView)
async def close_appeal(id: Id, body: Close, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """End an appeal that was answered, and called back where its policy requires that; and those merged into it."""
    return await ending.close(tx, runtime, caller, id, note=body.note)


@router.post("/appeals/{id}/withdraw", response_model=AppealView)
async def withdraw_appeal(id: Id, body: Withdraw, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """End an appeal that the customer took back, and those merged into it."""
    return await ending.withdraw(tx, runtime, caller, id, **body.model_dump())


@router.post("/appeals/{id}/void", response_model=AppealView)
async def void_appeal(id: Id, body: Void, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Appeal:
    """End an appeal that was recorded by mistake; its record stays."""
    return await ending.void(tx, runtime, caller, id, reason=body.reason)


@router.post("/appeals/{id}/reopen", response_model=AppealView)
async def reopen_appeal(id: Id, body: Reopen, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Begin a new round of a closed appeal; what runs again, and how long, its policy says."""
    return await reopening.reopen(tx, runtime, caller, id, reason=body.reason)
