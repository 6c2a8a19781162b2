"""`/v1/appeals/{id}/callbacks`."""

from typing import Any

from appeal_tracker.appeals.endpoints import Worker
from appeal_tracker.callbacks import service
from appeal_tracker.callbacks.recording import Said
from appeal_tracker.callbacks.schemas import CallbackView, RecordCallback
from chassis.web.auth import Caller
from chassis.web.paging import Listing, Page, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/appeals/{id}/callbacks", tags=["callbacks"])


@router.get("", response_model=Page[CallbackView])
async def list_callbacks(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: WholePaging) -> Listing[Any]:
    """The recorded callbacks, in the order of their true times."""
    return await service.of_appeal(tx, runtime, caller, id, window)


@router.post("", status_code=201, response_model=CallbackView)
async def record_callback(id: Id, body: RecordCallback, caller: Worker, tx: Tx, runtime: TheRuntime) -> Any:
    """Record a callback, also one that failed; one made by night is marked unless the customer agreed on the time."""
    said = body.model_dump()
    said["satisfaction"] = None if body.satisfaction is None else str(body.satisfaction)
    return await service.call_back(tx, runtime, caller, id, Said(**said))
