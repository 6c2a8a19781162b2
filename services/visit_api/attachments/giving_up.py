"""Files that were declared and do not come: given up by whoever declared them, with a reason that is kept, sealed."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import after_commit
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal
from visit_api.attachments import errors, repository
from visit_api.attachments.models import Attachment
from visit_api.attachments.schemas import GivenUpView
from visit_api.attachments.store import store_of
from visit_api.directory.units import top_unit
from visit_api.texts import service as texts
from visit_api.visits.lateness import came_late_to
from visit_api.visits.models import Visit

_MAY_GIVE_UP = frozenset({"supervisor", "admin"})  # besides whoever declared it


async def give_up(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    reason: str,
    *,
    at: datetime | None = None,
    visit_id: UUID | None = None,
) -> Attachment:
    """Ends an upload without its bytes: they were refused, or will not come. That, and why, stays. A device says when
    that was, and of which visit.

    Raises `NotFound`, `UploadOver`, `NotTheirs`.
    """
    held = await repository.find_upload(tx, caller, id, to_end=True)
    if held is None or visit_id not in (None, held.visit_id):
        raise NotFound
    await show(tx, runtime, [held])
    if held.state == "abandoned" and (held.given_up_by, held.reason) == (caller.sub, reason):
        return held
    if held.state == "stored" or held.reason_sealed is not None:  # of one that was left lying it is still said why
        raise errors.UploadOver(state=held.state)
    if held.declared_by != caller.sub and not caller.roles & _MAY_GIVE_UP:
        raise errors.NotTheirs
    now = runtime.clock.now()
    held.state, held.given_up_at, held.given_up_by = "abandoned", at or now, caller.sub
    owner = await top_unit(tx, held.unit_code)
    held.reason_sealed = await runtime.vault.seal(tx, owner, _why(id), reason)
    held.show_reason(reason)
    held.touch(now)
    await tx.flush()
    await came_late_to(tx, held.visit_id, "given_up", caller.sub, now)
    after_commit(tx, partial(store_of(runtime).discard, id))
    return held


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of those that were given up with a reason."""
    given_up = [each for each in await repository.of_visit(tx, visit.id, "abandoned") if each.reason_sealed]
    await show(tx, runtime, given_up)
    return [GivenUpView.model_validate(each).model_dump(mode="json") for each in given_up]


async def show(tx: AsyncSession, runtime: Runtime, attachments: Sequence[Attachment]) -> None:
    """Has each of `attachments` show its name, and why it was given up, if that was said."""
    await texts.show(tx, runtime, attachments)
    for each in attachments:
        if each.reason_sealed is not None:
            each.show_reason(await runtime.vault.open(tx, _why(each.id), each.reason_sealed))


def _why(id: UUID) -> Place:
    return Place(Attachment.__tablename__, "reason_sealed", id)
