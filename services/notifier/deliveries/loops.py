"""The loops of the sending process."""

from typing import cast

from chassis.peer import Peer
from chassis.runtime import Runtime
from chassis.worker import Worker
from notifier.channels.registry import channels
from notifier.deliveries.linking import Links
from notifier.deliveries.pacing import Pace
from notifier.deliveries.planner import Planner
from notifier.deliveries.sender import Sender
from notifier.deliveries.sweeper import Sweeper
from notifier.directory.contacts import Contacts
from notifier.settings import Settings

SELDOM = 1.0  # seconds


def loops(runtime: Runtime) -> list[Worker]:
    """The planner, a sender for each channel, and the sweeper."""
    settings = cast(Settings, runtime.settings)
    its = channels(runtime)
    contacts = Contacts(Peer(settings.visit_api_url, settings.service_token_file))
    links = Links(Peer(settings.appeal_tracker_url, settings.service_token_file))
    senders = [
        Sender(runtime, name, channel, settings.language, contacts, links, Pace(settings.singles))
        for name, channel in its.items()
    ]
    for sender in senders[1:]:
        sender.config.idle = SELDOM  # the planner wakes them when there is something
    return [Planner(runtime, senders), *senders, Sweeper(runtime)]
