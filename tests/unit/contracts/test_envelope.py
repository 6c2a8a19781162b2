"""The envelope: what is written can be read, and what cannot be read says why."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.customers import CustomerRemoved
from contracts.directory import UnitChanged
from contracts.envelope import (
    Event,
    InvalidHeader,
    InvalidPayload,
    MissingHeader,
    Undecodable,
    UnknownType,
    UnknownVersion,
    decode,
    decode_type,
    encode_payload,
    headers,
)
from contracts.examples import EXAMPLES
from contracts.visits import VisitStarted

ID = UUID("0199c6a0-0000-7000-8000-00000000ffff")
SHANGHAI = timezone(timedelta(hours=8))
AT = datetime(2026, 10, 9, 9, 30, tzinfo=SHANGHAI)
STARTED = VisitStarted(visit_id=ID, unit_code="郑州", at=AT)
PAYLOAD = encode_payload(STARTED)
REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time")


def sent(event_type: str = STARTED.type, changed: dict[str, bytes | None] | None = None) -> dict[str, bytes | None]:
    written = headers(ID, event_type, "/visit_api", str(ID), AT, "00-4bf9-00f0-01")
    return dict[str, bytes | None](written) | (changed or {})


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_what_is_written_is_read(event: Event) -> None:
    payload = encode_payload(event)
    written = headers(ID, event.type, "/visit_api", event.subject, AT, "00-4bf9-00f0-01")
    message = decode(written, payload)
    assert message.event == event
    assert (message.id, message.type, message.subject) == (ID, event.type, event.subject)
    assert (message.source, message.time, message.traceparent) == ("/visit_api", AT, "00-4bf9-00f0-01")
    assert message.time.tzinfo is UTC


def test_an_event_outside_any_trace_has_no_traceparent() -> None:
    written = headers(ID, STARTED.type, "/visit_api", str(ID), AT)
    assert "traceparent" not in dict(written)
    assert decode(written, PAYLOAD).traceparent is None


def test_times_are_written_in_utc_and_chinese_as_it_is() -> None:
    assert PAYLOAD.decode() == f'{{"visit_id":"{ID}","unit_code":"郑州","at":"2026-10-09T01:30:00Z"}}'
    assert sent()["ce_time"] == b"2026-10-09T01:30:00Z"


def test_a_naive_time_is_refused_wherever_it_comes_in() -> None:
    naive = AT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        VisitStarted(visit_id=ID, unit_code="4101", at=naive)
    with pytest.raises(ValueError, match="no time zone"):
        headers(ID, STARTED.type, "/visit_api", str(ID), naive)
    with pytest.raises(InvalidHeader, match="ce_time"):
        decode(sent(changed={"ce_time": b"2026-10-09T09:30:00"}).items(), PAYLOAD)
    with pytest.raises(InvalidPayload, match="at"):
        decode(sent().items(), PAYLOAD.replace(b"00Z", b"00"))


def test_events_are_frozen() -> None:
    with pytest.raises(AttributeError):
        STARTED.unit_code = "4102"  # type: ignore[misc]


def test_a_tombstone_is_rebuilt_from_its_subject() -> None:
    gone = CustomerRemoved(id=ID)
    assert encode_payload(gone) is None
    assert gone.key == str(ID)
    assert decode(sent(gone.type).items(), None).event == gone


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_header_is_named(name: str) -> None:
    without = {header: value for header, value in sent().items() if header != name}
    for found in (without, without | {name: None}, without | {name: b""}):
        with pytest.raises(MissingHeader) as caught:
            decode(found.items(), PAYLOAD)
        assert caught.value.header == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"17"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"0001-01-01T00:00:00+08:00"),
        *((name, b"\xff") for name in REQUIRED),
    ],
)
def test_an_unreadable_header_is_named(name: str, value: bytes) -> None:
    with pytest.raises(InvalidHeader) as caught:
        decode(sent(changed={name: value}).items(), PAYLOAD)
    assert caught.value.header == name


def test_a_broken_traceparent_costs_the_trace_only() -> None:
    assert decode(sent(changed={"traceparent": b"\xff"}).items(), PAYLOAD).event == STARTED


def test_an_unknown_version_is_told_from_an_unknown_event() -> None:
    for version in ("visit.started.v2", "visit.started.v0", "visit.started.vX"):
        with pytest.raises(UnknownVersion, match="known event"):
            decode(sent(version).items(), PAYLOAD)
    for stranger in ("visit.dreamt.v1", "visit.started", "visit", "v1", ".v1"):
        with pytest.raises(UnknownType) as caught:
            decode(sent(stranger).items(), PAYLOAD)
        assert caught.value.type == stranger


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing"),
        (b"", "truncated"),
        (b"null", "object"),
        (b"{", "truncated"),
        (PAYLOAD + b"x", "trailing"),
        (b"{}", "visit_id"),
        (PAYLOAD.replace(str(ID).encode(), b"17"), "visit_id"),
        (PAYLOAD.replace("郑州".encode(), b"\xff"), "."),
        (PAYLOAD.replace("郑州".encode(), b"\\ud800"), "."),
        (PAYLOAD.replace(b"2026-10-09T01:30:00Z", b"0001-01-01T00:00:00+08:00"), "1 to 9999"),
        (PAYLOAD.replace(b"{", b'{"deep":' + b"[" * 100_000, 1), "."),
        (b"\xff\xfe", "."),
    ],
)
def test_an_unreadable_payload_says_why(value: bytes | None, reason: str) -> None:
    with pytest.raises(InvalidPayload, match=reason) as caught:
        decode(sent().items(), value)
    assert caught.value.type == STARTED.type
    assert caught.value.reason


def test_a_tombstone_with_a_value_or_a_wrong_subject_is_refused() -> None:
    with pytest.raises(InvalidPayload, match="no value"):
        decode(sent(CustomerRemoved.type).items(), b"{}")
    with pytest.raises(InvalidPayload, match="id"):
        decode(sent(CustomerRemoved.type, {"ce_subject": b"17"}).items(), None)


def test_the_type_can_be_read_even_where_the_event_cannot() -> None:
    assert decode_type(sent("visit.dreamt.v7").items()) == "visit.dreamt.v7"
    assert decode_type([]) is None
    assert decode_type([("ce_type", None)]) is None
    assert decode_type([("ce_type", b"\xff")]) is None


@given(
    st.dictionaries(st.sampled_from([*REQUIRED, "traceparent", "content-type"]), st.none() | st.binary(max_size=40)),
    st.none() | st.binary(max_size=200),
)
def test_whatever_comes_decode_raises_undecodable_or_nothing(
    noise: dict[str, bytes | None], value: bytes | None
) -> None:
    for found in (noise, sent() | noise):
        with suppress(Undecodable):
            assert isinstance(decode(found.items(), value).event, VisitStarted)


@given(st.sampled_from([each for each in EXAMPLES if not each.tombstone]), st.data())
def test_a_damaged_payload_is_undecodable_or_a_valid_event(event: Event, data: st.DataObject) -> None:
    payload = bytearray(encode_payload(event) or b"")
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        heard = decode(sent(event.type).items(), bytes(payload)).event
    except Undecodable:
        return
    assert msgspec.json.decode(encode_payload(heard) or b"", type=type(event)) == heard


def test_a_type_is_declared_once() -> None:
    with pytest.raises(TypeError, match="declared twice"):

        class Again(Event, type="directory.unit_changed.v1", topic="directory.changes", key="id"):
            id: UUID

    assert decode(sent(UnitChanged.type).items(), encode_payload(EXAMPLES[0])).event == EXAMPLES[0]
