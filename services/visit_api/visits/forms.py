"""In which form, and by which channel, a visit is made after all: what a plan wants is not replaced unsaid, and neither
what a directed or special visit is prepared with (T/SDPEA §7.2.1) nor the place of an appointment on site (§6.1.3.1) is
got round."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.tokens import Principal
from visit_api.codes import Form
from visit_api.plans.service import require_as_wanted
from visit_api.visits.errors import WHY_ANOTHER_FORM, FormIsDecided, no_place
from visit_api.visits.models import Visit
from visit_api.visits.schemas import VisitChange

_DECIDING = frozenset({"supervisor", "admin"})


async def decide(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit: Visit, change: VisitChange, *, late: bool
) -> None:
    """Looks whether a held visit may be made as `change` says; that it is directed or special no more a supervisor
    decides, with a line in the trail. What comes `late` was made so, whatever the plan wants, and
    whatever was agreed. Raises `FormIsDecided`, `Unprocessable`."""
    channel, form = change.get("channel", visit.channel), change.get("form", visit.form)
    if not late and change.get("channel") == "on_site" and visit.window_from is not None and visit.window_without_place:
        raise Unprocessable(no_place("/channel"), clause="6.1.3.1")
    if not late and visit.plan_item_id is not None and (channel, form) != (visit.channel, visit.form):
        await require_as_wanted(tx, visit.plan_item_id, channel, form)
    if form == visit.form or visit.form == Form.ORDINARY:
        return
    if not caller.roles & _DECIDING:
        raise FormIsDecided(form=visit.form, clause="7.2.1")
    if "reason" not in change:
        raise Unprocessable(WHY_ANOTHER_FORM)
    act, unit, reason = "visit.form_changed", visit.unit_code, change["reason"]
    await trail.note(tx, runtime, caller, act=act, thing="visit", thing_id=visit.id, unit_code=unit, reason=reason)
