"""`python -m appeal_tracker` runs the whole service; with a word, one part of it."""

from appeal_tracker.absences.worker import Telling
from appeal_tracker.app import create_app
from appeal_tracker.appeals.worker import Marking
from appeal_tracker.audit.canary import Canary
from appeal_tracker.audit.worker import SelfAudit
from appeal_tracker.escalation.worker import Escalation
from appeal_tracker.handlers import handlers
from appeal_tracker.leaving.worker import HandingOver
from appeal_tracker.mergers.worker import Moving
from appeal_tracker.recalculations.worker import Recalculating
from appeal_tracker.settings import Settings
from appeal_tracker.simulations.worker import Simulating
from appeal_tracker.upkeep.worker import Upkeep
from appeal_tracker.words.worker import Fetching
from chassis import trail
from chassis.chain.sealer import Sealer
from chassis.process import Service, main
from chassis.vault import Sealed
from contracts.topics import TOPICS

WRITES = [topic for topic in TOPICS.values() if topic.writer == "appeal_tracker"]
HEARS = [topic.name for topic in TOPICS.values() if "appeal_tracker" in topic.hearers]

CHAINED = (trail.CHAINED,)  # who read what was said in confidence

SERVICE = Service(
    name="appeal_tracker",
    settings=Settings,
    writes=WRITES,
    app=create_app,
    handlers=handlers,
    sealed=[Sealed("appeal_words", name, "appeal_id") for name in ("summary", "reason_not_answered")]
    + [Sealed("callbacks", "opinion_sealed"), Sealed("texts", "said")],
    processes={
        "api": lambda runtime: [],
        "relay": lambda runtime: [*runtime.relay(WRITES, HEARS), SelfAudit(runtime)],
        "consume": lambda runtime: runtime.consume(handlers(runtime)),
        "escalate": lambda runtime: [
            Escalation(runtime),
            Canary(runtime),
            Recalculating(runtime),
            Upkeep(runtime),
            Telling(runtime),
            HandingOver(runtime),
            Moving(runtime),
            Fetching(runtime),
            Marking(runtime),
        ],
        "simulate": lambda runtime: [Simulating(runtime), Sealer(runtime.service, runtime.db, CHAINED)],
    },
    chained=CHAINED,
)

if __name__ == "__main__":
    main(SERVICE)
