"""The codes of the standard over HTTP."""

from chassis.web.auth import Caller
from chassis.web.route import Router
from visit_api.standard.schemas import StandardView

router = Router(prefix="/v1/standard", tags=["standard"])


@router.get("", response_model=StandardView)
async def get_standard(caller: Caller) -> StandardView:
    """What steps, materials and checklists are told apart by, in both languages; it changes with the service alone."""
    return StandardView.shipped()
