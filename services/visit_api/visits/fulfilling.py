"""Which visits are those that a plan wants: made of its item, by its channel and in its form."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from visit_api.codes import Form
from visit_api.plans.models import Item
from visit_api.visits.models import Visit


def fulfils(item: Any = Item) -> ColumnElement[bool]:
    """The condition that a visit was made as its `item` wants it. One that a device brought may have been made
    otherwise, or one that an earlier version stored: what the plan wants is then still to be made."""
    as_wanted = or_(item.form == Form.ORDINARY, Visit.form == item.form)
    there = Visit.state.in_(("completed", "archived"))
    return and_(Visit.plan_item_id == item.id, there, Visit.channel == item.channel, as_wanted)
