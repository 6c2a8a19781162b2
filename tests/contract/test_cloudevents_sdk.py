"""The CloudEvents SDK reads what we write, and we read what it writes."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts.envelope import Event, decode, encode_payload, headers
from contracts.examples import EXAMPLES

ID = UUID("0199c6a0-0000-7000-8000-00000000ffff")
AT = datetime(2026, 10, 9, 1, 30, 2, 500_000, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def type_of(event: Event) -> str:
    return event.type


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_the_sdk_reads_our_record(event: Event) -> None:
    payload = encode_payload(event)
    sent = headers(ID, event.type, "/visit_api", event.subject, AT, TRACE)
    value = payload or b""

    heard = from_kafka(KafkaMessage(headers=dict(sent), key=event.key.encode(), value=value), JSONFormat())

    assert isinstance(heard, CloudEvent)
    assert heard.get_attributes() == {
        "specversion": "1.0",
        "id": str(ID),
        "type": event.type,
        "source": "/visit_api",
        "subject": event.subject,
        "time": AT,
        "datacontenttype": "application/json; charset=utf-8",
        "partitionkey": event.key,
    }
    assert heard.get_data() == (None if payload is None else json.loads(payload))


@pytest.mark.parametrize("event", [each for each in EXAMPLES if not each.tombstone], ids=type_of)
def test_we_read_the_record_of_the_sdk(event: Event) -> None:
    attributes = {"id": str(ID), "source": "/visit_api", "type": event.type, "subject": event.subject, "time": AT}
    record = to_binary_event(CloudEvent(attributes, json.loads(encode_payload(event) or b"")))

    message = decode(record.headers.items(), record.value)

    assert message.event == event
    assert (message.id, message.time, message.source) == (ID, AT, "/visit_api")
