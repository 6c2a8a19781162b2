"""What holds for every event, whoever adds the next one."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import fields

from contracts import EVENTS
from contracts import fields as field_kinds
from contracts.appeals import AppealRaised
from contracts.envelope import Event, Record, encode_payload
from contracts.examples import EXAMPLES
from contracts.topics import TOPICS, dead_letter

SERVICES = {"visit_api", "appeal_tracker", "notifier"}

# A field that names a person, or takes a sentence, must not appear here: ids, codes, numbers and times only.
ALLOWED_NAMES = {
    *(
        "id",
        "visit_id",
        "appeal_id",
        "customer_id",
        "clock_id",
        "subject_id",
        "event_id",
        "delivery_id",
        "send_id",
        "withdrawal_id",
        "task_id",
        "absence_id",
        "hand_over_id",
        "recalculation_id",
        "repeats",
    ),
    *(
        "unit_code",
        "parent_code",
        "merged_into",
        "handling_unit_code",
        "asked_unit_code",
        "staff_no",
        "customer_no",
        "appeal_no",
        "policy",
        "old_policy",
        "calendar",
        "old_calendar",
    ),
    *(
        "raised_by",
        "by",
        "actor",
        "owner",
        "packs",
        "first_contact",
        "visitors",
        "recipient",
        "person",
        "substitute",
        "to",
    ),
    *("kind", "channel", "direction", "form", "appeal_type", "subject_kind", "milestone", "step", "audience", "roles"),
    *("invariant", "cause", "milestones", "handler", "into", "out_of", "counts"),
    *("finding", "times", "report_by", "old_appeal_type", "facts", "source", "category"),
    "template",  # by its name; what it says never travels
    *("result", "satisfaction", "outcome", "reason", "round", "version", "clocks"),
    *("active", "confidential", "anonymous", "provisional", "late", "late_arrival", "required", "agreed"),
    *("scheduled_at", "window_from", "window_to", "received_at", "recorded_at", "due_at", "old_due_at", "at"),
    *("since", "until", "started_at"),
}
ALLOWED_KINDS = [UUID, int, bool, *(kind for kind in vars(field_kinds).values() if hasattr(kind, "__metadata__"))]


def named(event: Event | type[Event]) -> str:
    return event.type


def parts(kind: Any) -> Iterator[Any]:
    """The plain kinds inside `X | None` and `list[X]`, and those of the fields of a nested record."""
    if kind is type(None):
        return
    if isinstance(kind, type) and issubclass(kind, Record):
        for field in fields(kind):
            yield from parts(field.type)
    elif hasattr(kind, "__metadata__") or not get_origin(kind):
        yield kind
    else:
        for inner in get_args(kind):
            yield from parts(inner)


def names(record: type[Record]) -> Iterator[str]:
    for field in fields(record):
        yield field.name
        for kind in (field.type, *get_args(field.type)):
            if isinstance(kind, type) and issubclass(kind, Record):
                yield from names(kind)


@pytest.mark.parametrize("event", EVENTS, ids=named)
class TestEveryEvent:
    def test_carries_only_ids_codes_numbers_and_times(self, event: type[Event]) -> None:
        assert set(names(event)) <= ALLOWED_NAMES
        for field in fields(event):
            for kind in parts(field.type):
                assert kind in ALLOWED_KINDS, f"{field.name} may hold any text; give it a kind of contracts.fields"

    def test_carries_its_unit_code(self, event: type[Event]) -> None:
        assert event.tombstone or "unit_code" in event.__struct_fields__

    def test_is_named_noun_verb_version(self, event: type[Event]) -> None:
        assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*\.v[1-9]", event.type)

    def test_travels_on_a_known_topic_under_an_id(self, event: type[Event]) -> None:
        assert event.topic in TOPICS
        kinds = {field.name: field.type for field in fields(event)}
        assert kinds[event.key_field] in (UUID, UUID | None)
        assert kinds[event.subject_field] is UUID

    def test_has_one_worked_example(self, event: type[Event]) -> None:
        assert [type(example) for example in EXAMPLES].count(event) == 1

    def test_says_what_it_means(self, event: type[Event]) -> None:
        assert event.__doc__ != event.__mro__[1].__doc__
        assert event.__doc__


@pytest.mark.parametrize("event", [event for event in EVENTS if event.tombstone], ids=named)
def test_a_tombstone_names_its_key_alone_on_a_compacted_topic(event: type[Event]) -> None:
    assert event.__struct_fields__ == (event.key_field,)
    assert TOPICS[event.topic].compacted


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.tombstone], ids=named)
class TestEveryPayload:
    def test_round_trips(self, example: Event) -> None:
        payload = encode_payload(example)
        assert payload is not None
        assert msgspec.json.decode(payload, type=type(example)) == example

    def test_ignores_fields_it_does_not_know(self, example: Event) -> None:
        payload = json.loads(encode_payload(example) or b"") | {"added_later": {"deep": [1, None]}}
        assert msgspec.json.decode(json.dumps(payload), type=type(example)) == example

    def test_keeps_text_it_does_not_know(self, example: Event) -> None:
        payload = json.loads(encode_payload(example) or b"")
        texts = [
            field.name
            for field in fields(example)
            if payload[field.name] is not None and {str} == {getattr(k, "__origin__", k) for k in parts(field.type)}
        ]
        changed = payload | {name: ["新"] if isinstance(payload[name], list) else "新" for name in texts}
        heard = msgspec.json.decode(json.dumps(changed), type=type(example))
        assert json.loads(encode_payload(heard) or b"") == changed

    def test_refuses_a_naive_time(self, example: Event) -> None:
        payload = json.loads(encode_payload(example) or b"")
        for name in type(example).time_fields:
            with pytest.raises(msgspec.ValidationError, match=name):
                msgspec.json.decode(json.dumps(payload | {name: "2026-10-09T09:30:00"}), type=type(example))
            with pytest.raises(ValueError, match="no time zone"):
                msgspec.structs.replace(example, **{name: getattr(example, name).replace(tzinfo=None)})


def test_a_confidential_appeal_names_neither_visit_nor_customer() -> None:
    raised = next(example for example in EXAMPLES if isinstance(example, AppealRaised))
    for named_still in ({"visit_id": None}, {"customer_id": None}, {}):
        with pytest.raises(ValueError, match="neither visit nor customer"):
            msgspec.structs.replace(raised, confidential=True, **named_still)
    for how in ("confidential", "anonymous"):
        hidden = msgspec.structs.replace(raised, **{how: True}, visit_id=None, customer_id=None)
        assert (hidden.hidden, hidden.key, hidden.subject) == (True, *[str(raised.appeal_id)] * 2)
        payload = (encode_payload(hidden) or b"").decode()
        assert str(raised.visit_id) not in payload
        assert str(raised.customer_id) not in payload
    assert msgspec.structs.replace(raised, anonymous=True).visit_id, "older ones were told so, and are heard"


def test_an_appeal_raised_on_a_visit_keeps_the_order_of_that_visit() -> None:
    raised = next(example for example in EXAMPLES if isinstance(example, AppealRaised))
    assert (raised.key, raised.subject) == (str(raised.visit_id), str(raised.appeal_id))


def test_the_topics_are_those_of_the_house() -> None:
    compacted = {"directory.changes", "customer.changes"}
    assert {topic.name for topic in TOPICS.values() if topic.compacted} == compacted
    assert set(TOPICS) == compacted | {"visit.events", "appeal.events", "notification.events"}
    for name, topic in TOPICS.items():
        assert topic.name == name
        assert {topic.writer, *topic.hearers} <= SERVICES
        assert topic.writer not in topic.hearers
        assert topic.retention_days > 0 < topic.partitions
    assert dead_letter("visit.events") == dead_letter("visit.events.dlq") == "visit.events.dlq"
