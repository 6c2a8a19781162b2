"""Appeals as other systems send them: hotlines, marketing systems. Sent again with the same content one is answered as
the first time, with other content refused: a number of theirs is one appeal, for good.

What they mean by their codes stands in their code table. A type that does not is taken as it came: the appeal is there,
without clocks, and raises an alarm, until somebody reclassifies it, and then its clocks run since the customer spoke.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import opening, repository, showing
from appeal_tracker.appeals.bodies import NewAppeal
from appeal_tracker.appeals.confidence import Shown
from appeal_tracker.appeals.errors import SourceNumberTaken
from appeal_tracker.appeals.faults import (
    ConfidentialNamesNobody,
    NotCategorised,
    ReasonNotSaid,
    SourceReserved,
    TypeNotSaid,
    UnknownRaisingUnit,
)
from appeal_tracker.appeals.models import VISIT
from appeal_tracker.appeals.moments import received
from appeal_tracker.appeals.opening import Received
from appeal_tracker.appeals.repository import Origin
from appeal_tracker.directory import service as directory
from appeal_tracker.sources import service as sources
from appeal_tracker.sources.codes import Meant
from appeal_tracker.words import service as words
from appeal_tracker.words.service import Said, Words
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealRaised

COMPLAINT, CONSULTATION = "complaint", "consultation"
_PEOPLE = {"visitor", "handler"}


async def post(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewAppeal) -> Any:
    """Opens an appeal that another system took, with its clocks, and seals its words; gives it with the codes that are
    in no table. Raises `SourceNumberTaken`, and what is wrong with its fields."""
    now = runtime.clock.now()
    received(new.received_at, now)
    unit = new.unit_code or caller.unit
    if unit is None or not await directory.may_see_unit(tx, unit, caller.unit):
        raise UnknownRaisingUnit
    meant = await _meant(tx, new)
    digest = (await runtime.vault.index(tx)).blind("appeals.content", content(unit, new))
    raised = AppealRaised(
        appeal_id=new_id(),
        appeal_no=await repository.next_number(tx),
        visit_id=None,
        customer_id=new.customer_id,
        unit_code=unit,
        appeal_type=meant.type,
        received_at=new.received_at,
        recorded_at=now,
        raised_by=caller.sub,
        confidential=new.confidential,
        anonymous=new.anonymous,
    )
    taken_by = new.taken_by or (caller.sub if caller.roles & _PEOPLE else None)
    origin = Origin(new.source, new.source_no, taken_by, meant.category, digest)
    if raised.appeal_id in await opening.open_all(runtime, tx, [Received(raised, origin=origin)]):
        said = Words(new.summary, new.reason_not_answered)
        await words.keep(tx, runtime, [Said(raised.appeal_id, unit, raised.hidden, said)])
        found = await repository.find(tx, raised.appeal_id, None)
    else:
        before = await repository.from_source(tx, new.source, new.source_no)
        same = before is not None and before.content_digest == digest
        found = await repository.find(tx, before.id, caller.unit) if before is not None and same else None
    if found is None:
        raise SourceNumberTaken(source=new.source, source_no=new.source_no)
    (shown,) = await showing.appeals(tx, caller, [found])
    return Shown(shown, unknown_codes=list(meant.unknown))


def content(unit: str, new: NewAppeal) -> str:
    """What an appeal is known by when it comes again: the same whatever optional fields a later version adds."""
    return f"{unit} {new.model_dump_json(exclude_defaults=True)}"


async def _meant(tx: AsyncSession, new: NewAppeal) -> Meant:
    """The type and category it has here. Raises what is wrong with what was said of them, and whence they come."""
    if new.source == VISIT:
        raise SourceReserved
    if (new.type is None) is (new.type_code is None):
        raise TypeNotSaid
    if new.confidential and new.customer_id is not None:
        raise ConfidentialNamesNobody
    coded = await sources.meant(tx, new.source, new.type_code, new.category_code)
    meant = coded if new.type is None else Meant(new.type, coded.category, coded.unknown)
    if new.category is not None and meant.type != COMPLAINT:
        raise NotCategorised(appeal_type=meant.type)
    if meant.type == CONSULTATION and new.reason_not_answered is None:
        raise ReasonNotSaid
    category = new.category or meant.category
    return Meant(meant.type, category if meant.type == COMPLAINT else None, meant.unknown)
