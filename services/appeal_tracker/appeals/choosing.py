"""By which policy an appeal begins a new round: the one that it keeps, unless that was assumed and its unit turned out
to go by another, or its pack was withdrawn: nothing begins by that any more, and nobody would hear of it.
"""

from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.clocks.planning import no_clock_reason
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies


async def choose_anew(deed: Deed) -> bool:
    """Has the appeal run by what counts for its unit, where its line upward may have been heard of while it was closed,
    or its pack was withdrawn; whether that is another policy than it kept. Where the line is still not known, whoever
    hears of it finds the appeal open."""
    case, appeal = deed.case, deed.appeal
    if not appeal.policy_assumed and case.policy.id not in (await policies.shelf(deed.tx)).withdrawn:
        return False
    await directory.hold_tree(deed.tx)
    shelf = await policies.shelf(deed.tx, [appeal.unit_code])
    case.policy = shelf.chosen(appeal.unit_code, appeal.received_at, anew=True).policy
    turned = case.policy.label != appeal.policy
    appeal.policy, appeal.calendar = case.policy.label, case.policy.calendar
    appeal.policy_assumed = shelf.assumes(appeal.unit_code, appeal.received_at, anew=True)
    appeal.no_clock_reason = no_clock_reason(appeal.type, case.policy)
    return turned
