"""`python -m visit_api` runs the whole service; with a word, one part of it."""

from chassis.process import Service, main
from contracts.topics import TOPICS
from visit_api.app import create_app
from visit_api.attachments.worker import Sweeper
from visit_api.handlers import handlers
from visit_api.settings import Settings

WRITES = [topic for topic in TOPICS.values() if topic.writer == "visit_api"]
HEARS = [topic.name for topic in TOPICS.values() if "visit_api" in topic.hearers]

SERVICE = Service(
    name="visit_api",
    settings=Settings,
    writes=WRITES,
    app=create_app,
    handlers=handlers,
    processes={
        "api": lambda runtime: [],
        "relay": lambda runtime: [*runtime.relay(WRITES, HEARS), Sweeper(runtime)],
        "consume": lambda runtime: runtime.consume(handlers(runtime)),
    },
)

if __name__ == "__main__":
    main(SERVICE)
