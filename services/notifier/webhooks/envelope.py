"""The CloudEvent as it was on the topic, in its structured JSON form: no personal data is in it, there or here."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from contracts.appeals import AppealOpened
from contracts.envelope import SPEC_VERSION, Event, Message, encode_payload, registered
from contracts.visits import VisitPlanned

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
PING = "webhook.pinged.v1"
EVERYTHING = "*"
# What can be subscribed to: what is said about visits, appeals and their deadlines.
EVENTS: tuple[type[Event], ...] = tuple(
    event
    for event in registered()
    if event.topic in (VisitPlanned.topic, AppealOpened.topic)
    and event.type.partition(".")[0] in ("visit", "appeal", "deadline")
)
TYPES = tuple(sorted(event.type for event in EVENTS))


def units_of(message: Message) -> list[str]:
    """The units from which an event may be seen, with those above them."""
    named = (getattr(message.event, name, None) for name in ("unit_code", "handling_unit_code"))
    return [code for code in dict.fromkeys(named) if code]


def structured(message: Message) -> str:
    """A heard event as the body of a request."""
    body = encode_payload(message.event)
    assert body is not None, "no tombstones are on these topics"
    return _written(message.id, message.type, message.source, message.subject, message.time, msgspec.Raw(body))


def ping(id: UUID, endpoint: UUID, at: datetime) -> str:
    """A message that says nothing, to see whether one arrives."""
    return _written(id, PING, "/notifier", str(endpoint), at, {"endpoint_id": endpoint})


def _written(id: UUID, type: str, source: str, subject: str, time: datetime, data: Any) -> str:
    its = {
        "specversion": SPEC_VERSION,
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(its).decode()
