"""Events and their envelope: CloudEvents 1.0, binary mode, with the header names of its Kafka binding.

Encoding and decoding are pure; the bus only moves bytes. Within a version a payload only gains optional fields
(`contracts.compatibility` refuses the rest): a hearer ignores fields it does not know and keeps unknown codes as text.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, dataclass_transform
from uuid import UUID

import msgspec

from contracts.fields import Time

CONTENT_TYPE = "application/json; charset=utf-8"
SPEC_VERSION = "1.0"

_SAME_ON_EVERY_RECORD = (("ce_specversion", SPEC_VERSION.encode()), ("content-type", CONTENT_TYPE.encode()))
_DEAD_LETTER = ".dlq"
_encode = msgspec.json.Encoder().encode
_types: dict[str, type["Event"]] = {}
_stems: set[str] = set()  # noun.verb, without the version


class Undecodable(Exception):
    """A record that these contracts cannot read, by the record's own fault; its text is the reason."""


class UnknownType(Undecodable):
    """An event whose noun.verb is not declared here."""

    def __init__(self, type: str) -> None:
        super().__init__(f"unknown event type {type!r}")
        self.type = type


class UnknownVersion(Undecodable):
    """A declared noun.verb in a version that is not."""

    def __init__(self, type: str) -> None:
        super().__init__(f"unknown version of a known event: {type!r}")
        self.type = type


class MissingHeader(Undecodable):
    """A record without a header it needs."""

    def __init__(self, header: str) -> None:
        super().__init__(f"header {header} is missing")
        self.header = header


class InvalidHeader(Undecodable):
    """A header whose value cannot be read."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"header {header}: {reason}")
        self.header = header
        self.reason = reason


class InvalidPayload(Undecodable):
    """A value that does not fit the type in its header; the reason ends with the path of the field."""

    def __init__(self, type: str, reason: str) -> None:
        super().__init__(f"payload of {type}: {reason}")
        self.type = type
        self.reason = reason


class RecordMeta(msgspec.StructMeta):
    """Makes a record frozen and keyword-only, and takes an event's place on the bus from its class keywords."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        type: str = "",
        topic: str = "",
        key: str = "",
        subject: str = "",
        tombstone: bool = False,
        frozen: bool = True,
    ) -> Any:
        # Nothing in a fact refers back to it: nobody need look through thousands of them for garbage.
        cls: Any = super().__new__(mcls, name, bases, namespace, frozen=frozen, kw_only=True, gc=False)
        cls.time_fields = tuple(f.name for f in msgspec.structs.fields(cls) if f.type in (Time, Time | None))
        if type:
            cls.type, cls.topic, cls.tombstone = type, topic, tombstone
            cls.key_field, cls.subject_field = key, subject or key
            cls.decoder = msgspec.json.Decoder(cls)
            _register(cls)
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record(msgspec.Struct, metaclass=RecordMeta, frozen=True):
    """A frozen part of a payload, its times aware and in UTC; building one with a naive time raises ValueError."""

    time_fields: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for name in self.time_fields:
            at = getattr(self, name)
            if at is not None and at.tzinfo is not UTC:
                msgspec.structs.force_setattr(self, name, _in_utc(at))


class Event(Record):
    """Base of every payload: a past fact, declared with its type, topic, key field and subject field.

    A null key falls back to the subject. A `tombstone` event has no payload: all it says is that its subject is gone.
    """

    type: ClassVar[str]
    topic: ClassVar[str]
    tombstone: ClassVar[bool]
    key_field: ClassVar[str]
    subject_field: ClassVar[str]
    decoder: ClassVar[msgspec.json.Decoder[Any]]

    @property
    def key(self) -> str:
        """Record key; order holds among the events that share it."""
        value = getattr(self, self.key_field)
        return self.subject if value is None else str(value)

    @property
    def subject(self) -> str:
        """Id of what the event is about."""
        return str(getattr(self, self.subject_field))


