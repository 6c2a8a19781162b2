"""`python -m visit_api` runs the whole service; with a word, one part of it."""

from functools import partial
from typing import Any

from chassis.chain.sealer import Sealer
from chassis.process import Service, main
from chassis.runtime import Runtime, RuntimeSettings
from chassis.worker import Worker
from contracts.topics import TOPICS
from visit_api.app import create_app
from visit_api.appeals.worker import WordsSealer
from visit_api.appointments.models import Appointment
from visit_api.archive.worker import Supplementing
from visit_api.attachments.models import Attachment
from visit_api.attachments.worker import Sweeper
from visit_api.chained import CHAINED
from visit_api.checklists.models import ItemAnswer
from visit_api.customers.worker import Forgetter, PersonSealer, PlainSealer
from visit_api.directory.worker import StaffSealer
from visit_api.handlers import handlers
from visit_api.imports.worker import Importing
from visit_api.leaving.models import StaffHandOver
from visit_api.mergers.worker import Moving
from visit_api.obligations.models import Obligation
from visit_api.online.models import Inquiry
from visit_api.plans.worker import Planning
from visit_api.risks.worker import Lapsing
from visit_api.sealed import SEALED
from visit_api.settings import Settings
from visit_api.steps.models import Step
from visit_api.sync.worker import Doubting
from visit_api.texts.worker import PlainWords
from visit_api.visits.models import HandOver, Visit

WRITES = [topic for topic in TOPICS.values() if topic.writer == "visit_api"]
HEARS = [topic.name for topic in TOPICS.values() if "visit_api" in topic.hearers]
WORDED = (Visit, HandOver, StaffHandOver, Attachment, Step, ItemAnswer, Appointment, Inquiry, Obligation)


def keep(runtime: Runtime) -> list[Worker]:
    """The loops of which one at a time is enough: they chain what is archived, supplement it with what comes late,
    clear uploads away, look for visits that were recorded twice, let suggestions of risk go, and seal what was just
    said and what an earlier version stored in the clear. Not beside the relay: a row they stumble on must not keep an
    appeal untold."""
    return [
        Sealer(runtime.service, runtime.db, CHAINED),
        Sweeper(runtime),
        PlainSealer(runtime),
        PersonSealer(runtime),
        Forgetter(runtime),
        StaffSealer(runtime),
        WordsSealer(runtime),
        PlainWords(runtime, WORDED),
        Supplementing(runtime),
        Doubting(runtime),
        Lapsing(runtime),
    ]


def files(settings: RuntimeSettings) -> Any:
    """What `verify` looks at beside the rows."""
    from visit_api.archive.verifying import files as archived  # not loaded by a running service

    assert isinstance(settings, Settings)
    return partial(archived, settings)


SERVICE = Service(
    name="visit_api",
    settings=Settings,
    writes=WRITES,
    app=create_app,
    handlers=handlers,
    processes={
        "api": lambda runtime: [],
        "relay": lambda runtime: runtime.relay(WRITES, HEARS),
        "keep": keep,
        "plan": lambda runtime: [Planning(runtime), Importing(runtime), Moving(runtime)],
        "consume": lambda runtime: runtime.consume(handlers(runtime)),
    },
    chained=CHAINED,
    files=files,
    sealed=SEALED,
)

if __name__ == "__main__":
    main(SERVICE)
