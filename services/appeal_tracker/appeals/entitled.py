"""Who may call a customer back (谁受理、谁回访, 002 §6.4.5.4)."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.insiders import may_conclude
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.responsible import supervises
from appeal_tracker.directory import service as directory
from appeal_tracker.policies.policy import CallbackRule
from chassis.web.tokens import Principal


def may_call_back(
    caller: Principal, appeal: Appeal, taken_in: str, rule: CallbackRule, handled_by: Collection[str | None]
) -> bool:
    """Whether the rule lets `caller` call back; `taken_in` is the unit that took the appeal, as it is called by now,
    `handled_by` are those who handled or answered it.

    The acceptor is the first-contact person or somebody of the unit that took the appeal, and nobody calls about their
    own work where the rule names anybody: where that leaves no one, a supervisor calls.
    """
    if rule.by == "anyone" or supervises(caller):
        return True
    if caller.sub in handled_by:
        return False
    return rule.by == "not_the_handler" or caller.sub == appeal.first_contact or caller.unit == taken_in


async def may_call(tx: AsyncSession, who: Principal, case: Case) -> bool:
    """Whether `who` may call back about an appeal: by the rule of its policy, and not about their own unit."""
    taken_in = await directory.successor(tx, case.appeal.unit_code)
    entitled = may_call_back(who, case.appeal, taken_in, case.policy.callback, await handled_by(tx, case.appeal))
    return entitled and await may_conclude(tx, who, case.appeal)


async def handled_by(tx: AsyncSession, appeal: Appeal) -> set[str | None]:
    """Those who handled or answered it."""
    return {appeal.handler, *(answer.by for answer in await repository.answers(tx, appeal.id))}
