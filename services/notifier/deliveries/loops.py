"""The loops of the sending process."""

from typing import cast

from chassis.peer import Peer
from chassis.runtime import Runtime
from chassis.worker import Worker
from contracts.deadlines import DeadlineBreached, DeadlineEscalated, DeadlineWarned
from notifier.channels.registry import channels
from notifier.deliveries.merging import PLAIN
from notifier.deliveries.planner import Planner
from notifier.deliveries.sender import Sender
from notifier.directory.contacts import Contacts
from notifier.settings import Settings
from notifier.templates import catalogue

SELDOM = 1.0  # seconds
TOLD = tuple(event.type.rpartition(".v")[0] for event in (DeadlineWarned, DeadlineBreached, DeadlineEscalated))


def loops(runtime: Runtime) -> list[Worker]:
    """The planner, and a sender for each channel; refuses to begin while a message would have no text."""
    settings = cast(Settings, runtime.settings)
    its = channels(runtime)
    catalogue.check(TOLD, [PLAIN])
    language = catalogue.language(settings.language)
    contacts = Contacts(Peer(settings.visit_api_url, settings.service_token_file))
    senders = [Sender(runtime, name, channel, language, contacts) for name, channel in its.items()]
    for sender in senders[1:]:
        sender.idle = SELDOM  # the planner wakes them when there is something
    return [Planner(runtime, senders), *senders]
