"""What takes part in an act: locked appeals, each with the policy that it keeps and the clocks of its present round."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.appeals.models import SUBJECT, Appeal
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Subject
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import CallbackRule, Policy


class Case:
    """An appeal that takes part in an act: with the policy it keeps, and the clocks of its present round."""

    def __init__(self, appeal: Appeal, policy: Policy, its_clocks: Iterable[Clock]) -> None:
        self.appeal, self.policy = appeal, policy
        self.clocks = [clock for clock in its_clocks if clock.round == appeal.round]
        self._was = appeal.state
        self.stood = appeal.standing.progress
        self._stood = self._stands()

    @property
    def subject(self) -> Subject:
        """What its clocks run on."""
        appeal = self.appeal
        return Subject(SUBJECT, appeal.id, appeal.round, appeal.type, appeal.anonymous)

    @property
    def affects(self) -> UUID | None:
        """The visit it was raised on, where it was closed or reopened."""
        turned = (self._was == State.CLOSED) != (self.appeal.state == State.CLOSED)
        return self.appeal.raised_on if turned else None

    def _stands(self) -> tuple[object, ...]:
        return self.appeal.standing, self.appeal.type, self.appeal.round

    @property
    def moved(self) -> bool:
        """Whether it stands elsewhere than before, or is another one."""
        return self._stands() != self._stood

    @property
    def called_back(self) -> CallbackRule | None:
        """By which rule the customer counts as called back; None where they do not."""
        return self.policy.callback if self.appeal.standing.progress is State.CALLED_BACK else None

    def clock(self, milestone: str) -> Clock | None:
        """The clock of a milestone, if the policy gives one."""
        return next((clock for clock in self.clocks if clock.milestone == milestone), None)


async def cases(tx: AsyncSession, appeals: Sequence[Appeal]) -> list[Case]:
    """What an act needs to know of locked appeals; their clocks are locked too.

    Where one may come to speak for another, a pack is withdrawn before or after, so that either we see that it was, or
    whoever silences it sees what we merge.
    """
    if len(appeals) > 1:
        await policies.hold_packs(tx)
    shelf = await policies.shelf(tx, {appeal.unit_code for appeal in appeals})
    its = await clocks.of_subjects(tx, SUBJECT, [appeal.id for appeal in appeals], lock=True)
    on = {each.id: each.counted_on(its[each.id]) for each in appeals}
    kept = [shelf.kept(each.policy, each.unit_code, each.received_at, on[each.id]) for each in appeals]
    return [Case(each, policy, its[each.id]) for each, policy in zip(appeals, kept, strict=True)]
