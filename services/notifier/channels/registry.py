"""Every channel there is, by the name that routes use."""

from collections.abc import Mapping

from chassis.runtime import Runtime
from notifier.channels.mailbox import Mailbox
from notifier.channels.port import Channel


def channels(runtime: Runtime) -> Mapping[str, Channel]:
    """The channels of a process."""
    return {"mailbox": Mailbox(runtime.db, runtime.clock)}
