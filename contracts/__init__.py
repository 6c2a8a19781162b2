"""What the services promise each other: typed events, their envelope, and the topics they travel on.

Importing the package loads every event module, so that `decode` knows every type whichever module was asked for.

To add an event: declare its class in the module of its noun, its example in `examples`, and run `contracts.generate`.
"""

from contracts import absences, appeals, audit, customers, deadlines, directory, notifications, policies, visits
from contracts.envelope import Event, registered

EVENTS: tuple[type[Event], ...] = registered()

__all__ = [
    "EVENTS",
    "absences",
    "appeals",
    "audit",
    "customers",
    "deadlines",
    "directory",
    "notifications",
    "policies",
    "visits",
]
