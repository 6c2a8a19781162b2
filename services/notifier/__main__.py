"""`python -m notifier` runs the whole service; with a word, one part of it."""

from chassis.process import Service, main
from chassis.vault import Sealed
from contracts.topics import TOPICS
from notifier.app import create_app
from notifier.deliveries.loops import loops
from notifier.handlers import handlers
from notifier.settings import Settings
from notifier.webhooks.dispatcher import Dispatcher

WRITES = [topic for topic in TOPICS.values() if topic.writer == "notifier"]
HEARS = [topic.name for topic in TOPICS.values() if "notifier" in topic.hearers]

SERVICE = Service(
    name="notifier",
    settings=Settings,
    writes=WRITES,
    app=create_app,
    handlers=handlers,
    sealed=[
        Sealed("accounts", "secrets"),
        Sealed("accounts", "callback_secret"),
        Sealed("webhook_endpoints", "secret"),
        Sealed("webhook_endpoints", "old_secret"),
    ],
    processes={
        "api": lambda runtime: [],
        "relay": lambda runtime: runtime.relay(WRITES, HEARS),
        "consume": lambda runtime: runtime.consume(handlers(runtime)),
        "send": lambda runtime: [*loops(runtime), Dispatcher(runtime)],
    },
)

if __name__ == "__main__":
    main(SERVICE)