class Message(msgspec.Struct, frozen=True):
    """One event as heard, in its envelope."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    event: Event
    traceparent: str | None


def registered() -> tuple[type[Event], ...]:
    """Every event class declared so far, in order of declaration."""
    return tuple(_types.values())


def encode_payload(event: Event) -> bytes | None:
    """The payload as JSON in UTF-8, Chinese unescaped, times in UTC with 'Z'; None for a tombstone."""
    return None if event.tombstone else _encode(event)


def headers(
    id: UUID, type: str, source: str, subject: str, time: datetime, traceparent: str | None = None
) -> list[tuple[str, bytes]]:
    """Record headers of an event; a naive time raises ValueError."""
    pairs = [
        *_SAME_ON_EVERY_RECORD,
        ("ce_id", str(id).encode()),
        ("ce_type", type.encode()),
        ("ce_source", source.encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", _encode(_in_utc(time))[1:-1]),  # JSON's own form of a time, without the quotes
    ]
    if traceparent is not None:
        pairs.append(("traceparent", traceparent.encode()))
    return pairs


def decode(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Message:
    """The message in a record; raises a kind of Undecodable, and nothing else, for one that it cannot read.

    A tombstone (value None) is rebuilt from its subject: `CustomerRemoved(id=<ce_subject>)`.
    """
    found = dict(headers)
    if (version := _text(found, "ce_specversion")) != SPEC_VERSION:
        raise InvalidHeader("ce_specversion", f"{version!r} is not {SPEC_VERSION!r}")
    event_type = _text(found, "ce_type")
    subject = _text(found, "ce_subject")
    return Message(
        id=_id(found, "ce_id"),
        type=event_type,
        source=_text(found, "ce_source"),
        subject=subject,
        time=_time(found, "ce_time"),
        event=_event(event_type, subject, value),
        traceparent=(found.get("traceparent") or b"").decode(errors="replace") or None,
    )


def decode_type(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """The event type named in the headers, declared or not; None where it is missing or not text."""
    try:
        return _text(dict(headers), "ce_type")
    except (MissingHeader, InvalidHeader):
        return None


def _register(cls: type[Event]) -> None:
    if cls.type in _types:
        raise TypeError(f"{cls.type} is declared twice: by {_types[cls.type].__name__} and {cls.__name__}")
    _types[cls.type] = cls
    _stems.add(_stem(cls.type))


def _stem(type: str) -> str:
    return type.rpartition(".v")[0]


def _event(type: str, subject: str, value: bytes | None) -> Event:
    cls = _types.get(type)
    if cls is None:
        raise UnknownVersion(type) if _stem(type) in _stems else UnknownType(type)
    if cls.tombstone is not (value is None):
        raise InvalidPayload(type, "a tombstone has no value" if cls.tombstone else "the value is missing")
    try:
        event: Event = msgspec.convert({cls.key_field: subject}, cls) if value is None else cls.decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidPayload(type, str(error)) from error
    except RecursionError as error:
        raise InvalidPayload(type, "nested too deep") from error
    return event


def _text(found: Mapping[str, bytes | None], header: str) -> str:
    value = found.get(header)
    if not value:
        raise MissingHeader(header)
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InvalidHeader(header, "not UTF-8") from error


def _id(found: Mapping[str, bytes | None], header: str) -> UUID:
    try:
        return msgspec.convert(_text(found, header), UUID)
    except msgspec.ValidationError as error:
        raise InvalidHeader(header, "not a UUID") from error


def _time(found: Mapping[str, bytes | None], header: str) -> datetime:
    try:
        return _in_utc(msgspec.convert(_text(found, header), datetime))
    except ValueError as error:
        raise InvalidHeader(header, "not an RFC 3339 time with its offset") from error


def _in_utc(time: datetime) -> datetime:
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} has no time zone")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{time.isoformat()} lies outside the years 1 to 9999 in UTC") from error


def dead_letter(topic: str) -> str:
    """Name of the topic that takes what no hearer of `topic` could apply, and every hearer may write; its own is it."""
    return topic if topic.endswith(_DEAD_LETTER) else topic + _DEAD_LETTER
