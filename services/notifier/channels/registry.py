"""Every channel there is, by the name that routes use."""

from collections.abc import Mapping

from chassis.runtime import Runtime
from notifier.channels.accounts import Accounts
from notifier.channels.mailbox import Mailbox
from notifier.channels.outward import Outward, policy_of
from notifier.channels.port import Channel
from notifier.channels.providers import BY_ACCOUNT, MAILBOX


def channels(runtime: Runtime) -> Mapping[str, Channel]:
    """The channels of a process."""
    outward = Outward(policy_of(runtime))
    return {
        MAILBOX: Mailbox(runtime.db, runtime.clock),
        **{name: Accounts(runtime, name, outward) for name in BY_ACCOUNT},
    }
