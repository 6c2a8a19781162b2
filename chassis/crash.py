"""Named points in the product's own path where a fault test can make the process die."""

import os

_AT = os.environ.get("CRASH_AT", "")
_NAME, _, _NTH = _AT.partition(":")
_left = int(_NTH or 1)

POINTS = (
    "db.committed",  # a unit of work is stored; nobody was told or answered yet
    "request.committed",  # what a request asked for is stored, by transaction or by single statement; not answered
    "relay.read",  # outbox rows are read, not published
    "relay.published",  # published, not marked
    "consumer.applied",  # inbox and effect are stored, the offset is not
    "consumer.committed",  # the offset is stored
    "escalation.claimed",  # timers are claimed inside an open transaction
    "escalation.written",  # state and outbox are written inside an open transaction
    "sender.leased",  # a send is marked as being sent
    "sender.accepted",  # the provider has it, we have not recorded so
    "webhook.leased",  # a message to an endpoint is marked as being sent
    "webhook.answered",  # the endpoint has answered, we have not recorded so
)


def point(name: str) -> None:
    """Ends the process at once, like a power cut, when `CRASH_AT=name` (or `name:n`, at the n-th passage) says so."""
    global _left
    if name != _NAME:
        return
    _left -= 1
    if _left == 0:
        os._exit(137)
