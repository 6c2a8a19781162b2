"""What units decided, over HTTP; each subject is read and written where it belongs."""

from chassis.web.auth import Caller
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.work import Tx
from visit_api.rulebooks import service
from visit_api.rulebooks.models import Edition
from visit_api.rulebooks.schemas import EditionView

router = Router(tags=["rulebooks"])


@router.get("/v1/units/{code}/rulebooks", response_model=Page[EditionView])
async def list_editions(code: Code, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[Edition]:
    """All that a unit decided for itself and those below it, edition by edition."""
    return await service.list_editions(tx, caller, code, window)
